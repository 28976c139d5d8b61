#include "config.h"

#include "publisher.h"

#include "amqp-publish.h"
#include "dead-queues.h"
#include "ferry/error.h"
#include "link.h"
#include "send-queue.h"
#include "topology.h"

#include <string.h>

/* So many connections in a row may end while one message alone is in flight, before it is the
 * message's fault. */
#define MAX_LOSSES 3
/* Pause before a notification that was set aside is tried again; doubles up to the second. */
#define ASIDE_US (30 * (gint64)G_USEC_PER_SEC)
#define ASIDE_MAX_US (3600 * (gint64)G_USEC_PER_SEC)
#define ASIDE_DOUBLINGS 7
/* How many messages may be published and not yet confirmed. */
#define WINDOW 256
/* Answers and events that wait; above the most that an outbox hands over. */
#define CROWD 4096
/* For answers whose queue is missing; as in oslo.messaging. */
#define RETRY_US (G_USEC_PER_SEC / 4)
#define DEAD_QUEUES 200
#define DEAD_QUEUE_US (60 * (gint64)G_USEC_PER_SEC)
/* Pause of notifications after the broker refused one, or to declare their queue. */
#define HOLD_US (30 * (gint64)G_USEC_PER_SEC)
/* What was declared so long ago is declared again before it is used: somebody may have deleted it,
 * and a message that goes to another queue, too, is not returned. */
#define DECLARED_US (10 * (gint64)G_USEC_PER_SEC)
/* Pause after the broker refused a message (basic.nack). */
#define NACK_US G_USEC_PER_SEC

struct FerryPublisher {
    /* Immutable. */
    FerryTransport *transport;
    FerryWakeup *wakeup;
    FerrySendQueue *send_queue; /* guards itself */
    FerryPublisherStateFunc state;
    gpointer user_data;

    /* Owner of the bus only. */
    GThread *thread;

    /* Publisher's thread only. */
    FerryLink *link;
    GQueue in_flight; /* by rising tag */
    GQueue retries;
    guint64 last_tag;
    GHashTable *declared; /* when, by routing key of notifications, or "" for the exchange */
    FerryDeadQueues *dead;
    bool blocked;
    gint64 hold_us;      /* no notification is published before */
    bool refuses_events; /* none was confirmed since one was set aside */
};

static void
publisher_clear(gpointer data)
{
    FerryPublisher *self = data;

    ferry_link_free(self->link);
    ferry_send_queue_free(self->send_queue);
    ferry_dead_queues_free(self->dead);
    g_hash_table_unref(self->declared);
    ferry_wakeup_unref(self->wakeup);
    ferry_transport_unref(self->transport);
}

FerryPublisher *
ferry_publisher_ref(FerryPublisher *self)
{
    return g_atomic_rc_box_acquire(self);
}

void
ferry_publisher_unref(FerryPublisher *self)
{
    g_atomic_rc_box_release_full(self, publisher_clear);
}

void
ferry_publisher_push(FerryPublisher *self, FerryOutgoing *outgoing)
{
    ferry_send_queue_push(self->send_queue, outgoing);
    ferry_wakeup_signal(self->wakeup);
}

guint64
ferry_publisher_add_heartbeat(FerryPublisher *self,
                              const char *reply_queue,
                              const char *msg_id,
                              guint period_ms)
{
    guint64 id = ferry_send_queue_add_heartbeat(self->send_queue, reply_queue, msg_id, period_ms);

    ferry_wakeup_signal(self->wakeup);
    return id;
}

bool
ferry_publisher_is_crowded(FerryPublisher *self)
{
    return ferry_send_queue_unsettled(self->send_queue) > CROWD;
}

bool
ferry_publisher_flush(FerryPublisher *self, guint timeout_ms)
{
    return ferry_send_queue_flush(self->send_queue, timeout_ms);
}

/* --- what becomes of a message (publisher's thread from here on) ------------------------------ */

