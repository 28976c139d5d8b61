#include "config.h"

#include "model/storage-strategy.h"

#include "model/overlay.h"
#include "model/thin-way.h"

#include <string.h>

#define MAX_NAME_BYTES 255

static bool
is_raw(const FerryDisk *disk)
{
    return g_strcmp0(disk->format, "raw") == 0;
}

static bool
is_wanted(const FerryDisk *disk)
{
    return disk->seeded || disk->seed_wanted;
}

/* Returns: NULL when the disk can be seeded, or why not. */
static const char *
seed_obstacle(const FerryDisk *disk, const FerryOrderOptions *options)
{
    g_autofree char *name = g_path_get_basename(disk->source);

    if (g_strcmp0(disk->type, "file") != 0)
        return "it is no file that could be sent frozen";
    if (options->pool_map || options->disk_formats)
        return "it may become something else on its way, which the mirror sees to";
    if (options->source_disks == FERRY_SOURCE_DISKS_QUARANTINE)
        return "an image in quarantine has to be whole";
    if (disk->encrypted)
        return "it is encrypted, which its overlay would not be";
    if (disk->qcow2.bitmaps)
        return "its image has dirty bitmaps, which a mirror leaves behind and a seed would not";
    if (!disk->pool)
        return "no active storage pool holds it";
    if (strlen(name) + FERRY_OVERLAY_EXTRA_BYTES > MAX_NAME_BYTES)
        return "its file's name is too long for an overlay beside it";
    return NULL;
}

/* A seed leaves zeroes out, too, but a mirror finds smaller ones. */
static const char *
better_mirrored(const FerryOrderOptions *options)
{
    return options->sparsify ? "a mirror finds more of the zeroes that are to become holes" : NULL;
}

static guint64
holes(const FerryDisk *disk)
{
    return disk->capacity_bytes > disk->allocation_bytes
               ? disk->capacity_bytes - disk->allocation_bytes
               : 0;
}

static guint64
worth_bytes(guint64 bandwidth_mibps)
{
    if (bandwidth_mibps == 0 || bandwidth_mibps >= (FERRY_SEED_HOLES_BYTES >> 20))
        return FERRY_SEED_HOLES_BYTES;
    return MIN(FERRY_SEED_HOLES_BYTES, (bandwidth_mibps << 20) * FERRY_SEED_HOLES_S);
}

/* An agent of before would take any seed for a raw one: only one that knows qcow2 seeds looks for
 * what is wanted. */
static void
decide(FerryDisk *disk, bool seeded, char *why)
{
    disk->seeded = seeded && is_raw(disk);
    disk->seed_wanted = seeded && !is_raw(disk);
    g_free(disk->strategy_why);
    disk->strategy_why = why;
}

static void
choose_by_layout(FerryDisk *disk, const FerryOrderOptions *options, bool walks_holes)
{
    const char *obstacle = seed_obstacle(disk, options);
    guint64 hole_bytes = holes(disk);

    disk->may_seed = !obstacle;
    if (!obstacle)
        obstacle = better_mirrored(options);
    if (obstacle)
        decide(disk, false, g_strdup(obstacle));
    else if (!is_raw(disk))
        decide(disk, false,
               g_strdup("a mirror of it visits allocated clusters only, which costs no more"));
    else if (!walks_holes)
        decide(disk, false,
               g_strdup("QEMU here asks the destination what reads as zeroes: its "
                        "mirror walks no holes"));
    else if (hole_bytes < worth_bytes(options->bandwidth_mibps))
        decide(disk, false, g_strdup("raw with few holes: a mirror has little to walk in vain"));
    else
        decide(disk, true,
               g_strdup_printf("raw and sparse: a mirror would walk %" G_GUINT64_FORMAT
                               " MiB of holes",
                               hole_bytes >> 20));
}

static void
force_seed(FerryInstance *instance, FerryDisk *disk, const FerryOrderOptions *options)
{
    const char *obstacle = seed_obstacle(disk, options);
    g_autofree char *message = NULL;

    if (!obstacle)
        obstacle = better_mirrored(options);
    decide(disk, !obstacle, g_strdup(obstacle ? obstacle : "by order"));
    if (!obstacle)
        return;
    message = g_strdup_printf("Disk \"%s\" cannot be seeded: %s", disk->target, obstacle);
    ferry_instance_add_obstacle(instance, "storage-strategy", message,
                                "Leave storage_strategy at \"auto\", which mirrors such a disk");
}

void
ferry_storage_strategy_choose(FerryInstance *instance, const FerryOrderOptions *options)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (!disk->migrate)
            continue;
        if (ferry_instance_is_shut_off(instance)) {
            decide(disk, false, g_strdup("the instance does not run: its files are carried"));
            continue;
        }
        switch (options->storage_strategy) {
        case FERRY_STORAGE_AUTO:
            choose_by_layout(disk, options, ferry_thin_way_walks_holes(instance));
            break;
        case FERRY_STORAGE_MIRROR:
            decide(disk, false, g_strdup("by order"));
            break;
        case FERRY_STORAGE_SEEDED:
            force_seed(instance, disk, options);
            break;
        }
    }
}

void
ferry_storage_strategy_avoid_seeds(FerryInstance *instance,
                                   const FerryOrderOptions *options,
                                   const char *why)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (options->storage_strategy != FERRY_STORAGE_AUTO)
            continue;
        disk->may_seed = false;
        if (is_wanted(disk))
            decide(disk, false, g_strdup(why));
    }
}

GPtrArray *
ferry_storage_strategy_seedable(const FerryInstance *instance, const FerryOrderOptions *options)
{
    GPtrArray *seedable = g_ptr_array_new();

    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->may_seed && !is_wanted(disk) && !better_mirrored(options))
            g_ptr_array_add(seedable, disk);
    }
    return seedable;
}

void
ferry_storage_strategy_prefer_seeds(FerryInstance *instance,
                                    const FerryOrderOptions *options,
                                    const char *why)
{
    g_autoptr(GPtrArray) seedable = ferry_storage_strategy_seedable(instance, options);

    for (guint i = 0; i < seedable->len; i++)
        decide(g_ptr_array_index(seedable, i), true, g_strdup(why));
}

void
ferry_storage_strategy_adopt(FerryInstance *instance, const FerryMigrateData *migrate_data)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        const FerryMigrateVolume *volume = ferry_migrate_data_find(migrate_data, disk->target);
        bool seeded = volume && volume->seeded;

        if (!disk->migrate)
            continue;
        if (seeded != is_wanted(disk))
            decide(disk, seeded,
                   g_strdup(seeded && disk->may_seed
                                ? "a mirror between these two hosts would allocate it in full"
                                : "as the destination was prepared"));
        disk->seeded = seeded;
        disk->seed_wanted = false;
    }
}

const char *
ferry_storage_strategy_of(const FerryInstance *instance, const FerryDisk *disk)
{
    if (ferry_instance_is_shut_off(instance))
        return "copy";
    return is_wanted(disk) ? "seeded" : "mirror";
}

const char *
ferry_storage_strategy_word(const FerryInstance *instance)
{
    if (instance && ferry_instance_is_shut_off(instance))
        return "copy";
    for (guint i = 0; instance && i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate && is_wanted(disk))
            return "seeded";
    }
    return "mirror";
}
