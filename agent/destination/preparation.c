#include "config.h"

#include "destination/preparation.h"

#include "destination/nvram.h"
#include "destination/volume-preparation.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "model/block-volume.h"
#include "model/overlay.h"
#include "model/paths.h"
#include "runtime/fault-point.h"
#include "storage/leftover.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/error.h"
#include "virt/pool.h"
#include "virt/volume.h"
#include "xml/volume.h"

/* An image that was just made and never written has at most this much allocated: headers and empty
 * tables. It tells our own half-made image from one that somebody filled. */
#define EMPTY_IMAGE_BYTES (8 * 1024 * 1024)

/* One call of ferry_preparation_make(). */
typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    const char *migration_id;
    const FerryInstance *instance;
    json_t *pools;
    json_t *volumes;
} Preparation;

/* --- provenance ------------------------------------------------------------------------------- */

typedef bool (*DeedFunc)(virStoragePoolPtr pool);

static bool
note_made(const Preparation *self, gint64 id, GError **error)
{
    return ferry_journal_creation_set(self->agent->journal, id, FERRY_CREATION_MADE, NULL, error);
}

/* Journal the intention, do the deed, journal that it is done. */
static bool
do_to_pool(const Preparation *self,
           virStoragePoolPtr pool,
           FerryCreationKind kind,
           const char *directory,
           DeedFunc deed,
           GError **error)
{
    gint64 id = 0;
    const char *name = virStoragePoolGetName(pool);

    if (!ferry_journal_creation_add(self->agent->journal, self->migration_id, kind, name, directory,
                                    &id, error))
        return false;
    ferry_fault_point("pool", "begin");
    if (!deed(pool))
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot make %s of storage pool '%s' for '%s'",
                                     ferry_creation_kind_to_string(kind), name, directory);
    ferry_fault_point("pool", "end");
    return note_made(self, id, error);
}

/* --- pools ------------------------------------------------------------------------------------ */

static bool
build_pool(virStoragePoolPtr pool)
{
    return virStoragePoolBuild(pool, VIR_STORAGE_POOL_BUILD_NEW) == 0;
}

static bool
start_pool(virStoragePoolPtr pool)
{
    return virStoragePoolCreate(pool, 0) == 0;
}

static bool
autostart_pool(virStoragePoolPtr pool)
{
    return virStoragePoolSetAutostart(pool, 1) == 0;
}

static virStoragePoolPtr
define_pool(const Preparation *self, const char *wanted, const char *directory, GError **error)
{
    gint64 id = 0;
    g_autofree char *name = ferry_virt_pool_free_name(self->connection, wanted);
    g_autofree char *xml = ferry_poolxml_build(name, directory);

    if (!ferry_journal_creation_add(self->agent->journal, self->migration_id,
                                    FERRY_CREATION_POOL_DEFINED, name, directory, &id, error))
        return NULL;

    virStoragePoolPtr made = virStoragePoolDefineXML(self->connection, xml, 0);

    if (!made) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot define the storage pool '%s' for '%s'", name, directory);
        return NULL;
    }

    g_autoptr(virStoragePool) pool = made;

    if (!note_made(self, id, error))
        return NULL;
    return g_steal_pointer(&pool);
}

/* The seed procedure, made certain: the same pool as on the source, defined, started, autostarted as
 * far as it is not so already, and refreshed. */
