#include "config.h"

#include "dead-queues.h"

typedef struct {
    char *name;
    gint64 until_us;
} DeadQueue;

struct FerryDeadQueues {
    guint capacity;
    gint64 memory_us;
    GQueue order; /* DeadQueue, the first to be forgotten at the head */
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
    FerryDeadQueues *queues = g_new0(FerryDeadQueues, 1);
    queues->capacity = MAX(capacity, 1);
    queues->memory_us = memory_us;
    g_queue_init(&queues->order);
    return queues;
}

void
ferry_dead_queues_free(FerryDeadQueues *queues)
{
    if (queues == NULL)
        return;
    g_queue_clear_full(&queues->order, dead_queue_free);
    g_free(queues);
}

static void
forget(FerryDeadQueues *queues, gint64 now_us)
{
    const DeadQueue *oldest = g_queue_peek_head(&queues->order);
    while (oldest != NULL && oldest->until_us <= now_us) {
        dead_queue_free(g_queue_pop_head(&queues->order));
        oldest = g_queue_peek_head(&queues->order);
    }
}

void
ferry_dead_queues_add(FerryDeadQueues *queues, const char *name, gint64 now_us)
{
    if (ferry_dead_queues_contains(queues, name, now_us))
        return;
    if (g_queue_get_length(&queues->order) == queues->capacity)
        dead_queue_free(g_queue_pop_head(&queues->order));
    DeadQueue *dead = g_new0(DeadQueue, 1);
    dead->name = g_strdup(name);
    dead->until_us = now_us + queues->memory_us;
    g_queue_push_tail(&queues->order, dead);
}

bool
ferry_dead_queues_contains(FerryDeadQueues *queues, const char *name, gint64 now_us)
{
    forget(queues, now_us);
    for (const GList *item = queues->order.head; item != NULL; item = item->next) {
        const DeadQueue *dead = item->data;
        if (g_str_equal(dead->name, name))
            return true;
    }
    return false;
}
