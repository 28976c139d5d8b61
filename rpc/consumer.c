#include "config.h"

#include "consumer.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "link.h"
#include "reception.h"
#include "topology.h"
#include "unique-id.h"

/* Deliveries taken between two looks at the wishes. */
#define PORTION 64

struct FerryConsumer {
    /* Immutable once started. */
    FerryTransport *transport;
    FerryPublisher *publisher;
    const FerryConsumerEvents *events;
    gpointer user_data;
    FerryWakeup *wakeup;
    char *server; /* NULL: serves nothing */
    const FerryMethod *methods;
    char **keys; /* NULL: listens to nothing */
    char *fanout_queue;
    char *reply_queue;

    /* Owner of the bus only. */
    GThread *thread;

    /* Guarded by lock. */
    GMutex lock;
    GCond changed;
    bool wants_replies;
    bool wants_rest; /* to serve no longer */
    bool rests;
    bool stopping;

    /* Consumer's thread only. */
    FerryLink *link;
    FerryReceipts *receipts;
    FerryReception *reception;
    guint generation;
    bool serves;
    bool awaits_replies;
};

static void
consumer_clear(gpointer data)
{
    FerryConsumer *consumer = data;
    ferry_link_free(consumer->link);
    ferry_reception_free(consumer->reception);
    ferry_receipts_unref(consumer->receipts);
    ferry_wakeup_unref(consumer->wakeup);
    ferry_publisher_unref(consumer->publisher);
    ferry_transport_unref(consumer->transport);
    g_free(consumer->server);
    g_strfreev(consumer->keys);
    g_free(consumer->fanout_queue);
    g_free(consumer->reply_queue);
    g_cond_clear(&consumer->changed);
    g_mutex_clear(&consumer->lock);
}

FerryConsumer *
ferry_consumer_ref(FerryConsumer *consumer)
{
    return g_atomic_rc_box_acquire(consumer);
}

void
ferry_consumer_unref(FerryConsumer *consumer)
{
    g_atomic_rc_box_release_full(consumer, consumer_clear);
}

void
ferry_consumer_serve(FerryConsumer *consumer, const char *server, const FerryMethod *methods)
{
    consumer->server = g_strdup(server);
    consumer->methods = methods;
    consumer->reception = ferry_reception_new(methods, consumer->publisher, consumer->receipts);
}

void
ferry_consumer_listen(FerryConsumer *consumer, const char *const *keys)
{
    consumer->keys = g_strdupv((char **)keys);
}

const char *
ferry_consumer_reply_queue(const FerryConsumer *consumer)
{
    return consumer->reply_queue;
}

/* Sets one of the wishes under the lock and wakes the thread. */
static void
wish(FerryConsumer *consumer, bool *flag)
{
    g_mutex_lock(&consumer->lock);
    *flag = true;
    g_mutex_unlock(&consumer->lock);
    ferry_wakeup_signal(consumer->wakeup);
}

static bool
is_wished(FerryConsumer *consumer, const bool *flag)
{
    g_mutex_lock(&consumer->lock);
    bool wished = *flag;
    g_mutex_unlock(&consumer->lock);
    return wished;
}

void
ferry_consumer_want_replies(FerryConsumer *consumer)
{
    wish(consumer, &consumer->wants_replies);
}

void
ferry_consumer_stop_serving(FerryConsumer *consumer, guint timeout_ms)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    bool in_time = consumer->thread != NULL;
    wish(consumer, &consumer->wants_rest);
    g_mutex_lock(&consumer->lock);
    while (!consumer->rests && in_time)
        in_time = g_cond_wait_until(&consumer->changed, &consumer->lock, end_us);
    g_mutex_unlock(&consumer->lock);
}

/* --- deliveries (consumer's thread from here on) ---------------------------------------------- */

static bool
check_status(int status, const char *what, GError **error)
{
    if (status == AMQP_STATUS_OK)
        return true;
    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "%s: %s", what,
                    amqp_error_string2(status));
    return false;
}

static bool
acknowledge(FerryAmqpConnection *connection, guint64 tag, GError **error)
{
    int status = amqp_basic_ack(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL, tag,
                                /* multiple= */ 0);
    return check_status(status, "Acknowledging", error);
}

static bool
reject(FerryAmqpConnection *connection, guint64 tag, bool requeue, GError **error)
{
    int status = amqp_basic_reject(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL, tag,
                                   requeue);
    return check_status(status, "Rejecting", error);
}

static FerryAddressing
addressing_of(const char *consumer_tag)
{
    if (g_str_equal(consumer_tag, FERRY_CONSUMER_SHARED))
        return FERRY_ADDRESSED_TO_ANY;
    return g_str_equal(consumer_tag, FERRY_CONSUMER_FANOUT) ? FERRY_ADDRESSED_TO_ALL
                                                            : FERRY_ADDRESSED_TO_SERVER;
}