static virStoragePoolPtr
ensure_pool(const Preparation *self, const char *wanted, const char *directory, GError **error)
{
    g_autoptr(GError) find_error = NULL;
    g_autofree char *basename = g_path_get_basename(directory);
    g_autoptr(virStoragePool) pool = ferry_virt_pool_find(self->connection, directory, &find_error);

    if (find_error) {
        g_propagate_error(error, g_steal_pointer(&find_error));
        return NULL;
    }
    if (!pool)
        pool = define_pool(self, wanted ? wanted : basename, directory, error);
    if (!pool)
        return NULL;
    if (virStoragePoolIsActive(pool) != 1) {
        int autostart = 1;

        virStoragePoolGetAutostart(pool, &autostart);
        if (!g_file_test(directory, G_FILE_TEST_IS_DIR) &&
            !do_to_pool(self, pool, FERRY_CREATION_DIRECTORY, directory, build_pool, error))
            return NULL;
        if (!do_to_pool(self, pool, FERRY_CREATION_POOL_STARTED, directory, start_pool, error))
            return NULL;
        if (!autostart && !do_to_pool(self, pool, FERRY_CREATION_POOL_AUTOSTART, directory,
                                      autostart_pool, error))
            return NULL;
    }
    if (!ferry_virt_pool_refresh(pool, error))
        return NULL;
    return g_steal_pointer(&pool);
}

bool
ferry_preparation_ensure_folder(const FerryAgent *agent,
                                virConnectPtr connection,
                                const char *migration_id,
                                const char *pool_name,
                                const char *path,
                                GError **error)
{
    Preparation self = {.agent = agent, .connection = connection, .migration_id = migration_id};
    g_autofree char *directory = g_path_get_dirname(path);
    g_autoptr(virStoragePool) pool = ensure_pool(&self, pool_name, directory, error);

    return pool != NULL;
}

static void
list_pool(const Preparation *self, const char *name, const char *directory)
{
    json_t *known = NULL;
    gsize index = 0;

    json_array_foreach(self->pools, index,
                       known) if (g_strcmp0(ferry_json_get_string(known, "name"), name) ==
                                  0) return;
    json_array_append_new(self->pools, json_pack("{s:o, s:o}", "name", ferry_json_text(name),
                                                 "path", ferry_json_text(directory)));
}

/* --- images ----------------------------------------------------------------------------------- */

/* Ours from a run that was cut short between intention and deed, or between deed and note. */
static bool
is_our_empty_image(const Preparation *self, const FerryDisk *disk, const char *path)
{
    g_auto(FerryImage) image = {0};

    return ferry_virt_image_info(self->connection, path, disk->format, &image, NULL) &&
           image.capacity_bytes == disk->capacity_bytes &&
           image.allocation_bytes <= EMPTY_IMAGE_BYTES;
}

static bool
clear_the_way(const Preparation *self, const char *path, GError **error)
{
    if (ferry_path_presence(path) != FERRY_PATH_THERE)
        return true;
    if (ferry_leftover_may_replace(self->agent, self->connection, path, self->instance->uuid)) {
        g_message("Replacing '%s', which instance '%s' left behind when it moved away", path,
                  self->instance->name);
        return ferry_virt_volume_delete(self->connection, path, error) &&
               ferry_journal_leftover_forget(self->agent->journal, path, error);
    }
    ferry_set_error(error, FERRY_ERROR_DESTINATION_DISK_EXISTS,
                    "Look whose it is and move it away; virt-ferry never overwrites a file that "
                    "it does not know",
                    "The file '%s' is there already", path);
    return false;
}

/* The header of an overlay gets the very name that the source's has. What it leads to is brought later,
 * and was checked to be the first layer (chain.h). */
static bool
make_image(virStoragePoolPtr pool,
           const FerryDisk *disk,
           const char *path,
           const FerryBacking *backing,
           GError **error)
{
    FerryNewImage image = {
        .path = path,
        .format = disk->format,
        .capacity_bytes = disk->capacity_bytes,
        .qcow2 = disk->qcow2.known ? &disk->qcow2 : NULL,
        .secret_uuid = disk->secret_uuid,
    };

    if (backing)
        image.backing = *backing;
    if (disk->layers->len > 0)
        image.backing = (FerryBacking){
            .path = disk->qcow2.backing_name,
            .format = ((const FerryLayer *)g_ptr_array_index(disk->layers, 0))->format,
            .missing = true,
        };
    return ferry_virt_volume_create(pool, &image, error);
}

