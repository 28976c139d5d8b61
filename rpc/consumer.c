#include "config.h"

#include "consumer.h"

#include "amqp-error.h"

#include "delivery-handler.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "link.h"
#include "topology.h"
#include "unique-id.h"

/* Deliveries read before requests from other threads are looked at again. */
#define PORTION 64
/* How often is looked whether there is room again for what was put off. */
#define ROOM_US (G_USEC_PER_SEC / 20)

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
    bool replies_requested;
    bool stop_serving_requested;
    bool serving_stopped;
    bool stop_requested;

    /* Consumer's thread only. */
    FerryLink *link;
    FerryPendingAcks *acks;
    FerryDeliveryHandler *handler;
    guint generation;
    bool serves;
    bool awaits_replies;
    GArray *later; /* guint64; tags of deliveries that have no room yet */
};

static void
consumer_clear(gpointer data)
{
    FerryConsumer *self = data;

    ferry_link_free(self->link);
    g_array_unref(self->later);
    ferry_delivery_handler_free(self->handler);
    ferry_pending_acks_unref(self->acks);
    ferry_wakeup_unref(self->wakeup);
    ferry_publisher_unref(self->publisher);
    ferry_transport_unref(self->transport);
    g_free(self->server);
    g_strfreev(self->keys);
    g_free(self->fanout_queue);
    g_free(self->reply_queue);
    g_cond_clear(&self->changed);
    g_mutex_clear(&self->lock);
}

FerryConsumer *
ferry_consumer_ref(FerryConsumer *self)
{
    return g_atomic_rc_box_acquire(self);
}

void
ferry_consumer_unref(FerryConsumer *self)
{
    g_atomic_rc_box_release_full(self, consumer_clear);
}

void
ferry_consumer_serve(FerryConsumer *self, const char *server, const FerryMethod *methods)
{
    self->server = g_strdup(server);
    self->methods = methods;
    self->handler = ferry_delivery_handler_new(methods, self->publisher, self->acks);
}

void
ferry_consumer_listen(FerryConsumer *self, const char *const *keys)
{
    self->keys = g_strdupv((char **)keys);
}

const char *
ferry_consumer_reply_queue(const FerryConsumer *self)
{
    return self->reply_queue;
}

/* Sets one of the ..._requested flags and wakes the thread. */
static void
set_requested(FerryConsumer *self, bool *flag)
{
    g_mutex_lock(&self->lock);
    *flag = true;
    g_mutex_unlock(&self->lock);
    ferry_wakeup_signal(self->wakeup);
}

static bool
is_requested(FerryConsumer *self, const bool *flag)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return *flag;
}

void
ferry_consumer_request_replies(FerryConsumer *self)
{
    set_requested(self, &self->replies_requested);
}

void
ferry_consumer_stop_serving(FerryConsumer *self, guint timeout_ms)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    bool in_time = self->thread != NULL;

    set_requested(self, &self->stop_serving_requested);
    FERRY_LOCK_SCOPE(&self->lock);

    while (!self->serving_stopped && in_time)
        in_time = g_cond_wait_until(&self->changed, &self->lock, end_us);
}

/* --- deliveries (consumer's thread from here on) ---------------------------------------------- */

static bool
check_status(int status, const char *what, GError **error)
{
    if (status == AMQP_STATUS_OK)
        return true;
    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "%s: %s", what,
                    ferry_amqp_status_text(status));
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

