#include "config.h"

#include "topology.h"

#include "amqp-error.h"
#include "amqp-table.h"
#include "ferry/bus.h"
#include "unique-id.h"

#define FANOUT_EXCHANGE FERRY_TOPIC "_fanout"
#define ARGUMENTS_MAX 4
/* Messages of each consumer that may be delivered and not acknowledged. */
#define PREFETCH 500

/* The arguments of a declaration, besides the name. */
typedef struct {
    bool durable;
    bool auto_delete;
    bool exclusive;
    int count;
    amqp_table_entry_t arguments[ARGUMENTS_MAX];
} Traits;

static amqp_bytes_t
bytes(const char *text)
{
    return amqp_cstring_bytes(text);
}

static void
add_text(Traits *traits, const char *key, const char *value)
{
    traits->arguments[traits->count++] = ferry_amqp_text(key, value);
}

static void
add_number(Traits *traits, const char *key, gint64 value)
{
    traits->arguments[traits->count++] = ferry_amqp_number(key, (gint32)MIN(value, G_MAXINT32));
}

/* Queues that several programs share: requests to a server, notifications. */
static Traits
shared_traits(const FerryMessagingOptions *options)
{
    Traits traits = {
        .durable = options->amqp_durable_queues || options->rabbit_quorum_queue,
        .auto_delete = options->amqp_auto_delete,
    };

    if (options->rabbit_ha_queues)
        add_text(&traits, "x-ha-policy", "all");
    if (options->rabbit_quorum_queue) {
        add_text(&traits, "x-queue-type", "quorum");
        if (options->rabbit_quorum_delivery_limit > 0)
            add_number(&traits, "x-delivery-limit", options->rabbit_quorum_delivery_limit);
    }
    return traits;
}

/* Queues of one process, which outlive its connection for a while: fanout, answers. */
static Traits
transient_traits(const FerryMessagingOptions *options)
{
    Traits traits = {.durable = false};

    if (options->rabbit_ha_queues)
        add_text(&traits, "x-ha-policy", "all");
    if (options->rabbit_transient_queues_ttl > 0)
        add_number(&traits, "x-expires", (gint64)options->rabbit_transient_queues_ttl * 1000);
    return traits;
}

static bool
declare_exchange(FerryAmqpConnection *connection,
                 const char *name,
                 const char *type,
                 bool durable,
                 bool auto_delete,
                 GError **error)
{
    (void)amqp_exchange_declare(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL,
                                bytes(name), bytes(type), /* passive= */ 0, durable, auto_delete,
                                /* internal= */ 0, amqp_empty_table);
    g_autofree char *what = g_strdup_printf("Declaring exchange \"%s\"", name);
    return ferry_amqp_connection_check(connection, what, error);
}

static bool
declare_queue(FerryAmqpConnection *connection, const char *name, Traits *traits, GError **error)
{
    const amqp_table_t arguments = {traits->count, traits->arguments};

    (void)amqp_queue_declare(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL,
                             bytes(name), /* passive= */ 0, traits->durable, traits->exclusive,
                             traits->auto_delete, arguments);
    g_autofree char *what = g_strdup_printf("Declaring queue \"%s\"", name);
    return ferry_amqp_connection_check(connection, what, error);
}

static bool
bind_queue(FerryAmqpConnection *connection,
           const char *queue,
           const char *exchange,
           const char *key,
           GError **error)
{
    (void)amqp_queue_bind(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL, bytes(queue),
                          bytes(exchange), bytes(key), amqp_empty_table);
    g_autofree char *what = g_strdup_printf("Binding queue \"%s\"", queue);
    return ferry_amqp_connection_check(connection, what, error);
}

static bool
consume(FerryAmqpConnection *connection,
        const char *queue,
        const char *tag,
        bool no_ack,
        GError **error)
{
    (void)amqp_basic_consume(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL,
                             bytes(queue), bytes(tag), /* no_local= */ 0, no_ack,
                             /* exclusive= */ 0, amqp_empty_table);
    g_autofree char *what = g_strdup_printf("Consuming from \"%s\"", queue);
    return ferry_amqp_connection_check(connection, what, error);
}

bool
ferry_topology_declare_exchange(FerryAmqpConnection *connection,
                                const FerryMessagingOptions *options,
                                GError **error)
{
    Traits traits = shared_traits(options);

    return declare_exchange(connection, options->control_exchange, "topic", traits.durable,
                            traits.auto_delete, error);
}

bool
ferry_topology_declare_fanout(FerryAmqpConnection *connection, GError **error)
{
    return declare_exchange(connection, FANOUT_EXCHANGE, "fanout", /* durable= */ false,
                            /* auto_delete= */ true, error);
}

