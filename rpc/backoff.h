/* backoff.h: how long to wait before the next try. The pause begins with start_s and grows by
 * step_s with each failure, up to limit_s. Pure; a plain value. */
#pragma once

#include <glib.h>

typedef struct {
    guint start_s;
    guint step_s;
    guint limit_s;
    guint next_s; /* 0: no failure since the last success */
} FerryBackoff;

/** Call it after a failure. Returns: the seconds to wait, at least 1. */
guint ferry_backoff_next(FerryBackoff *backoff);

/** Call it after a success: the next pause is start_s again. */
void ferry_backoff_reset(FerryBackoff *backoff);