static bool
is_of_server(const char *consumer_tag)
{
    return g_str_equal(consumer_tag, FERRY_CONSUMER_SHARED) ||
           g_str_equal(consumer_tag, FERRY_CONSUMER_SERVER) ||
           g_str_equal(consumer_tag, FERRY_CONSUMER_FANOUT);
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
take_request(FerryConsumer *self,
             FerryAmqpConnection *connection,
             const FerryDelivery *delivery,
             GError **error)
{
    FerryRequest *request = NULL;
    bool told = true;

    if (is_requested(self, &self->stop_serving_requested))
        return reject(connection, delivery->tag, /* requeue= */ true, error);
    FerryDeliveryAction action = ferry_delivery_handler_take(
        self->handler, delivery, addressing_of(delivery->consumer_tag), self->generation, &request);
    switch (action) {
    case FERRY_DELIVERY_ACK:
        told = acknowledge(connection, delivery->tag, error);
        break;
    case FERRY_DELIVERY_REJECT:
        told = reject(connection, delivery->tag, /* requeue= */ false, error);
        break;
    case FERRY_DELIVERY_HOLD:
        break;
    case FERRY_DELIVERY_LATER:
        g_array_append_val(self->later, delivery->tag);
        break;
    }
    /* Run it even if the broker could not be told. The broker delivers the message again, and the
     * handler recognizes its identity. */
    if (request)
        self->events->request(request, self->user_data);
    return told;
}

static json_t *
open_document(const FerryDelivery *delivery, const char *what)
{
    g_autoptr(GError) error = NULL;
    bool enveloped = false;
    json_t *document = ferry_delivery_open(delivery, &enveloped, &error);

    if (!document)
        g_warning("%s ignored: %s", what, error->message);
    return document;
}

static bool
take_reply(FerryConsumer *self,
           FerryAmqpConnection *connection,
           const FerryDelivery *delivery,
           GError **error)
{
    g_autoptr(FerryJson) document = open_document(delivery, "Answer");

    if (document)
        self->events->reply(document, self->user_data);
    return acknowledge(connection, delivery->tag, error);
}

static bool
take_notification(FerryConsumer *self, const FerryDelivery *delivery)
{
    json_t *document = open_document(delivery, "Notification");

    if (document)
        self->events->notification(document, self->user_data);
    return true;
}

static bool
take_delivery(FerryConsumer *self,
              FerryAmqpConnection *connection,
              const FerryDelivery *delivery,
              GError **error)
{
    const char *tag = delivery->consumer_tag;

    if (self->awaits_replies && g_str_equal(tag, FERRY_CONSUMER_REPLIES))
        return take_reply(self, connection, delivery, error);
    if (self->keys && g_str_equal(tag, FERRY_CONSUMER_LISTENER))
        return take_notification(self, delivery);
    if (self->handler && is_of_server(tag))
        return take_request(self, connection, delivery, error);
    return ferry_amqp_set_breach(error, "a message for consumer \"%.32s\", which does not exist",
                                 tag);
}

static bool
take_event(FerryConsumer *self,
           FerryAmqpConnection *connection,
           const FerryAmqpEvent *event,
           GError **error)
{
    switch (event->kind) {
    case FERRY_AMQP_DELIVERY:
        return take_delivery(self, connection, &event->delivery, error);
    case FERRY_AMQP_RETURNED:
    case FERRY_AMQP_CONFIRMED:
    case FERRY_AMQP_REFUSED:
        return ferry_amqp_set_breach(error, "a word on what was published, where nothing was");
    case FERRY_AMQP_CONSUMING:
        self->events->replies_ready(true, self->user_data);
        return true;
    case FERRY_AMQP_NOTHING:
    case FERRY_AMQP_BLOCKED:
    case FERRY_AMQP_UNBLOCKED:
        return true;
    }
    g_assert_not_reached();
}

/* Reads at most PORTION deliveries, so that acknowledgements do not wait behind a flood of them. */
static bool
read_some(FerryConsumer *self, FerryAmqpConnection *connection, bool *ret_more, GError **error)
{
    *ret_more = true;
    for (guint i = 0; i < PORTION && *ret_more; i++) {
        g_auto(FerryAmqpEvent) event = {.kind = FERRY_AMQP_NOTHING};

        if (!ferry_amqp_connection_next(connection, &event, error))
            return false;
        *ret_more = event.kind != FERRY_AMQP_NOTHING;
        if (!take_event(self, connection, &event, error))
            return false;
    }
    return true;
}

/* --- requests of other threads ---------------------------------------------------------------- */

static bool
tell_settled(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    bool told = true;
    FerryPendingAck *ack = ferry_pending_acks_take(self->acks);

    while (ack) {
        /* The tag of an earlier connection means nothing on this one. */
        if (told && ack->generation == self->generation)
            told = acknowledge(connection, ack->tag, error);
        ferry_delivery_handler_ack_settled(self->handler, ack);
        ferry_pending_ack_unref(ack);
        ack = ferry_pending_acks_take(self->acks);
    }
    return told;
}

/* The broker delivers them again, and has no others delivered meanwhile: they are in the count of
 * its prefetch. */
static bool
give_back(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    bool given = true;

    if (self->later->len == 0 || !ferry_delivery_handler_has_room(self->handler))
        return true;
    for (guint i = 0; given && i < self->later->len; i++)
        given =
            reject(connection, g_array_index(self->later, guint64, i), /* requeue= */ true, error);
    g_array_set_size(self->later, 0);
    return given;
}

static bool
await_replies(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    if (self->awaits_replies || !is_requested(self, &self->replies_requested))
        return true;
    self->awaits_replies = ferry_topology_await_replies(connection, self->transport->options,
                                                        self->reply_queue, error);
    return self->awaits_replies;
}

static void
tell_serving_stopped(FerryConsumer *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->serving_stopped = true;
    g_cond_broadcast(&self->changed);
}

static bool
stop_serving(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    if (!is_requested(self, &self->stop_serving_requested))
        return true;
    ferry_amqp_connection_shorten_timeout(connection);
    bool stopped =
        !self->serves || ferry_topology_stop_serving(connection, self->fanout_queue, error);
    self->serves = false;
    tell_serving_stopped(self);
    return stopped;
}

/* Requests of other threads come first: the calls that they need may leave deliveries in the
 * library's buffers. */
static void
serve(FerryConsumer *self, FerryAmqpConnection *connection)
{
    g_autoptr(GError) error = NULL;
    bool alive = true;
    bool more = true;

    while (alive && more && !is_requested(self, &self->stop_requested)) {
        alive = tell_settled(self, connection, &error) && await_replies(self, connection, &error) &&
                stop_serving(self, connection, &error) && give_back(self, connection, &error) &&
                read_some(self, connection, &more, &error);
    }
    if (!alive)
        ferry_link_fail(self->link, error, /* by_message= */ false);
}

/* --- the thread ------------------------------------------------------------------------------- */

static bool
on_setup(FerryAmqpConnection *connection, gpointer user_data, GError **error)
{
    FerryConsumer *self = user_data;
    const FerryMessagingOptions *options = self->transport->options;

    self->generation++;
    if (!ferry_topology_limit_prefetch(connection, error))
        return false;
    self->serves = self->server && !is_requested(self, &self->stop_serving_requested);
    if (self->serves &&
        !ferry_topology_serve(connection, options, self->server, self->fanout_queue, error))
        return false;
    if (self->keys &&
        !ferry_topology_listen(connection, options, (const char *const *)self->keys, error))
        return false;
    return await_replies(self, connection, error);
}

static void
on_up(gpointer user_data)
{
    FerryConsumer *self = user_data;

    self->events->state(NULL, self->user_data);
}

static void
on_down(const GError *reason, gpointer user_data)
{
    FerryConsumer *self = user_data;

    self->serves = false;
    self->awaits_replies = false;
    g_array_set_size(self->later, 0);
    self->events->replies_ready(false, self->user_data);
    self->events->state(reason, self->user_data);
}

static const FerryLinkEvents link_events = {.setup = on_setup, .up = on_up, .down = on_down};

/* Deletes the queues that only this process uses, and closes the connection. */
static void
leave(FerryConsumer *self, FerryAmqpConnection *connection)
{
    g_autoptr(GError) error = NULL;

    ferry_amqp_connection_shorten_timeout(connection);
    bool left =
        tell_settled(self, connection, &error) &&
        (!self->serves || ferry_topology_stop_serving(connection, self->fanout_queue, &error)) &&
        (!self->awaits_replies ||
         ferry_topology_delete_queue(connection, self->reply_queue, &error));
    if (left)
        ferry_link_close(self->link);
    else
        g_debug("Leaving the broker: %s", error->message);
}

static gpointer
run(gpointer data)
{
    FerryConsumer *self = data;
    FerryAmqpConnection *connection = NULL;

    while (!is_requested(self, &self->stop_requested)) {
        connection = ferry_link_tend(self->link);
        if (connection)
            serve(self, connection);
        else if (is_requested(self, &self->stop_serving_requested))
            tell_serving_stopped(self);
        ferry_link_wait(self->link, self->wakeup,
                        self->later->len > 0 ? g_get_monotonic_time() + ROOM_US : G_MAXINT64);
    }
    connection = ferry_link_connection(self->link);
    if (connection)
        leave(self, connection);
    return NULL;
}

FerryConsumer *
ferry_consumer_new(FerryTransport *transport,
                   FerryPublisher *publisher,
                   const FerryConsumerEvents *events,
                   gpointer user_data)
{
    FerryConsumer *self = g_atomic_rc_box_new0(FerryConsumer);
    g_autofree char *fanout_id = ferry_unique_id_new();
    g_autofree char *reply_id = ferry_unique_id_new();

    self->transport = ferry_transport_ref(transport);
    self->publisher = ferry_publisher_ref(publisher);
    self->events = events;
    self->user_data = user_data;
    self->wakeup = ferry_wakeup_new();
    self->acks = ferry_pending_acks_new(self->wakeup);
    self->later = g_array_new(FALSE, FALSE, sizeof(guint64));
    /* The names stay the same while the process runs: after a reconnect it finds the messages that
     * came meanwhile. */
    self->fanout_queue = g_strconcat(FERRY_TOPIC "_fanout_", fanout_id, NULL);
    self->reply_queue = g_strconcat("reply_", reply_id, NULL);
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    self->link = ferry_link_new(transport, "consume", &link_events, self);
    return self;
}

void
ferry_consumer_start(FerryConsumer *self)
{
    self->thread = g_thread_new("vf-consume", run, self);
}

void
ferry_consumer_stop(FerryConsumer *self)
{
    set_requested(self, &self->stop_requested);
    if (self->thread)
        g_thread_join(g_steal_pointer(&self->thread));
    ferry_pending_acks_close(self->acks);
}