static void
settle(FerryPublisher *self, FerryOutgoing *outgoing, FerryPublishResult result)
{
    if (outgoing->done)
        outgoing->done(result, outgoing->user_data);
    ferry_send_queue_settle(self->send_queue, outgoing);
    ferry_outgoing_free(outgoing);
}

/* The queue of an answer is missing: its owner may be reconnecting and declare it again. */
static void
retry_answer(FerryPublisher *self, FerryOutgoing *outgoing)
{
    guint timeout_s = self->transport->options->kombu_missing_consumer_retry_timeout;
    gint64 now_us = g_get_monotonic_time();

    if (outgoing->give_up_us == 0)
        outgoing->give_up_us = now_us + (gint64)timeout_s * G_USEC_PER_SEC;
    if (now_us + RETRY_US <= outgoing->give_up_us) {
        outgoing->retry_us = now_us + RETRY_US;
        g_queue_push_tail(&self->retries, outgoing);
        return;
    }
    g_warning("Answer dropped: its queue \"%.80s\" did not come back in %u s",
              outgoing->routing_key, timeout_s);
    ferry_dead_queues_add(self->dead, outgoing->routing_key, now_us);
    settle(self, outgoing, FERRY_PUBLISH_DROPPED);
}

/* Somebody deleted the queue of an event, with what waited in it, or its binding. */
static void
retry_notification(FerryPublisher *self, FerryOutgoing *outgoing)
{
    if (g_hash_table_remove(self->declared, outgoing->routing_key))
        g_warning(
            "Queue \"%.80s\" was deleted or no longer bound; it is declared again, but events "
            "that waited in it are lost if it was deleted",
            outgoing->routing_key);
    outgoing->returned = false;
    outgoing->retry_us = g_get_monotonic_time() + RETRY_US;
    g_queue_push_tail(&self->retries, outgoing);
}

static void
take_returned(FerryPublisher *self, FerryOutgoing *outgoing)
{
    if (outgoing->kind == FERRY_OUTGOING_ANSWER) {
        retry_answer(self, outgoing);
        return;
    }
    if (outgoing->kind == FERRY_OUTGOING_NOTIFICATION) {
        retry_notification(self, outgoing);
        return;
    }
    if (outgoing->kind == FERRY_OUTGOING_HEARTBEAT)
        ferry_send_queue_remove_heartbeat(self->send_queue, outgoing->heartbeat_id);
    settle(self, outgoing, FERRY_PUBLISH_RETURNED);
}

/* The broker has looked at it and the connection lives: it is harmless. */
static void
acquit(FerryOutgoing *outgoing)
{
    outgoing->suspect = false;
    outgoing->losses = 0;
}

/* An event is never lost: it stays, in the agent's journal, too, and is tried again with growing
 * pauses. Nobody waits for it meanwhile, neither the other messages nor a flush. */
static void
set_aside(FerryPublisher *self, FerryOutgoing *outgoing)
{
    gint64 now_us = g_get_monotonic_time();

    if (outgoing->set_aside == 0)
        ferry_send_queue_settle(self->send_queue, outgoing);
    outgoing->retry_us =
        now_us + MIN(ASIDE_US << MIN(outgoing->set_aside, ASIDE_DOUBLINGS), ASIDE_MAX_US);
    outgoing->set_aside++;
    outgoing->losses = MAX_LOSSES - 1;
    /* When none was taken since the last one, all may be refused. */
    if (self->refuses_events)
        self->hold_us = now_us + HOLD_US;
    self->refuses_events = true;
    g_queue_push_tail(&self->retries, outgoing);
}

/* @outgoing has ended too many connections. */
static void
give_up(FerryPublisher *self, FerryOutgoing *outgoing)
{
    bool kept = outgoing->kind == FERRY_OUTGOING_NOTIFICATION;

    g_warning("The broker ends the connection at a message for \"%.80s\" (%zu bytes): it is %s",
              outgoing->routing_key, strlen(outgoing->body),
              kept ? "kept and tried again later" : "given up");
    if (kept)
        set_aside(self, outgoing);
    else
        settle(self, outgoing, FERRY_PUBLISH_DROPPED);
}

