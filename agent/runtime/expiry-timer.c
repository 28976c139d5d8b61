#include "config.h"

#include "runtime/expiry-timer.h"

#include "ferry/clock.h"
#include "runtime/timer.h"

struct FerryExpiryTimer {
    FerryExpiryFunc expire; /* immutable */
    gpointer data;          /* immutable */
    GThread *thread;        /* immutable */
    FerryTimer timer;
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
    FerryExpiryTimer *self = data;
    gint64 next_us = 0;

    do {
        next_us = self->expire(self->data);
    } while (ferry_timer_wait(&self->timer, delay_until(next_us)) != FERRY_TIMER_STOPPED);
    return NULL;
}

FerryExpiryTimer *
ferry_expiry_timer_new(const char *name, FerryExpiryFunc expire, gpointer data)
{
    FerryExpiryTimer *self = g_new0(FerryExpiryTimer, 1);

    self->expire = expire;
    self->data = data;
    ferry_timer_init(&self->timer);
    self->thread = g_thread_new(name, run_clock, self);
    return self;
}

void
ferry_expiry_timer_wake(gpointer clock)
{
    FerryExpiryTimer *self = clock;

    ferry_timer_wake(&self->timer);
}

void
ferry_expiry_timer_free(FerryExpiryTimer *self)
{
    if (!self)
        return;
    ferry_timer_stop(&self->timer);
    g_thread_join(self->thread);
    ferry_timer_clear(&self->timer);
    g_free(self);
}
