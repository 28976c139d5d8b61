/* bounded-call.h: a call into libvirt that may hang, waited for no longer than a limit.
 *
 * libvirt has no time limit of its own for most calls: with a QEMU whose monitor is stuck they wait
 * without end. Such a call gets a thread; when the time is up, or nobody wants the answer any more,
 * its caller goes on and the thread is left behind, to end when libvirt answers or the process does.
 *
 * Threads: any but main.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

/** Works on @data, which nobody else touches meanwhile. */
typedef bool (*FerryBoundedFunc)(gpointer data, GError **error);

/**
 * ferry_bounded_call:
 * @what: for the error's message: what did not come to an end
 * @data: (transfer full): freed with @free_data by whoever is last
 * @cancellable: (nullable): ends the waiting, not the call
 * @error: what @func said; FERRY_ERROR_HYPERVISOR_UNAVAILABLE when the time was up;
 *   FERRY_ERROR_CANCELLED
 * Returns: (transfer full): @data again once @func succeeded; NULL with @error.
 */
gpointer ferry_bounded_call(FerryBoundedFunc func,
                            gpointer data,
                            GDestroyNotify free_data,
                            guint limit_s,
                            const char *what,
                            GCancellable *cancellable,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true while a call runs, waited for or left behind: what it uses must not be freed. */
bool ferry_bounded_call_runs(void);
