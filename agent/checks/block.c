#include "config.h"

#include "checks/block.h"

#include "checks/incoming-instances.h"
#include "ferry/error.h"
#include "journal/journal.h"
#include "model/block-volume.h"
#include "model/paths.h"
#include "virt/block.h"

/* --- one disk --------------------------------------------------------------------------------- */

/* The source has looked, too; but its word is a stranger's here. */
static bool
check_layout(const FerryCheckScene *scene, const FerryDisk *disk)
{
    bool off = ferry_instance_is_shut_off(scene->instance);
    g_autofree char *fault = ferry_block_volume_fault(disk);

    if (!fault && !off && disk->capacity_bytes > 0)
        return true;
    ferry_checks_add(scene->checks, "layout", FERRY_CHECK_FAIL,
                     "Plain volumes of known size move, of an instance that runs", "Disk '%s' %s",
                     disk->target,
                     fault ? fault
                     : off ? "is a block volume"
                           : "has no size");
    return false;
}

static void
refuse_existing(const FerryCheckScene *scene, const FerryDisk *disk, const char *path)
{
    g_autoptr(FerryCreation) ours = ferry_journal_creation_find(scene->agent->journal, path, NULL);

    if (ours)
        ferry_checks_add(scene->checks, "disk-exists", FERRY_CHECK_FAIL,
                         "End that migration: virt-ferry resolve removes what it made, unless "
                         "something uses it",
                         "Disk '%s': the migration '%s' made the volume '%s' and has not ended "
                         "well",
                         disk->target, ours->migration_id, path);
    else
        ferry_checks_add(
            scene->checks, "disk-exists", FERRY_CHECK_FAIL,
            "Look whose it is and delete it (virsh vol-delete). One that the instance "
            "left here stays as well: nothing tells who has written to a device since. "
            "source_disks \"delete\" leaves none",
            "Disk '%s': the volume '%s' is there already", disk->target, path);
}

static void
check_place(const FerryCheckScene *scene, const FerryDisk *disk, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryBlockVolume) volume = {0};
    FerryPresence presence = ferry_virt_block_presence(scene->connection, path, &volume, &error);

    if (presence == FERRY_PRESENCE_UNKNOWN)
        ferry_checks_add_error(scene->checks, "pool", error);
    /* A link that no volume belongs to, or a volume that is not active: both are in the way. */
    else if (presence == FERRY_PRESENCE_ACTIVE || ferry_path_presence(path) == FERRY_PATH_THERE)
        refuse_existing(scene, disk, path);
    else
        ferry_checks_add(scene->checks, "disk-exists", FERRY_CHECK_PASS, NULL, "Nothing is at '%s'",
                         path);
}

void
ferry_check_block_volume(const FerryCheckScene *scene, const FerryDisk *disk)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;

    if (!check_layout(scene, disk))
        return;
    if (!ferry_disk_path_check(disk, (const char *const *)scene->agent->config->allowed_paths,
                               &path, &error)) {
        ferry_checks_add_error(scene->checks, "path", error);
        return;
    }
    ferry_checks_add(scene->checks, "path", FERRY_CHECK_PASS, NULL, "'%s' lies in an allowed path",
                     path);
    check_place(scene, disk, path);
}

/* --- space ------------------------------------------------------------------------------------ */

/* What @instance's volumes in @folder take; with @missing those only that are not there yet. */
static guint64
demand_of(const FerryInstance *instance, const char *folder, bool missing)
{
    guint64 bytes = 0;

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_autofree char *own = disk->source ? g_path_get_dirname(disk->source) : NULL;

        if (!disk->migrate || !ferry_disk_is_block(disk) || g_strcmp0(own, folder) != 0 ||
            (missing && ferry_path_presence(disk->source) == FERRY_PATH_THERE))
            continue;
        if (!g_uint64_checked_add(&bytes, bytes, disk->capacity_bytes))
            return G_MAXUINT64;
    }
    return bytes;
}

/* What open migrations are to get and have not got yet. */
static bool
demand_of_others(const FerryCheckScene *scene,
                 const char *folder,
                 guint64 *ret_bytes,
                 GError **error)
{
    g_autoptr(GPtrArray) open = ferry_journal_list_incoming(scene->agent->journal, error);
    guint64 bytes = 0;

    if (!open)
        return false;

    g_autoptr(GPtrArray) others = ferry_incoming_others(open, scene->instance->uuid);

    for (guint i = 0; i < others->len; i++) {
        guint64 demand = demand_of(g_ptr_array_index(others, i), folder, /* missing= */ true);

        if (!g_uint64_checked_add(&bytes, bytes, demand))
            bytes = G_MAXUINT64;
    }
    *ret_bytes = bytes;
    return true;
}

static void
check_group(const FerryCheckScene *scene, const char *folder)
{
    guint64 wanted = demand_of(scene->instance, folder, /* missing= */ false);
    guint64 others = 0;
    guint64 room = 0;
    g_autoptr(GError) error = NULL;

    /* That no pool has it was said. */
    if (!ferry_virt_block_free_bytes(scene->connection, folder, &room, NULL))
        return;
    if (!demand_of_others(scene, folder, &others, &error)) {
        ferry_checks_add_error(scene->checks, "space", error);
        return;
    }

    bool fits = others <= room && wanted <= room - others;

    ferry_checks_add(scene->checks, "space", fits ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL,
                     fits ? NULL : "Extend the volume group, or delete volumes of it",
                     "The volume group of '%s' has %" G_GUINT64_FORMAT
                     " MiB free (%" G_GUINT64_FORMAT
                     " MiB of them promised to other incoming migrations); the volumes take "
                     "%" G_GUINT64_FORMAT " MiB",
                     folder, room >> 20, others >> 20, wanted >> 20);
}

void
ferry_check_block_space(const FerryCheckScene *scene)
{
    g_autoptr(GHashTable) folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < scene->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(scene->instance->disks, i);
        g_autofree char *folder = NULL;

        if (!disk->migrate || !ferry_disk_is_block(disk))
            continue;
        folder = g_path_get_dirname(disk->source);
        if (g_hash_table_add(folders, g_strdup(folder)))
            check_group(scene, folder);
    }
}