static void
take_confirmed(FerryPublisher *self, FerryOutgoing *outgoing)
{
    if (outgoing->kind == FERRY_OUTGOING_NOTIFICATION)
        self->refuses_events = false;
    if (outgoing->returned)
        take_returned(self, outgoing);
    else
        settle(self, outgoing, FERRY_PUBLISH_CONFIRMED);
}

/* The broker did not take the message, because its queue is full for instance. */
static void
take_refused(FerryPublisher *self, FerryOutgoing *outgoing)
{
    if (outgoing->kind != FERRY_OUTGOING_ANSWER && outgoing->kind != FERRY_OUTGOING_NOTIFICATION) {
        settle(self, outgoing, FERRY_PUBLISH_DROPPED);
        return;
    }
    g_debug("Broker refused a message for \"%.80s\"; trying again", outgoing->routing_key);
    outgoing->returned = false;
    outgoing->retry_us = g_get_monotonic_time() + NACK_US;
    g_queue_push_tail(&self->retries, outgoing);
}

/* Confirms mostly come in order, so the search mostly ends at the head. */
static void
take_confirms(FerryPublisher *self,
              const FerryAmqpEvent *event,
              void (*take)(FerryPublisher *, FerryOutgoing *))
{
    GList *item = self->in_flight.head;

    while (item) {
        FerryOutgoing *outgoing = item->data;
        GList *next = item->next;

        if (outgoing->tag > event->tag)
            return;
        if (outgoing->tag == event->tag || event->multiple) {
            g_queue_delete_link(&self->in_flight, item);
            acquit(outgoing);
            take(self, outgoing);
        }
        item = next;
    }
}

static bool
is_same_message(const FerryOutgoing *outgoing, const FerryAmqpEvent *event)
{
    gsize length = 0;
    const char *body =
        event->delivery.body ? g_bytes_get_data(event->delivery.body, &length) : NULL;

    return g_strcmp0(outgoing->routing_key, event->routing_key) == 0 &&
           g_strcmp0(outgoing->exchange, event->exchange) == 0 && body &&
           strlen(outgoing->body) == length && memcmp(outgoing->body, body, length) == 0;
}

/* A return carries no tag, so the message is found by its body. It comes before the confirm of the
 * same message. */
static void
mark_returned(FerryPublisher *self, const FerryAmqpEvent *event)
{
    for (GList *item = self->in_flight.head; item; item = item->next) {
        FerryOutgoing *outgoing = item->data;

        if (!outgoing->returned && is_same_message(outgoing, event)) {
            outgoing->returned = true;
            return;
        }
    }
}

static void
set_blocked(FerryPublisher *self, bool blocked)
{
    if (blocked != self->blocked)
        g_message(blocked ? "Broker is under alarm and takes no messages; all are kept"
                          : "Broker takes messages again");
    self->blocked = blocked;
}

static bool
take_event(FerryPublisher *self, const FerryAmqpEvent *event, GError **error)
{
    switch (event->kind) {
    case FERRY_AMQP_CONFIRMED:
        take_confirms(self, event, take_confirmed);
        return true;
    case FERRY_AMQP_REFUSED:
        take_confirms(self, event, take_refused);
        return true;
    case FERRY_AMQP_RETURNED:
        mark_returned(self, event);
        return true;
    case FERRY_AMQP_BLOCKED:
        set_blocked(self, true);
        return true;
    case FERRY_AMQP_UNBLOCKED:
        set_blocked(self, false);
        return true;
    case FERRY_AMQP_DELIVERY:
    case FERRY_AMQP_CONSUMING:
        return ferry_amqp_set_breach(error, "a message where nothing is consumed");
    case FERRY_AMQP_NOTHING:
        return true;
    }
    g_assert_not_reached();
}

