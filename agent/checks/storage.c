#include "config.h"

#include "checks/storage.h"

#include "checks/block.h"
#include "checks/incoming-instances.h"
#include "files/rights.h"
#include "journal/journal.h"
#include "model/block-volume.h"
#include "model/carried-file.h"
#include "model/paths.h"
#include "model/placement.h"
#include "storage/leftover.h"
#include "storage/space-book.h"
#include "virt/pool.h"
#include "virt/presence.h"

#include <errno.h>
#include <sys/statvfs.h>

/* --- one disk --------------------------------------------------------------------------------- */

/* Ours from a migration that is not over, or a stranger's. */
static void
refuse_existing(const FerryCheckScene *scene, const FerryDisk *disk, const char *path)
{
    FerryCreation *ours = ferry_journal_creation_find(scene->agent->journal, path, NULL);

    if (ours)
        ferry_checks_add(scene->checks, "disk-exists", FERRY_CHECK_FAIL,
                         "End that migration: virt-ferry resolve removes what it made, unless "
                         "something uses it",
                         "Disk '%s': the migration '%s' made the file '%s' and has not ended well",
                         disk->target, ours->migration_id, path);
    else
        ferry_checks_add(scene->checks, "disk-exists", FERRY_CHECK_FAIL,
                         "Look whose it is and move it away; it is never overwritten",
                         "Disk '%s': the file '%s' is there already", disk->target, path);
    g_clear_pointer(&ours, ferry_creation_free);
}

static void
check_exists(const FerryCheckScene *scene, const FerryDisk *disk, const char *path)
{
    if (ferry_path_presence(path) != FERRY_PATH_THERE)
        ferry_checks_add(scene->checks, "disk-exists", FERRY_CHECK_PASS, NULL, "Nothing is at '%s'",
                         path);
    else if (ferry_leftover_may_replace(scene->agent, scene->connection, path,
                                        scene->instance->uuid))
        ferry_checks_add(scene->checks, "disk-exists", FERRY_CHECK_PASS, NULL,
                         "'%s' is what the instance left behind here; it is replaced", path);
    else
        refuse_existing(scene, disk, path);
}

static bool
format_is_known(const FerryDisk *disk)
{
    return g_strcmp0(disk->format, "qcow2") == 0 || g_strcmp0(disk->format, "raw") == 0;
}

static void
check_format(const FerryCheckScene *scene, const FerryDisk *disk)
{
    if (g_strcmp0(disk->type, "file") == 0 && format_is_known(disk) && disk->capacity_bytes > 0)
        return;
    ferry_checks_add(scene->checks, "layout", FERRY_CHECK_FAIL,
                     "Only file-backed qcow2 and raw images of known size are made here",
                     "Disk '%s' is of type '%s', format '%s', %" G_GUINT64_FORMAT " bytes",
                     disk->target, disk->type, disk->format, disk->capacity_bytes);
}

/* Returns: (transfer full) (nullable): where the disk's image would be made. */
static char *
place_of(const FerryAgent *agent, const FerryDisk *disk, GError **error)
{
    char *path = NULL;

    return ferry_path_check(disk->source, (const char *const *)agent->config->allowed_paths, &path,
                            error)
               ? path
               : NULL;
}

/* --- pools ------------------------------------------------------------------------------------ */

/* Images are made as files in a folder: the kinds of pool that are one. */
static bool
is_folder_pool(const char *type)
{
    static const char *const types[] = {"dir", "fs", "netfs", NULL};

    return g_strv_contains(types, type);
}

