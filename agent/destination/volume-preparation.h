/* volume-preparation.h: block volumes on the destination, made with provenance and undone by it.
 *
 * As images are (preparation.h): journaled before they are made, with LVM's UUID once they are, so that
 * another volume that has come under the same name is left alone. Threads: any but main.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "journal/journal.h"
#include "model/instance.h"
#include "runtime/agent.h"

/**
 * ferry_volume_prepare:
 * Makes the volume of exactly the disk's size. Idempotent: what @creations tell of is taken as it is.
 * @ret_pool: (transfer full): that has it
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS, FERRY_ERROR_PATH_NOT_ALLOWED,
 *   FERRY_ERROR_MIGRATION_ERROR: no room, or extents that the size is no multiple of
 */
bool ferry_volume_prepare(const FerryAgent *agent,
                          virConnectPtr connection,
                          const char *migration_id,
                          const GPtrArray *creations,
                          const FerryDisk *disk,
                          char **ret_pool,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Deletes what @creation tells of. One that is gone counts as deleted; one in use, one that libvirt
 * cannot see now and another one of that name are errors. */
bool ferry_volume_undo(virConnectPtr connection,
                       const FerryCreation *creation,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