static bool
create_image(const Preparation *self,
             virStoragePoolPtr pool,
             const FerryDisk *disk,
             const char *path,
             const FerryBacking *backing,
             GError **error)
{
    gint64 id = 0;

    if (!clear_the_way(self, path, error) ||
        !ferry_journal_creation_add(self->agent->journal, self->migration_id, FERRY_CREATION_VOLUME,
                                    virStoragePoolGetName(pool), path, &id, error))
        return false;
    ferry_fault_point("image", "begin");
    if (!make_image(pool, disk, path, backing, error)) {
        /* Somebody was faster: the file is not ours, so the intention must not claim it. */
        if (error && g_error_matches(*error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS) &&
            !ferry_journal_creation_set(self->agent->journal, id, FERRY_CREATION_REMOVED,
                                        "not ours", NULL))
            g_warning("Cannot take back the claim on '%s' in the journal", path);
        return false;
    }
    ferry_fault_point("image", "end");
    return note_made(self, id, error);
}

/* Exactly the size, or QEMU refuses after the whole set-up. */
static bool
verify_image(const Preparation *self, const FerryDisk *disk, const char *path, GError **error)
{
    g_auto(FerryImage) image = {0};

    if (!ferry_virt_image_info(self->connection, path, disk->format, &image, error))
        return false;
    if (image.capacity_bytes == disk->capacity_bytes)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL,
                    "The new image '%s' has %" G_GUINT64_FORMAT
                    " bytes, the disk %" G_GUINT64_FORMAT,
                    path, image.capacity_bytes, disk->capacity_bytes);
    return false;
}

static bool
ensure_image(const Preparation *self,
             GPtrArray *creations,
             virStoragePoolPtr pool,
             const FerryDisk *disk,
             const char *path,
             const FerryBacking *backing,
             GError **error)
{
    FerryCreation *before = ferry_creations_find(creations, FERRY_CREATION_VOLUME, path);

    if (before && ferry_path_presence(path) == FERRY_PATH_THERE &&
        is_our_empty_image(self, disk, path)) {
        if (!note_made(self, before->id, error))
            return false;
    } else if (!create_image(self, pool, disk, path, backing, error)) {
        return false;
    }
    return verify_image(self, disk, path, error);
}

/* The seed comes as a file that grows from front to back, so its length tells how much of it has
 * arrived; what the guest writes meanwhile comes into the overlay. */
static bool
ensure_seeded(const Preparation *self,
              GPtrArray *creations,
              virStoragePoolPtr pool,
              const FerryDisk *disk,
              const char *path,
              GError **error)
{
    g_autofree char *overlay_path = ferry_overlay_path(path, self->migration_id);
    g_autofree char *qcow2 = g_strdup("qcow2");
    FerryBacking backing = {.path = disk->source, .format = "raw"};
    FerryDisk seed = *disk;
    FerryDisk overlay = *disk;

    seed.capacity_bytes = 0;
    overlay.format = qcow2;
    overlay.qcow2 =
        (FerryQcow2){.known = true, .version = 3, .cluster_size_bytes = 65536, .refcount_bits = 16};
    return ensure_image(self, creations, pool, &seed, path, NULL, error) &&
           ensure_image(self, creations, pool, &overlay, overlay_path, &backing, error);
}

static bool
ensure_files(const Preparation *self,
             GPtrArray *creations,
             virStoragePoolPtr pool,
             const FerryDisk *disk,
             const char *path,
             GError **error)
{
    return disk->seeded ? ensure_seeded(self, creations, pool, disk, path, error)
                        : ensure_image(self, creations, pool, disk, path, NULL, error);
}

/* When the instance was here last it was sent away seeded: what it wrote on the way lies beside its
 * image and is as stale as that. */
