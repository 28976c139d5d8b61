/* timer.h: where a thread sleeps until its time comes or somebody wakes it.
 *
 * Embedded by its owner, whose one thread waits; wake and stop from any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    GMutex lock;
    GCond changed;
    bool woken;    /* guarded by lock */
    bool stopping; /* guarded by lock */
} FerryTimer;

typedef enum {
    FERRY_TIMER_DUE,
    FERRY_TIMER_WOKEN,
    FERRY_TIMER_STOPPED, /* for good: the thread ends */
} FerryTimerEnd;

void ferry_timer_init(FerryTimer *self);
void ferry_timer_clear(FerryTimer *self);
void ferry_timer_wake(FerryTimer *self);
void ferry_timer_stop(FerryTimer *self);

/** @delay_us: how long at most; below 0: without end. A wake-up that came before counts. */
FerryTimerEnd ferry_timer_wait(FerryTimer *self, gint64 delay_us);
