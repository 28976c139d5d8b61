/* wakeup.h: lets one thread wait for a socket and for the others at the same time (eventfd).
 *
 * Reference counted: whoever may have to signal holds it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct FerryWakeup FerryWakeup;

FerryWakeup *ferry_wakeup_new(void);
FerryWakeup *ferry_wakeup_ref(FerryWakeup *wakeup);
void ferry_wakeup_unref(FerryWakeup *wakeup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryWakeup, ferry_wakeup_unref)

/** Any thread: ends the present or the next wait. */
void ferry_wakeup_signal(FerryWakeup *wakeup);

/**
 * ferry_wakeup_wait:
 * @fd: a socket whose input ends the wait too, or -1
 * @deadline_us: g_get_monotonic_time() of the end of the wait; G_MAXINT64 for none
 * The waiting thread only. Returns: true when @fd has input or trouble.
 */
bool ferry_wakeup_wait(FerryWakeup *wakeup, int fd, gint64 deadline_us);
