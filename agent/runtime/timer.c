#include "config.h"

#include "runtime/timer.h"

void
ferry_alarm_init(FerryAlarm *alarm)
{
    g_mutex_init(&alarm->lock);
    g_cond_init(&alarm->changed);
    alarm->woken = false;
    alarm->stopping = false;
}

void
ferry_alarm_clear(FerryAlarm *alarm)
{
    g_mutex_clear(&alarm->lock);
    g_cond_clear(&alarm->changed);
}

static void
set_flag(FerryAlarm *alarm, bool *flag)
{
    g_mutex_lock(&alarm->lock);
    *flag = true;
    g_cond_signal(&alarm->changed);
    g_mutex_unlock(&alarm->lock);
}

void
ferry_alarm_wake(FerryAlarm *alarm)
{
    set_flag(alarm, &alarm->woken);
}

void
ferry_alarm_stop(FerryAlarm *alarm)
{
    set_flag(alarm, &alarm->stopping);
}

FerryAlarmEnd
ferry_alarm_wait(FerryAlarm *alarm, gint64 delay_us)
{
    gint64 deadline = g_get_monotonic_time() + delay_us;
    bool due = false;
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&alarm->lock);

    while (!alarm->woken && !alarm->stopping && !due) {
        if (delay_us < 0)
            g_cond_wait(&alarm->changed, &alarm->lock);
        else
            due = !g_cond_wait_until(&alarm->changed, &alarm->lock, deadline);
    }
    if (alarm->stopping)
        return FERRY_ALARM_STOPPED;

    FerryAlarmEnd end = alarm->woken ? FERRY_ALARM_WOKEN : FERRY_ALARM_DUE;

    alarm->woken = false;
    return end;
}
