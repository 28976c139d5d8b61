/* block.h: volumes of volume groups, as libvirt's pools of the type "logical" have them.
 *
 * Such a pool vouches for a device: /dev/GROUP/VOLUME is a link to wherever device-mapper put it,
 * so its path alone proves nothing. Threads: any but main; every call may block as long as libvirtd
 * does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "virt/presence.h"

/* A volume as its pool shows it. A plain value. */
typedef struct {
    char *pool;
    char *key;  /* LVM's UUID: another volume of the same name has another */
    bool plain; /* on extents of its own; neither thin nor a snapshot of another one */
    guint64 capacity_bytes;
} FerryBlockVolume;

void ferry_block_volume_clear(FerryBlockVolume *volume);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryBlockVolume, ferry_block_volume_clear)

/**
 * ferry_virt_block_presence:
 * @path: as the pool spells it
 * Returns: ACTIVE with @ret_volume filled; ABSENT: the group has no active volume of that name, and
 *   @ret_volume says but the pool;
 *   UNKNOWN: no active pool of the type "logical" has the folder, or libvirt does not say.
 */
FerryPresence ferry_virt_block_presence(virConnectPtr connection,
                                        const char *path,
                                        FerryBlockVolume *ret_volume,
                                        GError **error);

/**
 * ferry_virt_block_free_bytes:
 * @folder: of a group
 * @ret_bytes: that no volume has
 */
bool ferry_virt_block_free_bytes(virConnectPtr connection,
                                 const char *folder,
                                 guint64 *ret_bytes,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_block_create:
 * Makes a volume that has all its extents. What others left on them shows through.
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS, or FERRY_ERROR_MIGRATION_ERROR: no room, no pool
 */
bool ferry_virt_block_create(virConnectPtr connection,
                             const char *path,
                             guint64 capacity_bytes,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
