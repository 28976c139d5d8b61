/* stalled-work.h: work for a detached call (runtime/detached-call.h) that a test holds and lets
 * end, and that notes who has freed it. */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

typedef struct {
    GMutex lock;
    GCond moved;
    bool open;   /* guarded by lock; a call that waits may end */
    guint begun; /* guarded by lock; calls that were begun */
    guint freed; /* guarded by lock; how often */
    guint answer;
} StalledWork;

void stalled_work_init(StalledWork *work);
void stalled_work_clear(StalledWork *work);

/* What a call does with it. */
bool stalled_work_succeed(gpointer work, GError **error);
bool stalled_work_fail(gpointer work, GError **error); /* FERRY_ERROR_INSTANCE_NOT_FOUND */
bool stalled_work_hang(gpointer work, GError **error); /* succeeds once it is let go */
void stalled_work_free(gpointer work);                 /* only counts */

void stalled_work_let_go(StalledWork *work);
void stalled_work_wait_begun(StalledWork *work);
void stalled_work_wait_freed(StalledWork *work);
/* Asserts that nobody has freed it, lets it end, and waits until whoever was last has. */
void stalled_work_assert_left_behind(StalledWork *work);

/* Returns: a thread to be joined, which ends @cancellable in a moment. */
GThread *stalled_work_cancel_soon(GCancellable *cancellable);