static bool
take_request(FerryConsumer *consumer,
             FerryAmqpConnection *connection,
             const FerryDelivery *delivery,
             GError **error)
{
    FerryRequest *request = NULL;
    bool told = true;
    if (is_wished(consumer, &consumer->wants_rest))
        return reject(connection, delivery->tag, /* requeue= */ true, error);
    FerryReceptionVerdict verdict =
        ferry_reception_take(consumer->reception, delivery, addressing_of(delivery->consumer_tag),
                             consumer->generation, &request);
    switch (verdict) {
    case FERRY_RECEPTION_ACK:
        told = acknowledge(connection, delivery->tag, error);
        break;
    case FERRY_RECEPTION_REJECT:
        told = reject(connection, delivery->tag, /* requeue= */ false, error);
        break;
    case FERRY_RECEPTION_HOLD:
        break;
    }
    /* Run even if the broker could not be told: it hands the message over again, and then the
     * memory of identities knows it. */
    if (request != NULL)
        consumer->events->request(request, consumer->user_data);
    return told;
}

static json_t *
open_document(const FerryDelivery *delivery, const char *what)
{
    g_autoptr(GError) error = NULL;
    bool enveloped = false;
    json_t *document = ferry_delivery_open(delivery, &enveloped, &error);
    if (document == NULL)
        g_warning("%s ignored: %s", what, error->message);
    return document;
}

static bool
take_reply(FerryConsumer *consumer,
           FerryAmqpConnection *connection,
           const FerryDelivery *delivery,
           GError **error)
{
    g_autoptr(FerryJson) document = open_document(delivery, "Answer");
    if (document != NULL)
        consumer->events->reply(document, consumer->user_data);
    return acknowledge(connection, delivery->tag, error);
}

static bool
take_notification(FerryConsumer *consumer, const FerryDelivery *delivery)
{
    json_t *document = open_document(delivery, "Notification");
    if (document != NULL)
        consumer->events->notification(document, consumer->user_data);
    return true;
}

static bool
take_delivery(FerryConsumer *consumer,
              FerryAmqpConnection *connection,
              const FerryDelivery *delivery,
              GError **error)
{
    if (g_str_equal(delivery->consumer_tag, FERRY_CONSUMER_REPLIES))
        return take_reply(consumer, connection, delivery, error);
    if (g_str_equal(delivery->consumer_tag, FERRY_CONSUMER_LISTENER))
        return take_notification(consumer, delivery);
    return take_request(consumer, connection, delivery, error);
}

/* In portions, so that a flood of deliveries does not keep acknowledgements waiting. */
static bool
read_some(FerryConsumer *consumer, FerryAmqpConnection *connection, bool *ret_more, GError **error)
{
    *ret_more = true;
    for (guint i = 0; i < PORTION && *ret_more; i++) {
        g_auto(FerryAmqpEvent) event = {.kind = FERRY_AMQP_NOTHING};
        if (!ferry_amqp_connection_next(connection, &event, error))
            return false;
        *ret_more = event.kind != FERRY_AMQP_NOTHING;
        if (event.kind == FERRY_AMQP_DELIVERY &&
            !take_delivery(consumer, connection, &event.delivery, error))
            return false;
    }
    return true;
}

/* --- wishes ----------------------------------------------------------------------------------- */

static bool
tell_settled(FerryConsumer *consumer, FerryAmqpConnection *connection, GError **error)
{
    bool told = true;
    FerryReceipt *receipt = ferry_receipts_take(consumer->receipts);
    while (receipt != NULL) {
        /* A tag of an earlier connection says nothing to this one. */
        if (told && receipt->generation == consumer->generation)
            told = acknowledge(connection, receipt->tag, error);
        ferry_reception_settled(consumer->reception, receipt);
        ferry_receipt_unref(receipt);
        receipt = ferry_receipts_take(consumer->receipts);
    }
    return told;
}

static bool
await_replies(FerryConsumer *consumer, FerryAmqpConnection *connection, GError **error)
{
    if (consumer->awaits_replies || !is_wished(consumer, &consumer->wants_replies))
        return true;
    consumer->awaits_replies = ferry_topology_await_replies(
        connection, consumer->transport->options, consumer->reply_queue, error);
    if (consumer->awaits_replies)
        consumer->events->replies_ready(true, consumer->user_data);
    return consumer->awaits_replies;
}

static void
tell_rest(FerryConsumer *consumer)
{
    g_mutex_lock(&consumer->lock);
    consumer->rests = true;
    g_cond_broadcast(&consumer->changed);
    g_mutex_unlock(&consumer->lock);
}

static bool
stop_serving(FerryConsumer *consumer, FerryAmqpConnection *connection, GError **error)
{
    if (!is_wished(consumer, &consumer->wants_rest))
        return true;
    ferry_amqp_connection_hurry(connection);
    bool stopped =
        !consumer->serves || ferry_topology_stop_serving(connection, consumer->fanout_queue, error);
    consumer->serves = false;
    tell_rest(consumer);
    return stopped;
}

