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

/* Of what may be refused and is not to end the channel of the consumers. */
#define CLAIM_CHANNEL (FERRY_AMQP_CHANNEL + 1)

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

static void
add_quorum(Traits *traits, const FerryMessagingOptions *options)
{
    add_text(traits, "x-queue-type", "quorum");
    if (options->rabbit_quorum_delivery_limit > 0)
        add_number(traits, "x-delivery-limit", options->rabbit_quorum_delivery_limit);
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
    if (options->rabbit_quorum_queue)
        add_quorum(&traits, options);
    return traits;
}

/* Queues of one process, which outlive its connection for a while: fanout, answers. */
static Traits
transient_traits(const FerryMessagingOptions *options)
{
    Traits traits = {.durable = options->rabbit_transient_quorum_queue};

    if (options->rabbit_ha_queues)
        add_text(&traits, "x-ha-policy", "all");
    if (options->rabbit_transient_quorum_queue)
        add_quorum(&traits, options);
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

/* Sends what the broker does not answer. What it refuses closes the channel. */
static bool
send_method(FerryAmqpConnection *connection,
            amqp_method_number_t id,
            void *method,
            const char *what,
            GError **error)
{
    int status =
        amqp_send_method(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL, id, method);

    return ferry_amqp_check_status(status, what, error);
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
ferry_topology_declare_fanout(FerryAmqpConnection *connection,
                              const FerryMessagingOptions *options,
                              GError **error)
{
    return declare_exchange(connection, FANOUT_EXCHANGE, "fanout",
                            options->rabbit_transient_quorum_queue, /* auto_delete= */ true, error);
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

static bool
count_consumers(FerryAmqpConnection *connection,
                const char *queue,
                guint *ret_consumers,
                GError **error)
{
    const amqp_queue_declare_ok_t *declared =
        amqp_queue_declare(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL,
                           bytes(queue), /* passive= */ 1, /* durable= */ 0, /* exclusive= */ 0,
                           /* auto_delete= */ 0, amqp_empty_table);

    if (declared)
        *ret_consumers = declared->consumer_count;
    g_autofree char *what = g_strdup_printf("Looking at queue \"%s\"", queue);
    return ferry_amqp_connection_check(connection, what, error);
}

bool
ferry_topology_declare_server(FerryAmqpConnection *connection,
                              const FerryMessagingOptions *options,
                              const FerryServerQueues *queues,
                              guint *ret_consumers,
                              GError **error)
{
    Traits transient = transient_traits(options);

    return declare_shared(connection, options, FERRY_TOPIC, error) &&
           declare_shared(connection, options, queues->own, error) &&
           count_consumers(connection, queues->own, ret_consumers, error) &&
           ferry_topology_declare_fanout(connection, options, error) &&
           declare_queue(connection, queues->fanout, &transient, error) &&
           bind_queue(connection, queues->fanout, FANOUT_EXCHANGE, FERRY_TOPIC, error);
}

static bool
begin_consuming(FerryAmqpConnection *connection, const char *queue, const char *tag, GError **error)
{
    amqp_basic_consume_t consumption = {
        .queue = bytes(queue),
        .consumer_tag = bytes(tag),
        .nowait = 1,
    };
    g_autofree char *what = g_strdup_printf("Consuming from \"%s\"", queue);

    return send_method(connection, AMQP_BASIC_CONSUME_METHOD, &consumption, what, error);
}

bool
ferry_topology_serve(FerryAmqpConnection *connection,
                     const FerryServerQueues *queues,
                     GError **error)
{
    return begin_consuming(connection, FERRY_TOPIC, FERRY_CONSUMER_SHARED, error) &&
           begin_consuming(connection, queues->own, FERRY_CONSUMER_SERVER, error) &&
           begin_consuming(connection, queues->fanout, FERRY_CONSUMER_FANOUT, error);
}

/* --- what others may have taken away ---------------------------------------------------------- */

/* An exchange that is missing closes the channel, and everything is declared anew. */
static bool
look_for_exchange(FerryAmqpConnection *connection,
                  const char *name,
                  const char *type,
                  GError **error)
{
    amqp_exchange_declare_t declaration = {
        .exchange = bytes(name), .type = bytes(type), .passive = 1, .nowait = 1};

    return send_method(connection, AMQP_EXCHANGE_DECLARE_METHOD, &declaration,
                       "Looking for an exchange", error);
}

static bool
bind_again(FerryAmqpConnection *connection,
           const char *queue,
           const char *exchange,
           const char *key,
           GError **error)
{
    amqp_queue_bind_t binding = {
        .queue = bytes(queue), .exchange = bytes(exchange), .routing_key = bytes(key), .nowait = 1};

    return send_method(connection, AMQP_QUEUE_BIND_METHOD, &binding, "Binding a queue", error);
}

bool
ferry_topology_refresh(FerryAmqpConnection *connection,
                       const FerryMessagingOptions *options,
                       const FerryServerQueues *queues,
                       GError **error)
{
    return look_for_exchange(connection, options->control_exchange, "topic", error) &&
           look_for_exchange(connection, FANOUT_EXCHANGE, "fanout", error) &&
           bind_again(connection, FERRY_TOPIC, options->control_exchange, FERRY_TOPIC, error) &&
           bind_again(connection, queues->fanout, FANOUT_EXCHANGE, FERRY_TOPIC, error);
}

/* --- the claim on a name ---------------------------------------------------------------------- */

/* The broker closed the claim's channel, which is answered as AMQP wants it. */
static FerryClaim
take_refusal(amqp_connection_state_t state, const amqp_channel_close_t *closed)
{
    amqp_channel_close_ok_t answer = {0};

    if (closed->reply_code == AMQP_ACCESS_REFUSED)
        g_message("The broker does not let this agent claim its name: %.*s",
                  (int)MIN(closed->reply_text.len, 256), (const char *)closed->reply_text.bytes);
    (void)amqp_send_method(state, CLAIM_CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &answer);
    return closed->reply_code == AMQP_ACCESS_REFUSED ? FERRY_CLAIM_FORBIDDEN : FERRY_CLAIM_TAKEN;
}

bool
ferry_topology_claim(FerryAmqpConnection *connection,
                     const char *queue,
                     FerryClaim *ret_claim,
                     GError **error)
{
    amqp_connection_state_t state = ferry_amqp_connection_state(connection);

    (void)amqp_channel_open(state, CLAIM_CHANNEL);
    if (!ferry_amqp_connection_check(connection, "Opening a channel", error))
        return false;
    (void)amqp_queue_declare(state, CLAIM_CHANNEL, bytes(queue), /* passive= */ 0, /* durable= */ 0,
                             /* exclusive= */ 1, /* auto_delete= */ 0, amqp_empty_table);
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(state);
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
        reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        *ret_claim = take_refusal(state, reply.reply.decoded);
        return true;
    }
    *ret_claim = FERRY_CLAIM_HELD;
    return ferry_amqp_check_reply(reply, "Claiming the agent's name", error) &&
           ferry_amqp_check_reply(amqp_channel_close(state, CLAIM_CHANNEL, AMQP_REPLY_SUCCESS),
                                  "Closing a channel", error);
}

bool
ferry_topology_consume_claim(FerryAmqpConnection *connection, const char *queue, GError **error)
{
    return begin_consuming(connection, queue, FERRY_CONSUMER_CLAIM, error);
}

bool
ferry_topology_await_rival(FerryAmqpConnection *connection, const char *queue, GError **error)
{
    Traits traits = {.exclusive = true, .auto_delete = true};

    return declare_queue(connection, queue, &traits, error) &&
           consume(connection, queue, FERRY_CONSUMER_RIVAL, /* no_ack= */ true, error);
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
                            const FerryServerQueues *queues,
                            GError **error)
{
    return cancel(connection, FERRY_CONSUMER_SHARED, error) &&
           cancel(connection, FERRY_CONSUMER_SERVER, error) &&
           cancel(connection, FERRY_CONSUMER_FANOUT, error) &&
           ferry_topology_delete_queue(connection, queues->fanout, error);
}

bool
ferry_topology_end_claim(FerryAmqpConnection *connection, const char *queue, GError **error)
{
    /* First the consumer: of a queue that goes before it the broker tells as of a loss. */
    return cancel(connection, FERRY_CONSUMER_CLAIM, error) &&
           ferry_topology_delete_queue(connection, queue, error);
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
        .durable = transient.durable,
        .nowait = 1,
        .arguments = {transient.count, transient.arguments},
    };
    amqp_basic_consume_t consumption = {
        .queue = bytes(reply_queue),
        .consumer_tag = bytes(FERRY_CONSUMER_REPLIES),
    };

    static const char what[] = "Asking for answers";

    return send_method(connection, AMQP_QUEUE_DECLARE_METHOD, &declaration, what, error) &&
           send_method(connection, AMQP_BASIC_CONSUME_METHOD, &consumption, what, error);
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
