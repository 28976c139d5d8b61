/* block-volume.h: block volumes on the destination, made with provenance (preparation.h), and undone.
 *
 * Journaled as images are, with LVM's UUID once they are made, so that another volume that has come
 * under the same name is left alone. Threads: any but main; blocks as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "destination/preparation.h"
#include "model/image-plan.h"

/**
 * ferry_block_volume_ensure:
 * Makes the volume of exactly the disk's size. Idempotent: what this migration made before is taken
 * as it is.
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS; FERRY_ERROR_MIGRATION_ERROR: no space, or extents that
 *   the size is no multiple of
 * Returns: (transfer full): the name of the pool that has it.
 */
char *ferry_block_volume_ensure(const FerryPreparation *preparation,
                                const FerryImagePlan *plan,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Deletes what @creation tells of. One that is gone counts as deleted; one in use, one that libvirt
 * cannot see now and another one of that name are errors. */
bool ferry_block_volume_undo(virConnectPtr connection,
                             const FerryCreation *creation,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