/* Wishes first: their calls may leave deliveries in the library's buffers. */
static void
serve(FerryConsumer *consumer, FerryAmqpConnection *connection)
{
    g_autoptr(GError) error = NULL;
    bool alive = true;
    bool more = true;
    while (alive && more && !is_wished(consumer, &consumer->stopping)) {
        alive = tell_settled(consumer, connection, &error) &&
                await_replies(consumer, connection, &error) &&
                stop_serving(consumer, connection, &error) &&
                read_some(consumer, connection, &more, &error);
    }
    if (!alive)
        ferry_link_fail(consumer->link, error);
}

/* --- the thread ------------------------------------------------------------------------------- */

static bool
on_setup(FerryAmqpConnection *connection, gpointer user_data, GError **error)
{
    FerryConsumer *consumer = user_data;
    const FerryMessagingOptions *options = consumer->transport->options;
    consumer->generation++;
    consumer->serves = consumer->server != NULL && !is_wished(consumer, &consumer->wants_rest);
    if (consumer->serves &&
        !ferry_topology_serve(connection, options, consumer->server, consumer->fanout_queue, error))
        return false;
    if (consumer->keys != NULL &&
        !ferry_topology_listen(connection, options, (const char *const *)consumer->keys, error))
        return false;
    return await_replies(consumer, connection, error);
}

static void
on_up(gpointer user_data)
{
    FerryConsumer *consumer = user_data;
    consumer->events->state(NULL, consumer->user_data);
}

static void
on_down(const GError *reason, gpointer user_data)
{
    FerryConsumer *consumer = user_data;
    consumer->serves = false;
    consumer->awaits_replies = false;
    consumer->events->replies_ready(false, consumer->user_data);
    consumer->events->state(reason, consumer->user_data);
}

static const FerryLinkEvents link_events = {.setup = on_setup, .up = on_up, .down = on_down};

/* What was ours alone at the broker goes with us. */
static void
leave(FerryConsumer *consumer, FerryAmqpConnection *connection)
{
    g_autoptr(GError) error = NULL;
    ferry_amqp_connection_hurry(connection);
    bool left = tell_settled(consumer, connection, &error) &&
                (!consumer->serves ||
                 ferry_topology_stop_serving(connection, consumer->fanout_queue, &error)) &&
                (!consumer->awaits_replies ||
                 ferry_topology_delete_queue(connection, consumer->reply_queue, &error));
    if (left)
        ferry_link_close(consumer->link);
    else
        g_debug("Leaving the broker: %s", error->message);
}

static gpointer
run(gpointer data)
{
    FerryConsumer *consumer = data;
    FerryAmqpConnection *connection = NULL;
    while (!is_wished(consumer, &consumer->stopping)) {
        connection = ferry_link_tend(consumer->link);
        if (connection != NULL)
            serve(consumer, connection);
        else if (is_wished(consumer, &consumer->wants_rest))
            tell_rest(consumer);
        ferry_link_wait(consumer->link, consumer->wakeup, G_MAXINT64);
    }
    connection = ferry_link_connection(consumer->link);
    if (connection != NULL)
        leave(consumer, connection);
    return NULL;
}

FerryConsumer *
ferry_consumer_new(FerryTransport *transport,
                   FerryPublisher *publisher,
                   const FerryConsumerEvents *events,
                   gpointer user_data)
{
    FerryConsumer *consumer = g_atomic_rc_box_new0(FerryConsumer);
    g_autofree char *fanout_id = ferry_unique_id_new();
    g_autofree char *reply_id = ferry_unique_id_new();
    consumer->transport = ferry_transport_ref(transport);
    consumer->publisher = ferry_publisher_ref(publisher);
    consumer->events = events;
    consumer->user_data = user_data;
    consumer->wakeup = ferry_wakeup_new();
    consumer->receipts = ferry_receipts_new(consumer->wakeup);
    /* Kept for the life of the process, so that a reconnect finds what was sent meanwhile. */
    consumer->fanout_queue = g_strconcat(FERRY_TOPIC "_fanout_", fanout_id, NULL);
    consumer->reply_queue = g_strconcat("reply_", reply_id, NULL);
    g_mutex_init(&consumer->lock);
    g_cond_init(&consumer->changed);
    consumer->link = ferry_link_new(transport, "consume", &link_events, consumer);
    return consumer;
}

void
ferry_consumer_start(FerryConsumer *consumer)
{
    consumer->thread = g_thread_new("ferry-consume", run, consumer);
}

void
ferry_consumer_stop(FerryConsumer *consumer)
{
    wish(consumer, &consumer->stopping);
    if (consumer->thread != NULL)
        g_thread_join(g_steal_pointer(&consumer->thread));
    ferry_receipts_close(consumer->receipts);
}
