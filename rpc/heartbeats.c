#include "config.h"

#include "heartbeats.h"

typedef struct {
    guint64 id;
    char *reply_queue;
    char *msg_id;
    gint64 period_us;
    gint64 due_us;
} Pulse;

struct FerryPulses {
    GHashTable *by_id; /* keys point into the values */
    guint64 last_id;
};

static void
pulse_free(gpointer data)
{
    Pulse *pulse = data;

    g_free(pulse->reply_queue);
    g_free(pulse->msg_id);
    g_free(pulse);
}

FerryPulses *
ferry_pulses_new(void)
{
    FerryPulses *self = g_new0(FerryPulses, 1);

    self->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, pulse_free);
    return self;
}

void
ferry_pulses_free(FerryPulses *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->by_id);
    g_free(self);
}

guint64
ferry_pulses_add(
    FerryPulses *self, const char *reply_queue, const char *msg_id, guint period_ms, gint64 now_us)
{
    Pulse *pulse = g_new0(Pulse, 1);

    pulse->id = ++self->last_id;
    pulse->reply_queue = g_strdup(reply_queue);
    pulse->msg_id = g_strdup(msg_id);
    pulse->period_us = (gint64)MAX(period_ms, 1) * 1000;
    pulse->due_us = now_us + pulse->period_us;
    g_hash_table_insert(self->by_id, &pulse->id, pulse);
    return pulse->id;
}

void
ferry_pulses_remove(FerryPulses *self, guint64 id)
{
    g_hash_table_remove(self->by_id, &id);
}

gint64
ferry_pulses_next_us(const FerryPulses *self)
{
    GHashTableIter iter;
    gpointer value = NULL;
    gint64 next_us = G_MAXINT64;

    g_hash_table_iter_init(&iter, self->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Pulse *pulse = value;

        next_us = MIN(next_us, pulse->due_us);
    }
    return next_us;
}

void
ferry_pulses_beat(FerryPulses *self, gint64 now_us, FerryPulseFunc func, gpointer user_data)
{
    GHashTableIter iter;
    gpointer value = NULL;

    g_hash_table_iter_init(&iter, self->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Pulse *pulse = value;

        if (pulse->due_us > now_us)
            continue;
        func(pulse->id, pulse->reply_queue, pulse->msg_id, user_data);
        /* The rhythm is kept, but periods that were slept through are not made up for. */
        gint64 periods = (now_us - pulse->due_us) / pulse->period_us + 1;
        pulse->due_us += periods * pulse->period_us;
    }
}
