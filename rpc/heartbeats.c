#include "config.h"

#include "heartbeats.h"

typedef struct {
    guint64 id;
    char *reply_queue;
    char *msg_id;
    gint64 period_us;
    gint64 due_us;
} Heartbeat;

struct FerryHeartbeats {
    GHashTable *by_id; /* keys point into the values */
    guint64 last_id;
};

static void
heartbeat_free(gpointer data)
{
    Heartbeat *heartbeat = data;

    g_free(heartbeat->reply_queue);
    g_free(heartbeat->msg_id);
    g_free(heartbeat);
}

FerryHeartbeats *
ferry_heartbeats_new(void)
{
    FerryHeartbeats *self = g_new0(FerryHeartbeats, 1);

    self->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, heartbeat_free);
    return self;
}

void
ferry_heartbeats_free(FerryHeartbeats *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->by_id);
    g_free(self);
}

guint64
ferry_heartbeats_add(FerryHeartbeats *self,
                     const char *reply_queue,
                     const char *msg_id,
                     guint period_ms,
                     gint64 now_us)
{
    Heartbeat *heartbeat = g_new0(Heartbeat, 1);

    heartbeat->id = ++self->last_id;
    heartbeat->reply_queue = g_strdup(reply_queue);
    heartbeat->msg_id = g_strdup(msg_id);
    heartbeat->period_us = (gint64)MAX(period_ms, 1) * 1000;
    heartbeat->due_us = now_us + heartbeat->period_us;
    g_hash_table_insert(self->by_id, &heartbeat->id, heartbeat);
    return heartbeat->id;
}

void
ferry_heartbeats_remove(FerryHeartbeats *self, guint64 id)
{
    g_hash_table_remove(self->by_id, &id);
}

gint64
ferry_heartbeats_next_us(const FerryHeartbeats *self)
{
    GHashTableIter iter;
    gpointer value = NULL;
    gint64 next_us = G_MAXINT64;

    g_hash_table_iter_init(&iter, self->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Heartbeat *heartbeat = value;

        next_us = MIN(next_us, heartbeat->due_us);
    }
    return next_us;
}

void
ferry_heartbeats_call_due(FerryHeartbeats *self,
                          gint64 now_us,
                          FerryHeartbeatFunc func,
                          gpointer user_data)
{
    GHashTableIter iter;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, self->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Heartbeat *heartbeat = value;

        if (heartbeat->due_us > now_us)
            continue;
        func(heartbeat->id, heartbeat->reply_queue, heartbeat->msg_id, user_data);
        /* Due times stay multiples of the period; those that passed meanwhile are left out. */
        gint64 periods = (now_us - heartbeat->due_us) / heartbeat->period_us + 1;
        heartbeat->due_us += periods * heartbeat->period_us;
    }
}
