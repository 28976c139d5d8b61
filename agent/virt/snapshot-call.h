/* snapshot-call.h: what is asked of QEMU for overlays: the snapshot, and a look at a commit. QEMU's
 * monitor may be stuck, and libvirt then waits for it without end; so both are detached calls
 * (runtime/detached-call.h) that are left behind after a time.
 *
 * Threads: any but main.
 */
#pragma once

#include <gio/gio.h>
#include <libvirt/libvirt.h>

#include "virt/snapshot.h"

/* A snapshot: as for ferry_virt_snapshot_make(). */
typedef struct {
    virConnectPtr connection; /* what the domain was found on; both go with the call */
    virDomainPtr domain;
    GPtrArray *overlays; /* FerryOverlay; kept while the call lasts */
    bool created;
} FerrySnapshotTarget;

/**
 * ferry_snapshot_call_run:
 * @target: copied; connection and domain are handed over
 * @cancellable: ends the waiting once it takes longer than a snapshot ever should
 * @error: libvirt's; FERRY_ERROR_HYPERVISOR_UNAVAILABLE when the time was up;
 *   FERRY_ERROR_CANCELLED. After the last two the snapshot may still come to stand
 */
bool ferry_snapshot_call_run(const FerrySnapshotTarget *target,
                             GCancellable *cancellable,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The commit of an overlay. */
typedef struct {
    FerryVirt *virt;
    const char *uuid;
    GPtrArray *overlays; /* FerryOverlay */
    guint index;         /* of the one that is meant */
} FerryCommitTarget;

/** As ferry_virt_overlay_commit(). @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE, too. */
bool ferry_commit_call_run(const FerryCommitTarget *target,
                           guint wait_ms,
                           FerryCommit *commit,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
