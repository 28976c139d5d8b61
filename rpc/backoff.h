/* backoff.h: how long to wait before the next try: start, growing by a step, up to a limit. Pure. */
#pragma once

#include <glib.h>

typedef struct {
    guint start_s;
    guint step_s;
    guint limit_s;
    guint next_s; /* 0: at rest */
} FerryBackoff;

/** Returns: seconds to wait now; the next answer will be longer. */
guint ferry_backoff_next(FerryBackoff *backoff);

/** To be called after a success. */
void ferry_backoff_reset(FerryBackoff *backoff);