static void
check_pool(const FerryCheckScene *scene, const FerryDisk *disk, const char *directory)
{
    g_autofree char *name = NULL;
    g_autofree char *type = NULL;
    g_autoptr(GError) error = NULL;
    FerryPresence presence =
        ferry_virt_pool_presence(scene->connection, directory, &name, &type, &error);

    if (presence == FERRY_PRESENCE_UNKNOWN)
        ferry_checks_add_error(scene->checks, "pool", error);
    else if (presence == FERRY_PRESENCE_ABSENT)
        ferry_checks_add(scene->checks, "pool", FERRY_CHECK_PASS, NULL,
                         disk->pool ? "No pool has '%s'; one is made"
                                    : "No pool has '%s', nor has the source one: it is one for the "
                                      "time of the migration",
                         directory);
    else if (!is_folder_pool(type))
        ferry_checks_add(scene->checks, "pool", FERRY_CHECK_FAIL,
                         "Move the pool elsewhere, or the image to a folder of its own",
                         "'%s' belongs to the pool '%s' of type '%s', which holds no image files",
                         directory, name, type);
    else
        ferry_checks_add(
            scene->checks, "pool", FERRY_CHECK_PASS, NULL, "'%s' is the pool '%s'%s", directory,
            name, presence == FERRY_PRESENCE_ACTIVE ? "" : ", which is inactive; it is started");
}

/* --- space ------------------------------------------------------------------------------------ */

/* What is there already takes no more room. */
static void
book_files(FerrySpaceBook *book, const FerryAgent *agent, const FerryInstance *instance)
{
    g_autoptr(GPtrArray) files = ferry_carried_files_of(instance);

    for (guint i = 0; i < files->len; i++) {
        const FerryCarriedFile *file = g_ptr_array_index(files, i);
        g_autofree char *path = NULL;

        if (ferry_path_check(file->path, (const char *const *)agent->config->allowed_paths, &path,
                             NULL) &&
            ferry_path_presence(path) != FERRY_PATH_THERE)
            ferry_space_book_add(book, path, file->data_bytes, file->data_bytes);
    }
}

/* Returns: what the disk takes when it has arrived. */
static guint64
arriving_bytes(const FerryDisk *disk)
{
    return disk->arrives_full ? MAX(disk->capacity_bytes, disk->allocation_bytes)
                              : disk->allocation_bytes;
}

static void
book_disks(FerrySpaceBook *book, const FerryAgent *agent, const FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        bool file = disk->migrate && !ferry_disk_is_block(disk);
        g_autofree char *path = file ? place_of(agent, disk, NULL) : NULL;

        if (path)
            ferry_space_book_add(book, path, arriving_bytes(disk), disk->capacity_bytes);
    }
    book_files(book, agent, instance);
}

FerrySpaceBook *
ferry_check_storage_book(const FerryAgent *agent, const FerryInstance *instance)
{
    FerrySpaceBook *book = ferry_space_book_new();

    book_disks(book, agent, instance);
    return book;
}

/* What open migrations were promised and have not written yet; NULL with @error. */
static FerrySpaceBook *
book_others(const FerryAgent *agent, const FerryInstance *instance, GError **error)
{
    g_autoptr(GPtrArray) open = ferry_journal_list_incoming(agent->journal, error);

    if (!open)
        return NULL;

    g_autoptr(GPtrArray) others = ferry_incoming_others(open, instance->uuid);
    FerrySpaceBook *book = ferry_space_book_new();

    for (guint i = 0; i < others->len; i++)
        book_disks(book, agent, g_ptr_array_index(others, i));
    return book;
}

/* Not an error: it may well fit. */
static void
warn_of_full(const FerryCheckScene *scene, const FerryDisk *disk)
{
    if (!disk->arrives_full || disk->capacity_bytes <= disk->allocation_bytes)
        return;
    ferry_checks_add(scene->checks, "space", FERRY_CHECK_WARN,
                     "Order storage_strategy \"auto\" without pool_map and with source_disks "
                     "\"keep\" or \"delete\", which lets it be sent as a seed; or let it become "
                     "qcow2 (disk_formats)",
                     "Disk '%s' arrives allocated in full, with %" G_GUINT64_FORMAT
                     " MiB where %" G_GUINT64_FORMAT " MiB are used: libvirt and QEMU of these two "
                     "hosts keep no raw image thin that is mirrored",
                     disk->target, disk->capacity_bytes >> 20, disk->allocation_bytes >> 20);
}

