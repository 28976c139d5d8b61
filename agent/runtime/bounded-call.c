#include "config.h"

#include "runtime/bounded-call.h"

#include "ferry/error.h"
#include "runtime/libvirt-daemons.h"

gpointer
ferry_bounded_call(const FerryDetachedWork *work,
                   guint limit_s,
                   const char *what,
                   GCancellable *cancellable,
                   GError **error)
{
    g_autoptr(FerryDetachedCall) call = ferry_detached_call_start(work);

    switch (ferry_detached_call_wait(call, limit_s * 1000, cancellable)) {
    case FERRY_CALL_OVER:
        return ferry_detached_call_result(call, error) ? ferry_detached_call_take_data(call) : NULL;
    case FERRY_CALL_LATE:
        ferry_set_error(
            error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE, ferry_libvirt_hint(FERRY_LIBVIRT_IS_SILENT),
            "%s did not come to an end in %u s; libvirt or QEMU may hang", what, limit_s);
        break;
    case FERRY_CALL_CANCELLED:
        ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "%s was not waited for", what);
        break;
    }
    return NULL;
}
