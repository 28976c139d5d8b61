/* disk-plan.h: which disks move, which stay, and what stands in the way. Pure, any thread.
 *
 * Moved by default: every writable, non-shareable, local disk that the order does not call
 * attached. What this version cannot carry is an obstacle, found before anything is created; all
 * of them are reported.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/instance.h"

/**
 * ferry_disk_plan_make:
 * @instance: its disks get `migrate` and `why`; its `obstacles` grow by one per disk and reason:
 *   backing chain, block/network/volume/other type, CD-ROM or floppy with a medium, format other
 *   than qcow2 and raw, encryption, data file, internal snapshots, transient disk, qcow2 header
 *   that disagrees with the virtual size, unreadable header, two disks on one file, a shareable or
 *   read-only local disk (its file would be missing at the destination)
 * @wanted: (nullable): the order's `disks`: targets; NULL for the default
 * @error: FERRY_ERROR_INVALID_REQUEST when @wanted names a target twice, one the instance lacks, or
 *   one that cannot be copied by nature (read-only, empty)
 * A writable local disk that @wanted leaves out is an obstacle too: the guest would lose it.
 */
bool ferry_disk_plan_make(FerryInstance *instance,
                          const char *const *wanted,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_disk_plan_attach:
 * @attached: (nullable): the order's `attached_disks`: targets of disks that both hosts reach, by
 *   the caller's word; the plan that is made afterwards neither copies nor carries them
 * @error: FERRY_ERROR_INVALID_REQUEST when one names no disk of the instance, or an empty drive
 */
bool ferry_disk_plan_attach(FerryInstance *instance,
                            const char *const *attached,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: how many disks move. */
guint ferry_disk_plan_count(const FerryInstance *instance);

/** Returns: the sum of allocation_bytes of the disks that move. */
guint64 ferry_disk_plan_allocation(const FerryInstance *instance);

/** Returns: (transfer full): "vda, vdb": the targets of all disks, or of those that move. */
char *ferry_disk_plan_targets(const FerryInstance *instance, bool moving);
