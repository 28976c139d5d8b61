#include "config.h"

#include "runtime/expiry-timer.h"

#include "ferry/clock.h"
#include "runtime/timer.h"

struct FerryExpiryClock {
    FerryExpiryFunc expire; /* immutable */
    gpointer data;          /* immutable */
    GThread *thread;        /* immutable */
    FerryAlarm alarm;
};

/* Times are kept by UTC, because they outlive the process. Returns: how long to sleep for one that
 * ends at @at_us; below 0 for none. */
static gint64
delay_until(gint64 at_us)
{
    return at_us == 0 ? -1 : MAX(0, at_us - ferry_clock_now_us());
}

static gpointer
run_clock(gpointer data)
{
    FerryExpiryClock *self = data;
    gint64 next_us = 0;

    do {
        next_us = self->expire(self->data);
    } while (ferry_alarm_wait(&self->alarm, delay_until(next_us)) != FERRY_ALARM_STOPPED);
    return NULL;
}

FerryExpiryClock *
ferry_expiry_clock_new(const char *name, FerryExpiryFunc expire, gpointer data)
{
    FerryExpiryClock *self = g_new0(FerryExpiryClock, 1);

    self->expire = expire;
    self->data = data;
    ferry_alarm_init(&self->alarm);
    self->thread = g_thread_new(name, run_clock, self);
    return self;
}

void
ferry_expiry_clock_wake(gpointer clock)
{
    FerryExpiryClock *self = clock;

    ferry_alarm_wake(&self->alarm);
}

void
ferry_expiry_clock_free(FerryExpiryClock *self)
{
    if (!self)
        return;
    ferry_alarm_stop(&self->alarm);
    g_thread_join(self->thread);
    ferry_alarm_clear(&self->alarm);
    g_free(self);
}
