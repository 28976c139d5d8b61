/* bounded-call.h: a detached call (detached-call.h) that is waited for no longer than a limit.
 *
 * Threads: any but main.
 */
#pragma once

#include "runtime/detached-call.h"

/**
 * ferry_bounded_call:
 * @work: its data are freed by whoever is last, or come back
 * @what: for the error's message: what did not come to an end
 * @cancellable: (nullable): ends the waiting, not the call
 * @error: what @work's function said; FERRY_ERROR_HYPERVISOR_UNAVAILABLE when the time was up;
 *   FERRY_ERROR_CANCELLED
 * Returns: (transfer full): the data again once the function succeeded; NULL with @error.
 */
gpointer ferry_bounded_call(const FerryDetachedWork *work,
                            guint limit_s,
                            const char *what,
                            GCancellable *cancellable,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
