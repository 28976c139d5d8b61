/* image-plan.h: what a destination makes for a disk that comes: under which paths, of which format
 * and size, on what. Decided once, before anything is made; makers read it. Pure but for the look
 * at folders, any thread.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "model/instance.h"
#include "model/new-image.h"

/* How the content of a disk comes. */
typedef enum {
    FERRY_IMAGE_MIRRORED, /* QEMU writes it into an empty image */
    FERRY_IMAGE_SEEDED,   /* its file grows from front to back, the guest writes into an overlay */
    FERRY_IMAGE_CARRIED,  /* the file is brought as it is (destination/import.h): nothing is made */
    FERRY_IMAGE_BLOCK_VOLUME, /* QEMU writes it into a volume of a volume group */
} FerryImageWay;

typedef struct {
    const FerryDisk *disk; /* as it is on this host; the instance's, which outlives the plan */
    FerryImageWay way;
    char *path;              /* resolved and allowed */
    char *folder;            /* of the pool that has it */
    char *pool;              /* what a new pool for the folder is called; NULL: none is to stay */
    char *beside;            /* the disk's own name in its resolved folder: where that is a link,
                                overlays lie beside it and not beside what it leads to */
    char *overlay_path;      /* of a seeded disk, else NULL */
    FerryNewImage images[2]; /* in the order in which they are made */
    guint image_count;       /* 0 for what is carried, and for a block volume */
} FerryImagePlan;

/**
 * ferry_image_plan_new:
 * @instance: as it is on this host (placement.h)
 * @disk: one of its disks, that moves
 * @allowed_paths: the configuration's
 * @error: FERRY_ERROR_PATH_NOT_ALLOWED
 */
FerryImagePlan *ferry_image_plan_new(const FerryInstance *instance,
                                     const FerryDisk *disk,
                                     const char *migration_id,
                                     const char *const *allowed_paths,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_image_plan_free(FerryImagePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryImagePlan, ferry_image_plan_free)

/**
 * ferry_image_plans_new:
 * @error: as ferry_image_plan_new(), beginning with the disk;
 *   FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR: the instance cannot be placed here
 * Returns: (transfer full) (element-type FerryImagePlan): one for each disk that moves.
 */
GPtrArray *ferry_image_plans_new(const FerryInstance *instance,
                                 const char *migration_id,
                                 const char *const *allowed_paths,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none) (nullable): the image that a mirror writes to, which has to read as
 * zeroes before; NULL where there is none or QEMU writes all of it. */
const FerryNewImage *ferry_image_plan_mirrored(const FerryImagePlan *plan);

/** Returns: (transfer full): its entry in `volumes` of `migrate_data`. @pool: that has it. */
json_t *ferry_image_plan_to_json(const FerryImagePlan *plan, const char *pool);
