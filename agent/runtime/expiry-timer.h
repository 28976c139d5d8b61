/* expiry-timer.h: calls a function when something it looks after is over; asleep while nothing is.
 *
 * A thread of its own sleeps and works. Threads: one makes it and frees it; wake from any.
 */
#pragma once

#include <glib.h>

/** Ends what is over. Returns: when to call again, in microseconds of UTC; 0 when nothing waits. */
typedef gint64 (*FerryExpiryFunc)(gpointer data);

typedef struct FerryExpiryTimer FerryExpiryTimer;

/** @name: the thread's. @expire is called at once for the first time, and with @data until the
 * clock is freed. */
FerryExpiryTimer *ferry_expiry_timer_new(const char *name, FerryExpiryFunc expire, gpointer data);
void ferry_expiry_timer_free(FerryExpiryTimer *clock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryExpiryTimer, ferry_expiry_timer_free)

/** Something began or ended: look when the next one is over. */
void ferry_expiry_timer_wake(gpointer clock);
