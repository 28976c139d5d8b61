#include "config.h"

#include "model/image-plan.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/block-volume.h"
#include "model/overlay.h"
#include "model/paths.h"

/* What the guest writes while its seed is on the way; the source's overlay is another file. */
static const FerryQcow2 OVERLAY = {
    .known = true,
    .version = 3,
    .cluster_size_bytes = 65536,
    .refcount_bits = 16,
};

void
ferry_image_plan_free(FerryImagePlan *plan)
{
    if (!plan)
        return;
    g_free(plan->path);
    g_free(plan->folder);
    g_free(plan->pool);
    g_free(plan->beside);
    g_free(plan->overlay_path);
    g_free(plan);
}

static FerryImageWay
way_of(const FerryInstance *instance, const FerryDisk *disk)
{
    if (ferry_disk_is_block(disk))
        return FERRY_IMAGE_BLOCK_VOLUME;
    if (ferry_instance_is_shut_off(instance))
        return FERRY_IMAGE_CARRIED;
    return disk->seeded ? FERRY_IMAGE_SEEDED : FERRY_IMAGE_MIRRORED;
}

/* The header of an image gets the very name that the source's has. What it leads to is brought
 * later, and was checked to be the first layer (chain.h). */
static FerryBacking
backing_of(const FerryDisk *disk)
{
    if (disk->layers->len == 0)
        return (FerryBacking){0};

    const FerryLayer *first = g_ptr_array_index(disk->layers, 0);

    return (FerryBacking){
        .path = disk->qcow2.backing_name,
        .format = first->format,
        .missing = true,
    };
}

static void
plan_mirrored(FerryImagePlan *self)
{
    const FerryDisk *disk = self->disk;

    self->images[self->image_count++] = (FerryNewImage){
        .path = self->path,
        .format = disk->format,
        .capacity_bytes = disk->capacity_bytes,
        .qcow2 = disk->qcow2.known ? &disk->qcow2 : NULL,
        .backing = backing_of(disk),
        .owner = &disk->owner,
        .secret_uuid = disk->secret_uuid,
    };
}

/* The length of the seed's file tells how much of it has arrived, so it begins without any: as yet
 * a qcow2 image is none. */
static void
plan_seeded(FerryImagePlan *self, const char *migration_id)
{
    const FerryDisk *disk = self->disk;

    self->overlay_path = ferry_overlay_path(self->beside, migration_id);
    self->images[self->image_count++] = (FerryNewImage){
        .path = self->path,
        .format = "raw",
        .capacity_bytes = 0,
        .owner = &disk->owner,
        .secret_uuid = disk->secret_uuid,
    };
    self->images[self->image_count++] = (FerryNewImage){
        .path = self->overlay_path,
        .format = "qcow2",
        .capacity_bytes = disk->capacity_bytes,
        .qcow2 = &OVERLAY,
        .backing = {.path = disk->source,
                    .format = disk->format,
                    .missing = g_strcmp0(disk->format, "raw") != 0},
        .owner = &disk->owner,
        .secret_uuid = disk->secret_uuid,
    };
}

static void
plan_images(FerryImagePlan *self, const char *migration_id)
{
    switch (self->way) {
    case FERRY_IMAGE_MIRRORED:
        plan_mirrored(self);
        break;
    case FERRY_IMAGE_SEEDED:
        plan_seeded(self, migration_id);
        break;
    case FERRY_IMAGE_CARRIED:
    case FERRY_IMAGE_BLOCK_VOLUME:
        break;
    }
}

/* A path that is no link has its own name in its resolved folder already. */
static bool
find_beside(const FerryDisk *disk,
            const char *path,
            const char *const *allowed_paths,
            char **ret_beside,
            GError **error)
{
    g_autofree char *spelled = g_path_get_dirname(disk->source);
    g_autofree char *name = g_path_get_basename(disk->source);
    g_autofree char *folder = NULL;

    if (ferry_disk_is_block(disk))
        *ret_beside = g_strdup(path);
    else if (ferry_path_check_folder(spelled, allowed_paths, &folder, error))
        *ret_beside = g_build_filename(folder, name, NULL);
    return *ret_beside != NULL;
}

FerryImagePlan *
ferry_image_plan_new(const FerryInstance *instance,
                     const FerryDisk *disk,
                     const char *migration_id,
                     const char *const *allowed_paths,
                     GError **error)
{
    g_autofree char *path = NULL;
    g_autofree char *beside = NULL;

    if (!ferry_disk_path_check(disk, allowed_paths, &path, error) ||
        !find_beside(disk, path, allowed_paths, &beside, error))
        return NULL;

    FerryImagePlan *self = g_new0(FerryImagePlan, 1);

    self->disk = disk;
    self->way = way_of(instance, disk);
    /* A pool of the type "logical" spells its group as the source's does. */
    self->folder = g_path_get_dirname(self->way == FERRY_IMAGE_BLOCK_VOLUME ? disk->source : path);
    self->pool = g_strdup(disk->pool);
    self->path = g_steal_pointer(&path);
    self->beside = g_steal_pointer(&beside);
    plan_images(self, migration_id);
    return self;
}

/* The checks said it too, but a repetition after a crash does not run them again. */
static bool
is_placed(const FerryInstance *instance, GError **error)
{
    if (instance->obstacles->len == 0)
        return true;

    const FerryObstacle *obstacle = g_ptr_array_index(instance->obstacles, 0);

    ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR, obstacle->hint, "%s",
                    obstacle->message);
    return false;
}

GPtrArray *
ferry_image_plans_new(const FerryInstance *instance,
                      const char *migration_id,
                      const char *const *allowed_paths,
                      GError **error)
{
    g_autoptr(GPtrArray) plans =
        g_ptr_array_new_with_free_func((GDestroyNotify)ferry_image_plan_free);

    if (!is_placed(instance, error))
        return NULL;
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (!disk->migrate)
            continue;

        FerryImagePlan *plan =
            ferry_image_plan_new(instance, disk, migration_id, allowed_paths, error);

        if (!plan) {
            g_prefix_error(error, "Disk '%s': ", disk->target);
            return NULL;
        }
        g_ptr_array_add(plans, plan);
    }
    return g_steal_pointer(&plans);
}

const FerryNewImage *
ferry_image_plan_mirrored(const FerryImagePlan *plan)
{
    /* Of a seeded disk that is the overlay, the last one. */
    return plan->image_count > 0 ? &plan->images[plan->image_count - 1] : NULL;
}

json_t *
ferry_image_plan_to_json(const FerryImagePlan *plan, const char *pool)
{
    const FerryDisk *disk = plan->disk;

    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:b, s:b}", "target", ferry_json_text(disk->target),
                     "path", ferry_json_text(disk->source), "pool", ferry_json_text(pool), "format",
                     ferry_json_text(disk->format), "capacity_bytes",
                     (json_int_t)disk->capacity_bytes, "created", plan->way != FERRY_IMAGE_CARRIED,
                     "seeded", disk->seeded);
}