static void
check_file_system(FerryChecks *checks,
                  guint64 kept_free_bytes,
                  const FerrySpaceDemand *ours,
                  const FerrySpaceDemand *others)
{
    struct statvfs fs;

    if (statvfs(ours->directory, &fs) < 0) {
        int code = errno;
        g_autofree char *hint = ferry_rights_hint(ours->directory, code, "x");
        ferry_checks_add(
            checks, "space", FERRY_CHECK_FAIL, hint ? hint : "Look at that file system",
            "Cannot see the free space of '%s': %s", ours->directory, g_strerror(code));
        return;
    }

    FerrySpaceQuestion now = {
        .available_bytes = (guint64)fs.f_bavail * fs.f_frsize,
        .kept_free_bytes = kept_free_bytes,
        .others_bytes = others ? others->now_bytes : 0,
        .wanted_bytes = ours->now_bytes,
    };
    FerrySpaceQuestion full = now;

    full.others_bytes = others ? others->full_bytes : 0;
    full.wanted_bytes = ours->full_bytes;

    bool fits = ferry_space_fits(&now);
    bool grows = ferry_space_fits(&full);

    ferry_checks_add(
        checks, "space",
        !fits   ? FERRY_CHECK_FAIL
        : grows ? FERRY_CHECK_PASS
                : FERRY_CHECK_WARN,
        !fits   ? "Free space there, or lower [storage] reserved_bytes"
        : grows ? NULL
                : "The images fit as they are, not when they fill up",
        "'%s' has %" G_GUINT64_FORMAT " MiB available (%" G_GUINT64_FORMAT
        " MiB of them reserved, %" G_GUINT64_FORMAT
        " MiB promised to other incoming migrations); the disks take %" G_GUINT64_FORMAT
        " MiB, %" G_GUINT64_FORMAT " MiB when full",
        ours->directory, now.available_bytes >> 20, kept_free_bytes >> 20, now.others_bytes >> 20,
        ours->now_bytes >> 20, ours->full_bytes >> 20);
}

void
ferry_check_storage_space(const FerryAgent *agent,
                          const FerryInstance *instance,
                          FerryChecks *checks)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerrySpaceBook) ours = ferry_check_storage_book(agent, instance);
    g_autoptr(FerrySpaceBook) others = book_others(agent, instance, &error);

    if (!others) {
        ferry_checks_add_error(checks, "space", error);
        return;
    }
    for (guint i = 0; i < ferry_space_book_count(ours); i++) {
        const FerrySpaceDemand *demand = ferry_space_book_get(ours, i);

        check_file_system(checks, agent->config->reserved_bytes, demand,
                          ferry_space_book_find(others, demand->device));
    }
}

/* --- all -------------------------------------------------------------------------------------- */

static void
check_disk(const FerryCheckScene *scene, const FerryDisk *disk, GHashTable *directories)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = place_of(scene->agent, disk, &error);

    check_format(scene, disk);
    if (!path) {
        ferry_checks_add_error(scene->checks, "path", error);
        return;
    }
    ferry_checks_add(scene->checks, "path", FERRY_CHECK_PASS, NULL, "'%s' lies in an allowed path",
                     path);
    check_exists(scene, disk, path);
    warn_of_full(scene, disk);

    char *directory = g_path_get_dirname(path);

    if (g_hash_table_contains(directories, directory))
        g_free(directory);
    else if (g_hash_table_add(directories, directory))
        check_pool(scene, disk, directory);
}

void
ferry_check_storage(const FerryCheckScene *scene)
{
    g_autoptr(GHashTable) directories =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < scene->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(scene->instance->disks, i);

        if (!disk->migrate)
            continue;
        if (ferry_disk_is_block(disk))
            ferry_check_block_volume(scene, disk);
        else
            check_disk(scene, disk, directories);
    }
    ferry_check_block_space(scene);
    ferry_check_storage_space(scene->agent, scene->instance, scene->checks);
}