static bool
read_all(FerryPublisher *self, FerryAmqpConnection *connection, bool *ret_progress, GError **error)
{
    bool more = true;

    while (more) {
        g_auto(FerryAmqpEvent) event = {.kind = FERRY_AMQP_NOTHING};

        if (!ferry_amqp_connection_next(connection, &event, error))
            return false;
        more = event.kind != FERRY_AMQP_NOTHING;
        *ret_progress = *ret_progress || more;
        if (!take_event(self, &event, error))
            return false;
    }
    return true;
}

/* --- publishing ------------------------------------------------------------------------------- */

static bool
declare_once(FerryPublisher *self, FerryAmqpConnection *connection, const char *key, GError **error)
{
    const FerryMessagingOptions *options = self->transport->options;
    const gint64 *last_us = g_hash_table_lookup(self->declared, key);
    gint64 now_us = g_get_monotonic_time();

    if (last_us && now_us - *last_us < DECLARED_US)
        return true;
    bool declared = key[0] == '\0'
                        ? ferry_topology_declare_exchange(connection, options, error)
                        : ferry_topology_declare_notifications(connection, options, key, error);
    if (declared)
        g_hash_table_replace(self->declared, g_strdup(key), g_memdup2(&now_us, sizeof now_us));
    return declared;
}

/* Declares what @outgoing needs at the broker. Without its exchange the broker would close the
 * channel, without its queue a notification would be lost. */
static bool
declare_for(FerryPublisher *self,
            FerryAmqpConnection *connection,
            const FerryOutgoing *outgoing,
            GError **error)
{
    switch (outgoing->kind) {
    case FERRY_OUTGOING_ANSWER:
    case FERRY_OUTGOING_HEARTBEAT:
        return true;
    case FERRY_OUTGOING_PROBE:
    case FERRY_OUTGOING_CALL:
    case FERRY_OUTGOING_SAMPLE:
        return declare_once(self, connection, "", error);
    case FERRY_OUTGOING_SURVEY:
        /* Each time: the exchange is deleted with its last queue. */
        return ferry_topology_declare_fanout(connection, self->transport->options, error);
    case FERRY_OUTGOING_NOTIFICATION:
        return declare_once(self, connection, outgoing->routing_key, error);
    }
    g_assert_not_reached();
}

/* Returns: true when there is no use in publishing @outgoing any more. */
static bool
is_in_vain(FerryPublisher *self, FerryOutgoing *outgoing, gint64 now_us)
{
    if (outgoing->deadline_us != 0 && outgoing->deadline_us <= now_us)
        return true;
    bool is_answer =
        outgoing->kind == FERRY_OUTGOING_ANSWER || outgoing->kind == FERRY_OUTGOING_HEARTBEAT;
    if (is_answer && ferry_dead_queues_contains(self->dead, outgoing->routing_key, now_us)) {
        g_debug("Answer dropped: its queue \"%.80s\" is gone", outgoing->routing_key);
        return true;
    }
    if (!ferry_outgoing_encode(outgoing)) {
        g_warning("A message for \"%.80s\" has no JSON and is dropped", outgoing->routing_key);
        return true;
    }
    const char *flaw = ferry_outgoing_flaw(outgoing);
    if (flaw)
        g_warning("A message for \"%.80s\" is dropped: %s", outgoing->routing_key, flaw);
    return flaw;
}

/* A declaration that the broker refuses must not delay the answers. Notifications pause until
 * somebody corrects the settings; the other messages would be of no use later. */
static void
take_undeclared(FerryPublisher *self, FerryOutgoing *outgoing, const GError *reason)
{
    if (!g_error_matches(reason, FERRY_ERROR, FERRY_ERROR_CONFIG))
        return;
    if (outgoing->kind == FERRY_OUTGOING_NOTIFICATION) {
        self->hold_us = g_get_monotonic_time() + HOLD_US;
    } else {
        g_queue_remove(&self->in_flight, outgoing);
        settle(self, outgoing, FERRY_PUBLISH_DROPPED);
    }
}

