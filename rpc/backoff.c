#include "config.h"

#include "backoff.h"

guint
ferry_backoff_next(FerryBackoff *backoff)
{
    /* Never 0: a retry without a pause would be a busy loop. */
    guint pause = MAX(backoff->next_s != 0 ? backoff->next_s : backoff->start_s, 1);
    guint limit = MAX(backoff->limit_s, 1);

    pause = MIN(pause, limit);
    backoff->next_s = MIN(pause + backoff->step_s, limit);
    return pause;
}

void
ferry_backoff_reset(FerryBackoff *backoff)
{
    backoff->next_s = 0;
}
