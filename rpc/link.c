#include "config.h"

#include "link.h"

#include "backoff.h"
#include "ferry/error.h"

/* oslo.messaging's kombu_reconnect_delay. */
#define RECONNECT_DELAY_US G_USEC_PER_SEC
/* What lived for so long was a good connection, and its loss is no reason to hesitate. */
#define GOOD_US (10 * (gint64)G_USEC_PER_SEC)
/* After a broker refused us: a person has to change something first. */
#define REFUSED_DELAY_US (30 * (gint64)G_USEC_PER_SEC)

struct FerryLink {
    FerryTransport *transport;
    const char *purpose;
    const FerryLinkEvents *events;
    gpointer user_data;
    FerryAmqpConnection *connection;
    FerryBackoff backoff;
    FerryBackoff losses; /* of connections that did not live for long */
    guint *order;        /* brokers, shuffled once so that many agents spread over them */
    guint position;
    guint failures_in_a_row; /* since the last pause */
    bool refused;            /* by one of the brokers since the last pause */
    gint64 next_try_us;
    gint64 connected_us;
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
    FerryLink *self = g_new0(FerryLink, 1);

    self->transport = ferry_transport_ref(transport);
    self->purpose = purpose;
    self->events = events;
    self->user_data = user_data;
    self->backoff = (FerryBackoff){
        .start_s = options->rabbit_retry_interval,
        .step_s = options->rabbit_retry_backoff,
        .limit_s = options->rabbit_interval_max,
    };
    self->losses = self->backoff;
    self->order = shuffled(transport->brokers->len);
    return self;
}

void
ferry_link_free(FerryLink *self)
{
    if (!self)
        return;
    ferry_amqp_connection_free(self->connection);
    ferry_transport_unref(self->transport);
    g_free(self->order);
    g_free(self);
}

static const FerryBroker *
present_broker(const FerryLink *self)
{
    return g_ptr_array_index(self->transport->brokers, self->order[self->position]);
}

/* Warns of a reason once, not at every try nor for each connection. Of a refusal the bus tells. */
static void
log_failure(FerryLink *self, const GError *reason)
{
    bool is_news = !g_error_matches(reason, FERRY_ERROR, FERRY_ERROR_CONFIG) &&
                   ferry_transport_tell(self->transport, reason->message);
    const char *hint = ferry_error_hint(reason);

    g_log(G_LOG_DOMAIN, is_news ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_DEBUG, "Broker (%s): %s%s%s%s",
          self->purpose, reason->message, hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
}

/* Pauses only after all brokers were tried; each pause is longer than the one before. */
static void
schedule_next_try(FerryLink *self, gint64 now_us)
{
    guint count = self->transport->brokers->len;

    self->position = (self->position + 1) % count;
    self->failures_in_a_row++;
    if (self->failures_in_a_row < count) {
        self->next_try_us = now_us;
        return;
    }
    self->failures_in_a_row = 0;
    gint64 pause_us = (gint64)ferry_backoff_next(&self->backoff) * G_USEC_PER_SEC;
    self->next_try_us = now_us + (self->refused ? REFUSED_DELAY_US : pause_us);
    self->refused = false;
}

static void
take_failure(FerryLink *self, const GError *reason)
{
    g_clear_pointer(&self->connection, ferry_amqp_connection_free);
    self->refused = self->refused || g_error_matches(reason, FERRY_ERROR, FERRY_ERROR_CONFIG);
    schedule_next_try(self, g_get_monotonic_time());
    log_failure(self, reason);
    self->events->down(reason, self->user_data);
}

static void
try_once(FerryLink *self)
{
    g_autoptr(GError) error = NULL;
    const FerryBroker *broker = present_broker(self);
    g_autoptr(FerryAmqpConnection) connection =
        ferry_amqp_connection_open(self->transport, broker, self->purpose, &error);

    if (!connection || !self->events->setup(connection, self->user_data, &error)) {
        take_failure(self, error);
        return;
    }
    self->connection = g_steal_pointer(&connection);
    self->failures_in_a_row = 0;
    self->refused = false;
    ferry_backoff_reset(&self->backoff);
    self->connected_us = g_get_monotonic_time();
    ferry_transport_forget_told(self->transport);
    g_message("Broker (%s): connected to %s:%u", self->purpose, broker->host, broker->port);
    self->events->up(self->user_data);
}

FerryAmqpConnection *
ferry_link_tend(FerryLink *self)
{
    if (!self->connection && g_get_monotonic_time() >= self->next_try_us)
        try_once(self);
    return self->connection;
}

FerryAmqpConnection *
ferry_link_connection(const FerryLink *self)
{
    return self->connection;
}

void
ferry_link_fail(FerryLink *self, const GError *reason, bool by_message)
{
    const gint64 now_us = g_get_monotonic_time();
    gint64 pause_us = RECONNECT_DELAY_US;

    g_clear_pointer(&self->connection, ferry_amqp_connection_free);
    if (now_us - self->connected_us >= GOOD_US)
        ferry_backoff_reset(&self->losses);
    else if (!by_message)
        pause_us = (gint64)ferry_backoff_next(&self->losses) * G_USEC_PER_SEC;
    /* The same broker again: mostly only the connection broke. */
    self->next_try_us = now_us + pause_us;
    log_failure(self, reason);
    self->events->down(reason, self->user_data);
}

void
ferry_link_close(FerryLink *self)
{
    if (self->connection)
        ferry_amqp_connection_close(g_steal_pointer(&self->connection));
}

void
ferry_link_wait(FerryLink *self, FerryWakeup *wakeup, gint64 deadline_us)
{
    if (!self->connection) {
        (void)ferry_wakeup_wait(wakeup, -1, MIN(deadline_us, self->next_try_us));
        return;
    }
    deadline_us = MIN(deadline_us, ferry_amqp_connection_deadline(self->connection));
    if (ferry_wakeup_wait(wakeup, ferry_amqp_connection_fd(self->connection), deadline_us))
        ferry_amqp_connection_note_input(self->connection);
}
