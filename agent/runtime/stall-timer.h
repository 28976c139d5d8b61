/* stall-timer.h: how long somebody goes on with what moves by fits and starts. Pure, any thread.
 *
 * The time counts from the first failure after a movement, not from the movement itself: a
 * connection is long lost before that shows, and then nothing would be left of a short time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* All zeroes at first. */
typedef struct {
    guint64 furthest;
    gint64 since_us; /* monotonic, when it failed for the first time there; 0: has not */
} FerryStallTimer;

/**
 * ferry_stall_timer_allows:
 * To be asked at every failure, or look at something that is not over.
 * @position: how far it has come, in whatever unit; what falls back and comes up again did not move
 * @now_us: monotonic
 * Returns: false when it has not come any further for @limit_us.
 */
bool
ferry_stall_timer_allows(FerryStallTimer *self, guint64 position, gint64 now_us, gint64 limit_us);
