#include "config.h"

#include "consumer.h"

#include "amqp-error.h"

#include "delivery-handler.h"
#include "deprecated-queues.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "link.h"
#include "name-claim.h"
#include "topology.h"
#include "unique-id.h"

/* Deliveries read before requests from other threads are looked at again. */
#define PORTION 64
/* How often is looked whether there is room again for what was put off. */
#define ROOM_US (G_USEC_PER_SEC / 20)
/* How often is looked whether what leads to the queues of the server is still there. */
#define REFRESH_US (20 * (gint64)G_USEC_PER_SEC)

struct FerryConsumer {
    /* Immutable once started. */
    FerryTransport *transport;
    FerryPublisher *publisher;
    const FerryConsumerEvents *events;
    gpointer user_data;
    FerryWakeup *wakeup;
    FerryNameClaim *claim; /* NULL: serves nothing */
    FerryServerQueues queues;
    const FerryMethod *methods;
    char **keys; /* NULL: listens to nothing */
    char *reply_queue;
    char *probe_id; /* the correlation id of messages to ourselves */

    /* Owner of the bus only. */
    GThread *thread;

    /* Guarded by lock. */
    GMutex lock;
    GCond changed;
    bool replies_requested;
    bool rebind_requested;
    bool stop_serving_requested;
    bool serving_stopped;
    bool stop_requested;