/* Declares a queue, bound to the topic exchange by its own name. */
static bool
declare_shared(FerryAmqpConnection *connection,
               const FerryMessagingOptions *options,
               const char *name,
               GError **error)
{
    Traits traits = shared_traits(options);

    return ferry_topology_declare_exchange(connection, options, error) &&
           declare_queue(connection, name, &traits, error) &&
           bind_queue(connection, name, options->control_exchange, name, error);
}

bool
ferry_topology_serve(FerryAmqpConnection *connection,
                     const FerryMessagingOptions *options,
                     const char *server,
                     const char *fanout_queue,
                     GError **error)
{
    Traits transient = transient_traits(options);
    g_autofree char *own = g_strconcat(FERRY_TOPIC ".", server, NULL);

    return declare_shared(connection, options, FERRY_TOPIC, error) &&
           declare_shared(connection, options, own, error) &&
           ferry_topology_declare_fanout(connection, error) &&
           declare_queue(connection, fanout_queue, &transient, error) &&
           bind_queue(connection, fanout_queue, FANOUT_EXCHANGE, FERRY_TOPIC, error) &&
           consume(connection, FERRY_TOPIC, FERRY_CONSUMER_SHARED, false, error) &&
           consume(connection, own, FERRY_CONSUMER_SERVER, false, error) &&
           consume(connection, fanout_queue, FERRY_CONSUMER_FANOUT, false, error);
}

bool
ferry_topology_limit_prefetch(FerryAmqpConnection *connection, GError **error)
{
    (void)amqp_basic_qos(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL,
                         /* prefetch_size= */ 0, PREFETCH, /* global= */ 0);
    return ferry_amqp_connection_check(connection, "Limiting what is delivered", error);
}

static bool
cancel(FerryAmqpConnection *connection, const char *tag, GError **error)
{
    (void)amqp_basic_cancel(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL,
                            bytes(tag));
    return ferry_amqp_connection_check(connection, "Ending a consumer", error);
}

bool
ferry_topology_stop_serving(FerryAmqpConnection *connection,
                            const char *fanout_queue,
                            GError **error)
{
    return cancel(connection, FERRY_CONSUMER_SHARED, error) &&
           cancel(connection, FERRY_CONSUMER_SERVER, error) &&
           cancel(connection, FERRY_CONSUMER_FANOUT, error) &&
           ferry_topology_delete_queue(connection, fanout_queue, error);
}

static bool
send_method(FerryAmqpConnection *connection, amqp_method_number_t id, void *method, GError **error)
{
    int status =
        amqp_send_method(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL, id, method);

    if (status != AMQP_STATUS_OK)
        ferry_amqp_set_status_error(error, status, "Asking for answers");
    return status == AMQP_STATUS_OK;
}

bool
ferry_topology_await_replies(FerryAmqpConnection *connection,
                             const FerryMessagingOptions *options,
                             const char *reply_queue,
                             GError **error)
{
    Traits transient = transient_traits(options);
    amqp_queue_declare_t declaration = {
        .queue = bytes(reply_queue),
        .nowait = 1,
        .arguments = {transient.count, transient.arguments},
    };
    amqp_basic_consume_t consumption = {
        .queue = bytes(reply_queue),
        .consumer_tag = bytes(FERRY_CONSUMER_REPLIES),
    };

    return send_method(connection, AMQP_QUEUE_DECLARE_METHOD, &declaration, error) &&
           send_method(connection, AMQP_BASIC_CONSUME_METHOD, &consumption, error);
}

bool
ferry_topology_delete_queue(FerryAmqpConnection *connection, const char *queue, GError **error)
{
    (void)amqp_queue_delete(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL,
                            bytes(queue), /* if_unused= */ 0, /* if_empty= */ 0);
    return ferry_amqp_connection_check(connection, "Deleting a queue", error);
}

bool
ferry_topology_listen(FerryAmqpConnection *connection,
                      const FerryMessagingOptions *options,
                      const char *const *keys,
                      GError **error)
{
    /* A new name each time: the queue of a lost connection stays exclusive until the broker notices
     * the loss. */
    g_autofree char *id = ferry_unique_id_new();
    g_autofree char *queue = g_strconcat(FERRY_TOPIC "_listener_", id, NULL);
    Traits traits = {.exclusive = true, .auto_delete = true};

    if (!ferry_topology_declare_exchange(connection, options, error) ||
        !declare_queue(connection, queue, &traits, error))
        return false;
    for (guint i = 0; keys[i]; i++) {
        if (!bind_queue(connection, queue, options->control_exchange, keys[i], error))
            return false;
    }
    return consume(connection, queue, FERRY_CONSUMER_LISTENER, true, error);
}

bool
ferry_topology_declare_notifications(FerryAmqpConnection *connection,
                                     const FerryMessagingOptions *options,
                                     const char *key,
                                     GError **error)
{
    return declare_shared(connection, options, key, error);
}
