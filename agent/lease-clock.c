#include "config.h"

#include "lease-clock.h"

#include "alarm.h"
#include "ferry/clock.h"

struct FerryLeaseClock {
    FerryDestination *destination; /* immutable */
    GThread *thread;               /* immutable */
    FerryAlarm alarm;
};

/* Leases are kept by UTC, because they outlive the process. Returns: how long to sleep for one that
 * ends at @at_us; below 0 for none. */
static gint64
delay_until(gint64 at_us)
{
    return at_us == 0 ? -1 : MAX(0, at_us - ferry_clock_now_us());
}

static gpointer
run_clock(gpointer data)
{
    FerryLeaseClock *self = data;
    gint64 next_us = 0;

    do {
        next_us = ferry_destination_expire(self->destination);
    } while (ferry_alarm_wait(&self->alarm, delay_until(next_us)) != FERRY_ALARM_STOPPED);
    return NULL;
}

FerryLeaseClock *
ferry_lease_clock_new(FerryDestination *destination)
{
    FerryLeaseClock *self = g_new0(FerryLeaseClock, 1);

    self->destination = destination;
    ferry_alarm_init(&self->alarm);
    self->thread = g_thread_new("lease-clock", run_clock, self);
    return self;
}

void
ferry_lease_clock_wake(gpointer clock)
{
    FerryLeaseClock *self = clock;

    ferry_alarm_wake(&self->alarm);
}

void
ferry_lease_clock_free(FerryLeaseClock *self)
{
    if (!self)
        return;
    ferry_alarm_stop(&self->alarm);
    g_thread_join(self->thread);
    ferry_alarm_clear(&self->alarm);
    g_free(self);
}