static bool
publish(FerryPublisher *self,
        FerryAmqpConnection *connection,
        FerryOutgoing *outgoing,
        GError **error)
{
    gint64 now_us = g_get_monotonic_time();

    if (is_in_vain(self, outgoing, now_us)) {
        settle(self, outgoing, FERRY_PUBLISH_DROPPED);
        return true;
    }
    /* In flight from here on: a lost connection puts it back into the send queue. */
    outgoing->returned = false;
    outgoing->tag = self->last_tag + 1;
    g_queue_push_tail(&self->in_flight, outgoing);
    if (!declare_for(self, connection, outgoing, error)) {
        take_undeclared(self, outgoing, *error);
        return false;
    }
    self->last_tag++;
    return ferry_amqp_publish(connection, outgoing, now_us, error);
}

/* A suspect travels alone: if the connection ends again, it was the cause. */
static bool
has_room(FerryPublisher *self, const FerryOutgoing *outgoing)
{
    const FerryOutgoing *first = g_queue_peek_head(&self->in_flight);

    return !first ||
           (!first->suspect && !outgoing->suspect && g_queue_get_length(&self->in_flight) < WINDOW);
}

/* What was set aside goes after all other notifications. */
static gint64
retry_due_us(const FerryPublisher *self, const FerryOutgoing *outgoing)
{
    if (outgoing->set_aside == 0)
        return outgoing->retry_us;
    return ferry_send_queue_has_notifications(self->send_queue)
               ? G_MAXINT64
               : MAX(outgoing->retry_us, self->hold_us);
}

static bool
publish_due_retries(FerryPublisher *self, FerryAmqpConnection *connection, GError **error)
{
    gint64 now_us = g_get_monotonic_time();
    GList *item = self->retries.head;

    while (item) {
        GList *next = item->next;
        FerryOutgoing *outgoing = item->data;

        if (retry_due_us(self, outgoing) <= now_us && has_room(self, outgoing)) {
            g_queue_delete_link(&self->retries, item);
            if (!publish(self, connection, outgoing, error))
                return false;
        }
        item = next;
    }
    return true;
}

static bool
publish_all(FerryPublisher *self,
            FerryAmqpConnection *connection,
            bool *ret_progress,
            GError **error)
{
    if (self->blocked)
        return true;
    if (!publish_due_retries(self, connection, error))
        return false;
    ferry_send_queue_push_due_heartbeats(self->send_queue);
    for (;;) {
        bool held = g_get_monotonic_time() < self->hold_us;
        FerryOutgoing *outgoing = ferry_send_queue_take(self->send_queue, !held);

        if (!outgoing)
            return true;
        if (!has_room(self, outgoing)) {
            ferry_send_queue_put_back(self->send_queue, outgoing);
            return true;
        }
        *ret_progress = true;
        if (!publish(self, connection, outgoing, error))
            return false;
    }
}

/* Publishes and reads until neither has anything left to do. */
static void
serve(FerryPublisher *self, FerryAmqpConnection *connection)
{
    g_autoptr(GError) error = NULL;
    bool alive = true;
    bool progress = true;

    while (alive && progress) {
        /* Reading a confirm allows the next message to be published, hence the loop over both. */
        progress = false;
        alive = publish_all(self, connection, &progress, &error) &&
                read_all(self, connection, &progress, &error);
    }
    if (!alive)
        ferry_link_fail(self->link, error, /* by_message= */ !g_queue_is_empty(&self->in_flight));
}

/* --- the thread ------------------------------------------------------------------------------- */

static bool
on_setup(FerryAmqpConnection *connection, gpointer user_data, GError **error)
{
    FerryPublisher *self = user_data;

    g_hash_table_remove_all(self->declared);
    self->last_tag = 0;
    self->blocked = false;
    (void)amqp_confirm_select(ferry_amqp_connection_state(connection), FERRY_AMQP_CHANNEL);
    return ferry_amqp_connection_check(connection, "Asking for confirms", error);
}

