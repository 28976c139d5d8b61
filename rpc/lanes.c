#include "config.h"

#include "lanes.h"

#include "pulses.h"
#include "reply-oslo.h"

struct FerryLanes {
    GMutex lock;
    GCond settled;
    /* Guarded by lock. */
    GQueue answers; /* and calls: whatever somebody waits for */
    GQueue notifications;
    GQueue samples;
    FerryPulses *pulses;
    guint unsettled; /* answers and notifications */
    bool closed;
};

FerryLanes *
ferry_lanes_new(void)
{
    FerryLanes *lanes = g_new0(FerryLanes, 1);
    g_mutex_init(&lanes->lock);
    g_cond_init(&lanes->settled);
    lanes->pulses = ferry_pulses_new();
    return lanes;
}

static void
clear_lane(FerryLanes *lanes, GQueue *lane)
{
    g_mutex_lock(&lanes->lock);
    GQueue rest = *lane;
    g_queue_init(lane);
    g_mutex_unlock(&lanes->lock);
    /* Without the lock: freeing calls out. */
    g_queue_clear_full(&rest, (GDestroyNotify)ferry_outgoing_free);
}

void
ferry_lanes_clear(FerryLanes *lanes)
{
    clear_lane(lanes, &lanes->answers);
    clear_lane(lanes, &lanes->notifications);
    clear_lane(lanes, &lanes->samples);
}

void
ferry_lanes_free(FerryLanes *lanes)
{
    if (lanes == NULL)
        return;
    ferry_lanes_clear(lanes);
    ferry_pulses_free(lanes->pulses);
    g_cond_clear(&lanes->settled);
    g_mutex_clear(&lanes->lock);
    g_free(lanes);
}

void
ferry_lanes_close(FerryLanes *lanes)
{
    g_mutex_lock(&lanes->lock);
    lanes->closed = true;
    g_mutex_unlock(&lanes->lock);
}

bool
ferry_lanes_is_closed(FerryLanes *lanes)
{
    g_mutex_lock(&lanes->lock);
    bool closed = lanes->closed;
    g_mutex_unlock(&lanes->lock);
    return closed;
}

static bool
must_arrive(const FerryOutgoing *outgoing)
{
    return outgoing->kind == FERRY_OUTGOING_ANSWER || outgoing->kind == FERRY_OUTGOING_NOTIFICATION;
}

static GQueue *
lane_of(FerryLanes *lanes, const FerryOutgoing *outgoing)
{
    switch (outgoing->kind) {
    case FERRY_OUTGOING_ANSWER:
    case FERRY_OUTGOING_BEAT:
    case FERRY_OUTGOING_CALL:
    case FERRY_OUTGOING_SURVEY:
        return &lanes->answers;
    case FERRY_OUTGOING_NOTIFICATION:
        return &lanes->notifications;
    case FERRY_OUTGOING_SAMPLE:
        return &lanes->samples;
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
        replace_key != NULL ? g_queue_find_custom(samples, replace_key, compare_replace_key) : NULL;
    if (older != NULL) {
        ferry_outgoing_free(older->data);
        g_queue_delete_link(samples, older);
    }
}

void
ferry_lanes_push(FerryLanes *lanes, FerryOutgoing *outgoing)
{
    g_mutex_lock(&lanes->lock);
    bool closed = lanes->closed;
    if (outgoing->kind == FERRY_OUTGOING_ANSWER)
        ferry_pulses_remove(lanes->pulses, outgoing->pulse);
    if (!closed) {
        if (outgoing->kind == FERRY_OUTGOING_SAMPLE)
            drop_older_sample(&lanes->samples, outgoing->replace_key);
        lanes->unsettled += must_arrive(outgoing) ? 1 : 0;
        g_queue_push_tail(lane_of(lanes, outgoing), outgoing);
    }
    g_mutex_unlock(&lanes->lock);
    if (closed)
        ferry_outgoing_free(outgoing);
}

FerryOutgoing *
ferry_lanes_take(FerryLanes *lanes, bool notifications)
{
    g_mutex_lock(&lanes->lock);
    FerryOutgoing *next = g_queue_pop_head(&lanes->answers);
    if (next == NULL && notifications)
        next = g_queue_pop_head(&lanes->notifications);
    if (next == NULL)
        next = g_queue_pop_head(&lanes->samples);
    g_mutex_unlock(&lanes->lock);
    return next;
}

void
ferry_lanes_put_back(FerryLanes *lanes, FerryOutgoing *outgoing)
{
    g_mutex_lock(&lanes->lock);
    g_queue_push_head(lane_of(lanes, outgoing), outgoing);
    g_mutex_unlock(&lanes->lock);
}

void
ferry_lanes_settle(FerryLanes *lanes, const FerryOutgoing *outgoing)
{
    if (!must_arrive(outgoing))
        return;
    g_mutex_lock(&lanes->lock);
    if (--lanes->unsettled == 0)
        g_cond_broadcast(&lanes->settled);
    g_mutex_unlock(&lanes->lock);
}

bool
ferry_lanes_flush(FerryLanes *lanes, guint timeout_ms)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    bool in_time = true;
    g_mutex_lock(&lanes->lock);
    while (lanes->unsettled > 0 && in_time)
        in_time = g_cond_wait_until(&lanes->settled, &lanes->lock, end_us);
    bool settled = lanes->unsettled == 0;
    g_mutex_unlock(&lanes->lock);
    return settled;
}

bool
ferry_lanes_have_notifications(FerryLanes *lanes)
{
    g_mutex_lock(&lanes->lock);
    bool have = !g_queue_is_empty(&lanes->notifications);
    g_mutex_unlock(&lanes->lock);
    return have;
}

guint64
ferry_lanes_add_pulse(FerryLanes *lanes,
                      const char *reply_queue,
                      const char *msg_id,
                      guint period_ms)
{
    g_mutex_lock(&lanes->lock);
    guint64 id =
        ferry_pulses_add(lanes->pulses, reply_queue, msg_id, period_ms, g_get_monotonic_time());
    g_mutex_unlock(&lanes->lock);
    return id;
}

void
ferry_lanes_remove_pulse(FerryLanes *lanes, guint64 id)
{
    g_mutex_lock(&lanes->lock);
    ferry_pulses_remove(lanes->pulses, id);
    g_mutex_unlock(&lanes->lock);
}

gint64
ferry_lanes_next_beat_us(FerryLanes *lanes)
{
    g_mutex_lock(&lanes->lock);
    gint64 next_us = ferry_pulses_next_us(lanes->pulses);
    g_mutex_unlock(&lanes->lock);
    return next_us;
}

static void
queue_beat(guint64 id, const char *reply_queue, const char *msg_id, gpointer user_data)
{
    FerryLanes *lanes = user_data;
    FerryOutgoing *beat =
        ferry_outgoing_new(FERRY_OUTGOING_BEAT, "", reply_queue, ferry_reply_oslo_beat(msg_id));
    beat->pulse = id;
    g_queue_push_tail(&lanes->answers, beat);
}

void
ferry_lanes_queue_beats(FerryLanes *lanes)
{
    g_mutex_lock(&lanes->lock);
    ferry_pulses_beat(lanes->pulses, g_get_monotonic_time(), queue_beat, lanes);
    g_mutex_unlock(&lanes->lock);
}
