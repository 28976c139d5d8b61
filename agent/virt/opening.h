/* opening.h: opening a connection to a libvirt, here or there. It can hang, and then the thread
 * that does it is left behind.
 *
 * Threads: any but main.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <libvirt/libvirt.h>

/* What can be opened: how soon a far side that stands still is noticed goes with it. */
typedef struct {
    const char *uri;
    const char *thread; /* the name of the one that is left behind when it hangs */
    int keepalive_s;
    unsigned int keepalive_count;
} FerryOpening;

/** The host's own libvirt at @uri; @thread as above. */
FerryOpening ferry_opening_of_host(const char *uri, const char *thread);

/**
 * ferry_opening_run:
 * May hang.
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE
 * Returns: (transfer full): a connection of the caller's own.
 */
virConnectPtr ferry_opening_run(const FerryOpening *opening,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_opening_run_bounded:
 * Takes FERRY_OPEN_LIMIT_S at most.
 * @cancellable: (nullable): ends the waiting
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE, also when it does not answer; FERRY_ERROR_CANCELLED
 * Returns: (transfer full): a connection of the caller's own.
 */
virConnectPtr ferry_opening_run_bounded(const FerryOpening *opening,
                                        GCancellable *cancellable,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