static void
remove_stale_overlays(const Preparation *self, const char *path)
{
    g_autoptr(GPtrArray) leftovers =
        ferry_journal_leftover_paths(self->agent->journal, self->instance->uuid, NULL);

    for (guint i = 0; leftovers && i < leftovers->len; i++) {
        const char *leftover = g_ptr_array_index(leftovers, i);
        g_autoptr(GError) error = NULL;

        if (ferry_overlay_is_of(leftover, path) && !clear_the_way(self, leftover, &error))
            g_warning("The stale overlay '%s' stays: %s", leftover, error->message);
    }
}

static void
list_volume(const Preparation *self, const FerryDisk *disk, const char *pool, bool created)
{
    json_array_append_new(
        self->volumes,
        json_pack("{s:o, s:o, s:o, s:o, s:I, s:b, s:b}", "target", ferry_json_text(disk->target),
                  "path", ferry_json_text(disk->source), "pool", ferry_json_text(pool), "format",
                  ferry_json_text(disk->format), "capacity_bytes", (json_int_t)disk->capacity_bytes,
                  "created", created, "seeded", disk->seeded));
}

static bool
prepare_block(const Preparation *self, GPtrArray *creations, const FerryDisk *disk, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(disk->source);
    g_autofree char *pool = NULL;

    if (!ferry_volume_prepare(self->agent, self->connection, self->migration_id, creations, disk,
                              &pool, error))
        return false;
    list_pool(self, pool, folder);
    list_volume(self, disk, pool, /* created= */ true);
    return true;
}

static bool
prepare_file(const Preparation *self, GPtrArray *creations, const FerryDisk *disk, GError **error)
{
    bool arrives_as_file = ferry_instance_is_shut_off(self->instance);
    g_autofree char *path = NULL;

    if (!ferry_path_check(disk->source, (const char *const *)self->agent->config->allowed_paths,
                          &path, error))
        return false;

    g_autofree char *directory = g_path_get_dirname(path);
    g_autoptr(virStoragePool) pool = ensure_pool(self, disk->pool, directory, error);

    if (!pool)
        return false;
    /* Images of one that does not run are brought as files (import.h). */
    if (!arrives_as_file && !ensure_files(self, creations, pool, disk, path, error))
        return false;
    remove_stale_overlays(self, disk->source);
    list_pool(self, virStoragePoolGetName(pool), directory);
    list_volume(self, disk, virStoragePoolGetName(pool), !arrives_as_file);
    return true;
}

static bool
prepare_disk(const Preparation *self, GPtrArray *creations, const FerryDisk *disk, GError **error)
{
    return ferry_disk_is_block(disk) ? prepare_block(self, creations, disk, error)
                                     : prepare_file(self, creations, disk, error);
}

/* The checks said it too, but a repetition after a crash does not run them again. */
static bool
check_placed(const FerryInstance *instance, GError **error)
{
    if (instance->obstacles->len == 0)
        return true;

    const FerryObstacle *obstacle = g_ptr_array_index(instance->obstacles, 0);

    ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR, obstacle->hint, "%s",
                    obstacle->message);
    return false;
}

bool
ferry_preparation_make(const FerryAgent *agent,
                       virConnectPtr connection,
                       const char *migration_id,
                       const FerryInstance *instance,
                       json_t **ret_pools,
                       json_t **ret_volumes,
                       GError **error)
{
    g_autoptr(FerryJson) pools = json_array();
    g_autoptr(FerryJson) volumes = json_array();
    Preparation self = {agent, connection, migration_id, instance, pools, volumes};
    g_autoptr(GPtrArray) creations = ferry_journal_creations(agent->journal, migration_id, error);

    if (!creations || !check_placed(instance, error) ||
        (!ferry_creations_find(creations, FERRY_CREATION_NVRAM, instance->nvram) &&
         !ferry_nvram_prepare(agent, migration_id, instance, error)))
        return false;
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate && !prepare_disk(&self, creations, disk, error)) {
            g_prefix_error(error, "Disk '%s': ", disk->target);
            return false;
        }
    }
    *ret_pools = g_steal_pointer(&pools);
    *ret_volumes = g_steal_pointer(&volumes);
    return true;
}
