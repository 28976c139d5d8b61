#include "config.h"

#include "runtime/stall-timer.h"

bool
ferry_stall_timer_allows(FerryStallTimer *self, guint64 position, gint64 now_us, gint64 limit_us)
{
    if (position > self->furthest || self->since_us == 0)
        self->since_us = now_us;
    self->furthest = MAX(self->furthest, position);
    return now_us - self->since_us < limit_us;
}
