#include "config.h"

#include "dead-queues.h"

typedef struct {
    char *name;
    gint64 until_us;
} DeadQueue;

struct FerryDeadQueues {
    guint capacity;
    gint64 memory_us;
    GQueue order; /* DeadQueue; the oldest, which is forgotten first, at the head */
};

static void
dead_queue_free(gpointer data)
{
    DeadQueue *dead = data;

    g_free(dead->name);
    g_free(dead);
}

FerryDeadQueues *
ferry_dead_queues_new(guint capacity, gint64 memory_us)
{
    FerryDeadQueues *self = g_new0(FerryDeadQueues, 1);

    self->capacity = MAX(capacity, 1);
    self->memory_us = memory_us;
    g_queue_init(&self->order);
    return self;
}

void
ferry_dead_queues_free(FerryDeadQueues *self)
{
    if (!self)
        return;
    g_queue_clear_full(&self->order, dead_queue_free);
    g_free(self);
}

static void
forget(FerryDeadQueues *self, gint64 now_us)
{
    const DeadQueue *oldest = g_queue_peek_head(&self->order);

    while (oldest && oldest->until_us <= now_us) {
        dead_queue_free(g_queue_pop_head(&self->order));
        oldest = g_queue_peek_head(&self->order);
    }
}

void
ferry_dead_queues_add(FerryDeadQueues *self, const char *name, gint64 now_us)
{
    if (ferry_dead_queues_contains(self, name, now_us))
        return;
    if (g_queue_get_length(&self->order) == self->capacity)
        dead_queue_free(g_queue_pop_head(&self->order));

    DeadQueue *dead = g_new0(DeadQueue, 1);

    dead->name = g_strdup(name);
    dead->until_us = now_us + self->memory_us;
    g_queue_push_tail(&self->order, dead);
}

bool
ferry_dead_queues_contains(FerryDeadQueues *self, const char *name, gint64 now_us)
{
    forget(self, now_us);
    for (const GList *item = self->order.head; item; item = item->next) {
        const DeadQueue *dead = item->data;

        if (g_str_equal(dead->name, name))
            return true;
    }
    return false;
}