    /* Consumer's thread only. */
    FerryLink *link;
    FerryPendingAcks *acks;
    FerryDeliveryHandler *handler;
    guint generation;
    bool serves;
    gint64 refresh_us; /* when bindings are looked at next */
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
    ferry_name_claim_free(self->claim);
    g_free(self->queues.own);
    g_free(self->queues.fanout);
    g_strfreev(self->keys);
    g_free(self->reply_queue);
    g_free(self->probe_id);
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
    self->claim = ferry_name_claim_new(server, self->publisher);
    self->queues.own = g_strconcat(FERRY_TOPIC ".", server, NULL);
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
acknowledge(FerryAmqpConnection *connection, guint64 tag, GError **error)
{
    int status = amqp_basic_ack(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL, tag,
                                /* multiple= */ 0);

    return ferry_amqp_check_status(status, "Acknowledging", error);
}

static bool
reject(FerryAmqpConnection *connection, guint64 tag, bool requeue, GError **error)
{
    int status = amqp_basic_reject(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL, tag,
                                   requeue);

    return ferry_amqp_check_status(status, "Rejecting", error);
}

static bool
is_of_server(const char *consumer_tag)
{
    return g_str_equal(consumer_tag, FERRY_CONSUMER_SHARED) ||
           g_str_equal(consumer_tag, FERRY_CONSUMER_SERVER) ||
           g_str_equal(consumer_tag, FERRY_CONSUMER_FANOUT) ||
           g_str_equal(consumer_tag, FERRY_CONSUMER_CLAIM);
}

static FerryAddressing
addressing_of(const char *consumer_tag)
{
    if (g_str_equal(consumer_tag, FERRY_CONSUMER_SHARED) ||
        g_str_equal(consumer_tag, FERRY_CONSUMER_CLAIM))
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

    if (g_strcmp0(delivery->correlation_id, self->probe_id) == 0)
        return acknowledge(connection, delivery->tag, error);
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

/* Another agent has our name. One that was there first stays; one that came while we were away does
 * not end us, who may be in the middle of migrations: we wait until the name is free. */
static bool
take_rival(FerryConsumer *self, const FerryDelivery *delivery, GError **error)
{
    bool first = false;
    g_autoptr(GError) rival = ferry_name_claim_take(self->claim, delivery, &first);

    if (!rival)
        return true;
    if (first)
        self->events->rival(rival, self->user_data);
    if (first && !self->serves)
        return true;
    g_propagate_error(error, g_steal_pointer(&rival));
    return false;
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
    if (self->claim && g_str_equal(tag, FERRY_CONSUMER_RIVAL))
        return take_rival(self, delivery, error);
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

/* --- the name, and what leads to its queues --------------------------------------------------- */

/* In the publisher's thread. */
static void
on_probed(FerryPublishResult result, gpointer user_data)
{
    FerryConsumer *self = user_data;

    if (result == FERRY_PUBLISH_RETURNED)
        set_requested(self, &self->rebind_requested);
}

static void
release_self(gpointer data)
{
    ferry_consumer_unref(data);
}

/* A message to ourselves, the way that orders come. */
static void
send_probe(FerryConsumer *self)
{
    FerryOutgoing *probe =
        ferry_outgoing_new(FERRY_OUTGOING_PROBE, self->transport->options->control_exchange,
                           self->queues.own, json_pack("{s:s, s:{}}", "method", "ping", "args"));

    probe->enveloped = false;
    probe->correlation_id = g_strdup(self->probe_id);
    probe->deadline_us = g_get_monotonic_time() + REFRESH_US;
    probe->done = on_probed;
    probe->user_data = ferry_consumer_ref(self);
    probe->destroy = release_self;
    ferry_publisher_push(self->publisher, probe);
}

static bool
begin_serving(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    self->refresh_us = g_get_monotonic_time() + REFRESH_US;
    self->serves = ferry_topology_serve(connection, &self->queues, error);
    return self->serves;
}

static bool
refresh(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    if (!self->serves || g_get_monotonic_time() < self->refresh_us)
        return true;
    self->refresh_us = g_get_monotonic_time() + REFRESH_US;
    send_probe(self);
    return ferry_topology_refresh(connection, self->transport->options, &self->queues, error);
}

/* A new connection declares and binds everything again. */
static bool
check_binding(FerryConsumer *self, GError **error)
{
    if (!is_requested(self, &self->rebind_requested))
        return true;
    ferry_set_error(
        error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL,
        "Nothing leads to queue \"%s\" any more: its binding or the exchange \"%s\" was "
        "deleted. Both are made again",
        self->queues.own, self->transport->options->control_exchange);
    return false;
}

static bool
tend_name(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    if (!self->claim || is_requested(self, &self->stop_serving_requested))
        return true;
    if (!check_binding(self, error) || !refresh(self, connection, error) ||
        !ferry_name_claim_tend(self->claim, connection, error))
        return false;
    if (self->serves || ferry_name_claim_is_open(self->claim))
        return true;
    if (!begin_serving(self, connection, error))
        return false;
    self->events->state(NULL, self->user_data);
    return true;
}

static void
tell_serving_stopped(FerryConsumer *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->serving_stopped = true;
    g_cond_broadcast(&self->changed);
}

static bool
end_serving(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    return !self->serves || (ferry_topology_stop_serving(connection, &self->queues, error) &&
                             ferry_name_claim_end(self->claim, connection, error));
}

static bool
stop_serving(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    if (!is_requested(self, &self->stop_serving_requested))
        return true;
    ferry_amqp_connection_shorten_timeout(connection);
    bool stopped = end_serving(self, connection, error);
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
                stop_serving(self, connection, &error) && tend_name(self, connection, &error) &&
                give_back(self, connection, &error) && read_some(self, connection, &more, &error);
    }
    if (!alive)
        ferry_link_fail(self->link, error, /* by_message= */ false);
}

/* --- the thread ------------------------------------------------------------------------------- */

static bool
set_up_server(FerryConsumer *self, FerryAmqpConnection *connection, GError **error)
{
    guint consumers = 0;

    g_mutex_lock(&self->lock);
    self->rebind_requested = false;
    g_mutex_unlock(&self->lock);
    ferry_deprecated_queues_warn(connection, self->transport->options);
    if (!ferry_topology_declare_server(connection, self->transport->options, &self->queues,
                                       &consumers, error) ||
        !ferry_name_claim_begin(self->claim, connection, consumers, error))
        return false;
    return ferry_name_claim_is_open(self->claim) || begin_serving(self, connection, error);
}

static bool
on_setup(FerryAmqpConnection *connection, gpointer user_data, GError **error)
{
    FerryConsumer *self = user_data;
    const FerryMessagingOptions *options = self->transport->options;

    self->generation++;
    if (!ferry_topology_limit_prefetch(connection, error))
        return false;
    if (self->claim && !is_requested(self, &self->stop_serving_requested) &&
        !set_up_server(self, connection, error))
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

    if (!self->claim || !ferry_name_claim_is_open(self->claim))
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
    bool left = tell_settled(self, connection, &error) && end_serving(self, connection, &error) &&
                (!self->awaits_replies ||
                 ferry_topology_delete_queue(connection, self->reply_queue, &error));
    if (left)
        ferry_link_close(self->link);
    else
        g_debug("Leaving the broker: %s", error->message);
}

static gint64
next_due_us(FerryConsumer *self)
{
    gint64 due_us = self->later->len > 0 ? g_get_monotonic_time() + ROOM_US : G_MAXINT64;

    if (self->serves)
        due_us = MIN(due_us, self->refresh_us);
    if (self->claim && ferry_link_connection(self->link) &&
        !is_requested(self, &self->stop_serving_requested))
        due_us = MIN(due_us, ferry_name_claim_due_us(self->claim));
    return due_us;
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
        ferry_link_wait(self->link, self->wakeup, next_due_us(self));
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
    self->queues.fanout = g_strconcat(FERRY_TOPIC "_fanout_", fanout_id, NULL);
    self->reply_queue = g_strconcat("reply_", reply_id, NULL);
    self->probe_id = ferry_unique_id_new();
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
