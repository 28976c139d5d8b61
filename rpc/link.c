#include "config.h"

#include "link.h"

#include "backoff.h"
#include "ferry/error.h"

/* oslo.messaging's kombu_reconnect_delay. */
#define RECONNECT_DELAY_US G_USEC_PER_SEC
/* A broker that refused us wants a person first. */
#define REFUSED_DELAY_US (30 * (gint64)G_USEC_PER_SEC)

struct FerryLink {
    FerryTransport *transport;
    const char *purpose;
    const FerryLinkEvents *events;
    gpointer user_data;
    FerryAmqpConnection *connection;
    FerryBackoff backoff;
    guint *order; /* brokers, shuffled once so that many agents spread over them */
    guint position;
    guint failures_in_a_row; /* since the last pause */
    bool refused;            /* in this round through the list */
    gint64 next_try_us;
    char *last_reason;
};

static guint *
shuffled(guint count)
{
    guint *order = g_new(guint, count);
    for (guint i = 0; i < count; i++) {
        guint j = (guint)g_random_int_range(0, (gint32)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

FerryLink *
ferry_link_new(FerryTransport *transport,
               const char *purpose,
               const FerryLinkEvents *events,
               gpointer user_data)
{
    const FerryMessagingOptions *options = transport->options;
    FerryLink *link = g_new0(FerryLink, 1);
    link->transport = ferry_transport_ref(transport);
    link->purpose = purpose;
    link->events = events;
    link->user_data = user_data;
    link->backoff = (FerryBackoff){
        .start_s = options->rabbit_retry_interval,
        .step_s = options->rabbit_retry_backoff,
        .limit_s = options->rabbit_interval_max,
    };
    link->order = shuffled(transport->brokers->len);
    return link;
}

void
ferry_link_free(FerryLink *link)
{
    if (link == NULL)
        return;
    ferry_amqp_connection_free(link->connection);
    ferry_transport_unref(link->transport);
    g_free(link->order);
    g_free(link->last_reason);
    g_free(link);
}

static const FerryBroker *
present_broker(const FerryLink *link)
{
    return g_ptr_array_index(link->transport->brokers, link->order[link->position]);
}

/* The same reason is told once, not at every try. */
static void
log_failure(FerryLink *link, const GError *reason)
{
    bool told = g_strcmp0(link->last_reason, reason->message) == 0;
    const char *hint = ferry_error_hint(reason);
    g_log(G_LOG_DOMAIN, told ? G_LOG_LEVEL_DEBUG : G_LOG_LEVEL_WARNING, "Broker (%s): %s%s%s%s",
          link->purpose, reason->message, hint != NULL ? " (" : "", hint != NULL ? hint : "",
          hint != NULL ? ")" : "");
    g_free(link->last_reason);
    link->last_reason = g_strdup(reason->message);
}

/* All brokers are tried before the first pause; pauses grow. */
static void
schedule_next_try(FerryLink *link, gint64 now_us)
{
    guint count = link->transport->brokers->len;
    link->position = (link->position + 1) % count;
    link->failures_in_a_row++;
    if (link->failures_in_a_row < count) {
        link->next_try_us = now_us;
        return;
    }
    link->failures_in_a_row = 0;
    gint64 pause_us = (gint64)ferry_backoff_next(&link->backoff) * G_USEC_PER_SEC;
    link->next_try_us = now_us + (link->refused ? REFUSED_DELAY_US : pause_us);
    link->refused = false;
}

static void
take_failure(FerryLink *link, const GError *reason)
{
    g_clear_pointer(&link->connection, ferry_amqp_connection_free);
    link->refused = link->refused || g_error_matches(reason, FERRY_ERROR, FERRY_ERROR_CONFIG);
    schedule_next_try(link, g_get_monotonic_time());
    log_failure(link, reason);
    link->events->down(reason, link->user_data);
}

static void
try_once(FerryLink *link)
{
    g_autoptr(GError) error = NULL;
    const FerryBroker *broker = present_broker(link);
    g_autoptr(FerryAmqpConnection) connection =
        ferry_amqp_connection_open(link->transport, broker, link->purpose, &error);
    if (connection == NULL || !link->events->setup(connection, link->user_data, &error)) {
        take_failure(link, error);
        return;
    }
    link->connection = g_steal_pointer(&connection);
    link->failures_in_a_row = 0;
    link->refused = false;
    ferry_backoff_reset(&link->backoff);
    g_clear_pointer(&link->last_reason, g_free);
    g_message("Broker (%s): connected to %s:%u", link->purpose, broker->host, broker->port);
    link->events->up(link->user_data);
}

FerryAmqpConnection *
ferry_link_tend(FerryLink *link)
{
    if (link->connection == NULL && g_get_monotonic_time() >= link->next_try_us)
        try_once(link);
    return link->connection;
}

FerryAmqpConnection *
ferry_link_connection(const FerryLink *link)
{
    return link->connection;
}

void
ferry_link_fail(FerryLink *link, const GError *reason)
{
    g_clear_pointer(&link->connection, ferry_amqp_connection_free);
    /* The same broker first: mostly it was only the connection. */
    link->next_try_us = g_get_monotonic_time() + RECONNECT_DELAY_US;
    log_failure(link, reason);
    link->events->down(reason, link->user_data);
}

void
ferry_link_close(FerryLink *link)
{
    if (link->connection != NULL)
        ferry_amqp_connection_close(g_steal_pointer(&link->connection));
}

void
ferry_link_wait(FerryLink *link, FerryWakeup *wakeup, gint64 deadline_us)
{
    if (link->connection == NULL) {
        (void)ferry_wakeup_wait(wakeup, -1, MIN(deadline_us, link->next_try_us));
        return;
    }
    deadline_us = MIN(deadline_us, ferry_amqp_connection_deadline(link->connection));
    if (ferry_wakeup_wait(wakeup, ferry_amqp_connection_fd(link->connection), deadline_us))
        ferry_amqp_connection_note_input(link->connection);
}
