/* transfer-call.h: libvirt's blocking migration call as a detached call, because libvirt may answer
 * after the agent began to stop.
 *
 * Threads: the migration's saga thread starts it.
 */
#pragma once

#include "model/instance.h"
#include "runtime/detached-call.h"
#include "source/migration.h"

/** Returns: the limit that each of @instance's disks gets of the order's @bandwidth_mibps, which is
 * for all together: libvirt gives the same to each. 0: no limit. */
guint64 ferry_transfer_disk_share(const FerryInstance *instance, guint64 bandwidth_mibps);

/** Returns: whether the last call told QEMU what the link takes at the switchover. Saga thread. */
bool ferry_transfer_told_switchover(const FerryMigration *migration);

/**
 * ferry_transfer_call_start:
 * Starts the call for @migration's planned disks, on a connection of its own.
 * @watch: woken when the call is over, while the caller holds it
 * @resume: it takes up a post-copy that broke off
 * Returns: a call whose result is that of ferry_virt_migrate(); NULL with
 *   FERRY_ERROR_HYPERVISOR_UNAVAILABLE or FERRY_ERROR_INSTANCE_NOT_FOUND; nothing was started then.
 */
FerryDetachedCall *ferry_transfer_call_start(FerryMigration *migration,
                                             FerryVirtWatch *watch,
                                             bool resume,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
