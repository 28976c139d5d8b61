/* dead-queues.h: names of reply queues that did not come back in time. For a while no answer is
 * published to them. Pure; one thread at a time; times are g_get_monotonic_time().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct FerryDeadQueues FerryDeadQueues;

FerryDeadQueues *ferry_dead_queues_new(guint capacity, gint64 memory_us);
void ferry_dead_queues_free(FerryDeadQueues *queues);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDeadQueues, ferry_dead_queues_free)

void ferry_dead_queues_add(FerryDeadQueues *queues, const char *name, gint64 now_us);
bool ferry_dead_queues_contains(FerryDeadQueues *queues, const char *name, gint64 now_us);
