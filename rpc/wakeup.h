/* wakeup.h: an eventfd that lets a thread wait for a socket and for other threads at once.
 *
 * Reference counted: every thread that signals it holds a reference.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct FerryWakeup FerryWakeup;

FerryWakeup *ferry_wakeup_new(void);
FerryWakeup *ferry_wakeup_ref(FerryWakeup *wakeup);
void ferry_wakeup_unref(FerryWakeup *wakeup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryWakeup, ferry_wakeup_unref)

/** Ends the present wait, or the next one. Any thread. */
void ferry_wakeup_signal(FerryWakeup *wakeup);

/**
 * ferry_wakeup_wait:
 * @fd: a socket whose input ends the wait too, or -1
 * @deadline_us: g_get_monotonic_time() of the end of the wait; G_MAXINT64 for none
 * The waiting thread only. Returns: true when @fd has input or an error.
 */
bool ferry_wakeup_wait(FerryWakeup *wakeup, int fd, gint64 deadline_us);
