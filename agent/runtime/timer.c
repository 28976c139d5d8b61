#include "config.h"

#include "runtime/timer.h"

#include "ferry/lock.h"

void
ferry_timer_init(FerryTimer *self)
{
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    self->woken = false;
    self->stopping = false;
}

void
ferry_timer_clear(FerryTimer *self)
{
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
}

static void
set_flag(FerryTimer *self, bool *flag)
{
    g_mutex_lock(&self->lock);
    *flag = true;
    g_cond_signal(&self->changed);
    g_mutex_unlock(&self->lock);
}

void
ferry_timer_wake(FerryTimer *self)
{
    set_flag(self, &self->woken);
}

void
ferry_timer_stop(FerryTimer *self)
{
    set_flag(self, &self->stopping);
}

FerryTimerEnd
ferry_timer_wait(FerryTimer *self, gint64 delay_us)
{
    gint64 deadline = g_get_monotonic_time() + delay_us;
    bool due = false;
    FERRY_LOCK_SCOPE(&self->lock);

    while (!self->woken && !self->stopping && !due) {
        if (delay_us < 0)
            g_cond_wait(&self->changed, &self->lock);
        else
            due = !g_cond_wait_until(&self->changed, &self->lock, deadline);
    }
    if (self->stopping)
        return FERRY_TIMER_STOPPED;

    FerryTimerEnd end = self->woken ? FERRY_TIMER_WOKEN : FERRY_TIMER_DUE;

    self->woken = false;
    return end;
}
