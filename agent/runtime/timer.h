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
} FerryAlarm;

typedef enum {
    FERRY_ALARM_DUE,
    FERRY_ALARM_WOKEN,
    FERRY_ALARM_STOPPED, /* for good: the thread ends */
} FerryAlarmEnd;

void ferry_alarm_init(FerryAlarm *alarm);
void ferry_alarm_clear(FerryAlarm *alarm);
void ferry_alarm_wake(FerryAlarm *alarm);
void ferry_alarm_stop(FerryAlarm *alarm);

/** @delay_us: how long at most; below 0: without end. A wake-up that came before counts. */
FerryAlarmEnd ferry_alarm_wait(FerryAlarm *alarm, gint64 delay_us);
