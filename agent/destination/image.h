/* image.h: thin images on the destination, made with provenance (preparation.h), and undone.
 *
 * No file is ever overwritten, but for what the same instance left behind here when it moved away
 * (storage/leftover.h). Threads: any but main; blocks as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "destination/preparation.h"
#include "model/image-plan.h"

/**
 * ferry_image_ensure:
 * Makes the pool of the plan's folder, its images, of exactly their sizes, and removes overlays
 * that an earlier stay of the instance left beside them. Idempotent: an image that this migration
 * made before is taken as it is.
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS, FERRY_ERROR_MIGRATION_ERROR
 * Returns: (transfer full): the name of the pool.
 */
char *ferry_image_ensure(const FerryPreparation *preparation,
                         const FerryImagePlan *plan,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_image_renew:
 * Removes @image, one of the plan's that this migration made, and makes it anew, empty.
 * @error: as ferry_image_undo() and ferry_image_ensure()
 */
bool ferry_image_renew(const FerryPreparation *preparation,
                       const FerryImagePlan *plan,
                       const FerryNewImage *image,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Deletes what @creation tells of. One that is gone counts as deleted; one in use, and one that
 * nothing proves to be what was made (files/own-file.h), is an error. */
bool ferry_image_undo(const FerryAgent *agent,
                      virConnectPtr connection,
                      const FerryCreation *creation,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true unless the image of the row @creation, made by a migration, is gone or holds what
 * it held when it was made: nothing. */
bool ferry_image_may_hold_data(const FerryAgent *agent,
                               virConnectPtr connection,
                               const FerryCreation *creation);

/** Returns: true when something was written to one of @migration_id's images since @since_us
 * (UTC). */
bool ferry_image_is_filling(const FerryAgent *agent,
                            virConnectPtr connection,
                            const char *migration_id,
                            gint64 since_us);