static void
on_up(gpointer user_data)
{
    FerryPublisher *self = user_data;

    self->state(NULL, self->user_data);
}

/* Unconfirmed messages go back to the head of the send queue, but for those that are of no use
 * later. */
static void
on_down(const GError *reason, gpointer user_data)
{
    FerryPublisher *self = user_data;
    bool alone = g_queue_get_length(&self->in_flight) == 1;
    FerryOutgoing *outgoing = g_queue_pop_tail(&self->in_flight);

    while (outgoing) {
        outgoing->suspect = true;
        outgoing->losses += alone ? 1 : 0;
        if (outgoing->kind == FERRY_OUTGOING_HEARTBEAT || outgoing->kind == FERRY_OUTGOING_SAMPLE ||
            outgoing->kind == FERRY_OUTGOING_PROBE)
            settle(self, outgoing, FERRY_PUBLISH_DROPPED);
        else if (outgoing->losses >= MAX_LOSSES)
            give_up(self, outgoing);
        else
            ferry_send_queue_put_back(self->send_queue, outgoing);
        outgoing = g_queue_pop_tail(&self->in_flight);
    }
    self->state(reason, self->user_data);
}

static const FerryLinkEvents link_events = {.setup = on_setup, .up = on_up, .down = on_down};

static gint64
next_due_us(FerryPublisher *self, bool connected)
{
    gint64 due_us = G_MAXINT64;

    if (!connected || self->blocked)
        return due_us;
    for (const GList *item = self->retries.head; item; item = item->next) {
        const FerryOutgoing *outgoing = item->data;

        due_us = MIN(due_us, retry_due_us(self, outgoing));
    }
    if (self->hold_us > g_get_monotonic_time() &&
        ferry_send_queue_has_notifications(self->send_queue))
        due_us = MIN(due_us, self->hold_us);
    return MIN(due_us, ferry_send_queue_next_heartbeat_us(self->send_queue));
}

static gpointer
run(gpointer data)
{
    FerryPublisher *self = data;

    while (!ferry_send_queue_is_closed(self->send_queue)) {
        FerryAmqpConnection *connection = ferry_link_tend(self->link);

        if (connection)
            serve(self, connection);
        /* serve() may have lost the connection; ferry_link_wait() then waits for the next try. */
        gint64 due_us = next_due_us(self, connection);
        ferry_link_wait(self->link, self->wakeup, due_us);
    }
    ferry_link_close(self->link);
    return NULL;
}

FerryPublisher *
ferry_publisher_new(FerryTransport *transport, FerryPublisherStateFunc state, gpointer user_data)
{
    FerryPublisher *self = g_atomic_rc_box_new0(FerryPublisher);

    self->transport = ferry_transport_ref(transport);
    self->wakeup = ferry_wakeup_new();
    self->state = state;
    self->user_data = user_data;
    self->send_queue = ferry_send_queue_new();
    self->declared = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->dead = ferry_dead_queues_new(DEAD_QUEUES, DEAD_QUEUE_US);
    self->link = ferry_link_new(transport, "publish", &link_events, self);
    return self;
}

void
ferry_publisher_start(FerryPublisher *self)
{
    self->thread = g_thread_new("vf-publish", run, self);
}

void
ferry_publisher_stop(FerryPublisher *self)
{
    ferry_send_queue_close(self->send_queue);
    ferry_wakeup_signal(self->wakeup);
    if (self->thread)
        g_thread_join(g_steal_pointer(&self->thread));
    /* Messages may hold references to owners of this publisher. */
    ferry_send_queue_clear(self->send_queue);
    g_queue_clear_full(&self->in_flight, (GDestroyNotify)ferry_outgoing_free);
    g_queue_clear_full(&self->retries, (GDestroyNotify)ferry_outgoing_free);
}
