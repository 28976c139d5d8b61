/* block-volume.h: disks that are volumes of a volume group. Pure but for the look at folders, any
 * thread.
 *
 * A disk of the type "block" moves when libvirt's pool of the type "logical" has its device as a
 * plain volume: then the destination makes one of the same size under the same path.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/instance.h"

/** Returns: true for a disk of the type "block", whether it can move or not. */
bool ferry_disk_is_block(const FerryDisk *disk);

/** Returns: (transfer full) (nullable): why this disk of the type "block" cannot move, for a
 * sentence that begins with the disk; `pool` is NULL where no pool vouches for the device. */
char *ferry_block_volume_fault(const FerryDisk *disk);

/**
 * ferry_disk_path_check:
 * Of a file as ferry_path_check() of its source. Of a block volume its folder, /dev/GROUP, has to
 * be allowed: the volume in it is a link by nature, and for where that leads libvirt's pool
 * vouches.
 * @ret_resolved: (nullable) (out) (transfer full)
 * @error: FERRY_ERROR_PATH_NOT_ALLOWED; also for a name that is none of LVM's
 */
bool ferry_disk_path_check(const FerryDisk *disk,
                           const char *const *allowed,
                           char **ret_resolved,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
