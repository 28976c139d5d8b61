#include "config.h"

#include "send-queue.h"

#include "ferry/lock.h"
#include "heartbeats.h"
#include "reply-oslo.h"

struct FerrySendQueue {
    GMutex lock;
    GCond settled;
    /* Guarded by lock. */
    GQueue answers; /* and calls: whatever somebody waits for */
    GQueue notifications;
    GQueue samples;
    FerryHeartbeats *heartbeats;
    guint unsettled; /* answers and notifications */
    bool closed;
};

FerrySendQueue *
ferry_send_queue_new(void)
{
    FerrySendQueue *self = g_new0(FerrySendQueue, 1);

    g_mutex_init(&self->lock);
    g_cond_init(&self->settled);
    self->heartbeats = ferry_heartbeats_new();
    return self;
}

static void
clear_queue(FerrySendQueue *self, GQueue *queue)
{
    g_mutex_lock(&self->lock);
    GQueue rest = *queue;
    g_queue_init(queue);
    g_mutex_unlock(&self->lock);
    /* Without the lock: freeing calls out. */
    g_queue_clear_full(&rest, (GDestroyNotify)ferry_outgoing_free);
}

void
ferry_send_queue_clear(FerrySendQueue *self)
{
    clear_queue(self, &self->answers);
    clear_queue(self, &self->notifications);
    clear_queue(self, &self->samples);
}

void
ferry_send_queue_free(FerrySendQueue *self)
{
    if (!self)
        return;
    ferry_send_queue_clear(self);
    ferry_heartbeats_free(self->heartbeats);
    g_cond_clear(&self->settled);
    g_mutex_clear(&self->lock);
    g_free(self);
}

void
ferry_send_queue_close(FerrySendQueue *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->closed = true;
}

bool
ferry_send_queue_is_closed(FerrySendQueue *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return self->closed;
}

static bool
must_arrive(const FerryOutgoing *outgoing)
{
    return outgoing->kind == FERRY_OUTGOING_ANSWER || outgoing->kind == FERRY_OUTGOING_NOTIFICATION;
}

static GQueue *
queue_of(FerrySendQueue *self, const FerryOutgoing *outgoing)
{
    switch (outgoing->kind) {
    case FERRY_OUTGOING_ANSWER:
    case FERRY_OUTGOING_HEARTBEAT:
    case FERRY_OUTGOING_CALL:
    case FERRY_OUTGOING_SURVEY:
    case FERRY_OUTGOING_PROBE:
        return &self->answers;
    case FERRY_OUTGOING_NOTIFICATION:
        return &self->notifications;
    case FERRY_OUTGOING_SAMPLE:
        return &self->samples;
    }
    g_assert_not_reached();
}

static gint
compare_replace_key(gconstpointer item, gconstpointer key)
{
    const FerryOutgoing *outgoing = item;

    return g_strcmp0(outgoing->replace_key, key);
}

static void
drop_older_sample(GQueue *samples, const char *replace_key)
{
    GList *older =
        replace_key ? g_queue_find_custom(samples, replace_key, compare_replace_key) : NULL;

    if (older) {
        ferry_outgoing_free(older->data);
        g_queue_delete_link(samples, older);
    }
}

void
ferry_send_queue_push(FerrySendQueue *self, FerryOutgoing *outgoing)
{
    g_mutex_lock(&self->lock);
    bool closed = self->closed;
    if (outgoing->kind == FERRY_OUTGOING_ANSWER)
        ferry_heartbeats_remove(self->heartbeats, outgoing->heartbeat_id);
    if (!closed) {
        if (outgoing->kind == FERRY_OUTGOING_SAMPLE)
            drop_older_sample(&self->samples, outgoing->replace_key);
        self->unsettled += must_arrive(outgoing) ? 1 : 0;
        g_queue_push_tail(queue_of(self, outgoing), outgoing);
    }
    g_mutex_unlock(&self->lock);
    if (closed)
        ferry_outgoing_free(outgoing);
}

FerryOutgoing *
ferry_send_queue_take(FerrySendQueue *self, bool notifications)
{
    FERRY_LOCK_SCOPE(&self->lock);
    FerryOutgoing *next = g_queue_pop_head(&self->answers);

    if (!next && notifications)
        next = g_queue_pop_head(&self->notifications);
    if (!next)
        next = g_queue_pop_head(&self->samples);
    return next;
}

void
ferry_send_queue_put_back(FerrySendQueue *self, FerryOutgoing *outgoing)
{
    FERRY_LOCK_SCOPE(&self->lock);

    g_queue_push_head(queue_of(self, outgoing), outgoing);
}

void
ferry_send_queue_settle(FerrySendQueue *self, const FerryOutgoing *outgoing)
{
    if (!must_arrive(outgoing))
        return;
    FERRY_LOCK_SCOPE(&self->lock);

    if (--self->unsettled == 0)
        g_cond_broadcast(&self->settled);
}

bool
ferry_send_queue_flush(FerrySendQueue *self, guint timeout_ms)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    bool in_time = true;
    FERRY_LOCK_SCOPE(&self->lock);

    while (self->unsettled > 0 && in_time)
        in_time = g_cond_wait_until(&self->settled, &self->lock, end_us);
    return self->unsettled == 0;
}

guint
ferry_send_queue_unsettled(FerrySendQueue *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return self->unsettled;
}

bool
ferry_send_queue_has_notifications(FerrySendQueue *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return !g_queue_is_empty(&self->notifications);
}

guint64
ferry_send_queue_add_heartbeat(FerrySendQueue *self,
                               const char *reply_queue,
                               const char *msg_id,
                               guint period_ms)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return ferry_heartbeats_add(self->heartbeats, reply_queue, msg_id, period_ms,
                                g_get_monotonic_time());
}

void
ferry_send_queue_remove_heartbeat(FerrySendQueue *self, guint64 id)
{
    FERRY_LOCK_SCOPE(&self->lock);

    ferry_heartbeats_remove(self->heartbeats, id);
}

gint64
ferry_send_queue_next_heartbeat_us(FerrySendQueue *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return ferry_heartbeats_next_us(self->heartbeats);
}

static void
push_heartbeat(guint64 id, const char *reply_queue, const char *msg_id, gpointer user_data)
{
    FerrySendQueue *self = user_data;
    FerryOutgoing *heartbeat = ferry_outgoing_new(FERRY_OUTGOING_HEARTBEAT, "", reply_queue,
                                                  ferry_reply_oslo_heartbeat(msg_id));

    heartbeat->heartbeat_id = id;
    g_queue_push_tail(&self->answers, heartbeat);
}

void
ferry_send_queue_push_due_heartbeats(FerrySendQueue *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    ferry_heartbeats_call_due(self->heartbeats, g_get_monotonic_time(), push_heartbeat, self);
}
