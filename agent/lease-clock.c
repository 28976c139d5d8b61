#include "config.h"

#include "lease-clock.h"

#include "ferry/clock.h"

struct FerryLeaseClock {
    FerryDestination *destination; /* immutable */
    GThread *thread;               /* immutable */

    GMutex lock;
    GCond changed;
    bool woken;    /* guarded by lock */
    bool stopping; /* guarded by lock */
};

/* Waits until woken, or until @at_us of UTC; 0 waits for ever. Returns: false to stop. */
static bool
sleep_until(FerryLeaseClock *self, gint64 at_us)
{
    /* A condition waits by the monotonic clock; the lease is kept by UTC, because it must outlive
     * the process. */
    gint64 delay_us = MAX(0, at_us - ferry_clock_now_us());
    gint64 deadline = g_get_monotonic_time() + delay_us;
    bool due = false;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    while (!self->woken && !self->stopping && !due) {
        if (at_us == 0)
            g_cond_wait(&self->changed, &self->lock);
        else
            due = !g_cond_wait_until(&self->changed, &self->lock, deadline);
    }
    self->woken = false;
    return !self->stopping;
}

static gpointer
run_clock(gpointer data)
{
    FerryLeaseClock *self = data;

    while (sleep_until(self, ferry_destination_expire(self->destination)))
        ;
    return NULL;
}

FerryLeaseClock *
ferry_lease_clock_new(FerryDestination *destination)
{
    FerryLeaseClock *self = g_new0(FerryLeaseClock, 1);

    self->destination = destination;
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    self->thread = g_thread_new("lease-clock", run_clock, self);
    return self;
}

void
ferry_lease_clock_wake(gpointer clock)
{
    FerryLeaseClock *self = clock;

    g_mutex_lock(&self->lock);
    self->woken = true;
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
}

void
ferry_lease_clock_free(FerryLeaseClock *self)
{
    if (!self)
        return;
    g_mutex_lock(&self->lock);
    self->stopping = true;
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
    g_thread_join(self->thread);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free(self);
}
