#include "config.h"

#include "destination/pool.h"

#include "ferry/error.h"
#include "files/own-file.h"
#include "model/paths.h"
#include "runtime/fault-point.h"
#include "virt/auto.h"
#include "virt/error.h"
#include "virt/pool.h"
#include "xml/volume.h"

#include <string.h>

/* --- making ----------------------------------------------------------------------------------- */

/* What tells the pool from another one that has its name later. */
static char *
uuid_of(virStoragePoolPtr pool)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    virStoragePoolGetUUIDString(pool, uuid);
    return g_strdup(uuid);
}

static bool
fail(const char *pool, FerryCreationKind kind, const char *folder, GError **error)
{
    return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot make %s of storage pool '%s' for '%s'",
                                 ferry_creation_kind_to_string(kind), pool, folder);
}

/* What is done to a pool that is there, and as what it is journaled. */
typedef struct {
    FerryCreationKind kind;
    bool (*func)(virStoragePoolPtr pool);
} Deed;

static bool
start(virStoragePoolPtr pool)
{
    return virStoragePoolCreate(pool, 0) == 0;
}

static bool
set_autostart(virStoragePoolPtr pool)
{
    return virStoragePoolSetAutostart(pool, 1) == 0;
}

static const Deed START = {FERRY_CREATION_POOL_STARTED, start};
static const Deed SET_AUTOSTART = {FERRY_CREATION_POOL_AUTOSTART, set_autostart};

static bool
do_to_pool(const FerryPreparation *preparation,
           virStoragePoolPtr pool,
           const Deed *deed,
           const char *folder,
           GError **error)
{
    gint64 id = 0;
    const char *name = virStoragePoolGetName(pool);
    g_autofree char *uuid = uuid_of(pool);

    const FerryIntention intention = {
        .kind = deed->kind, .pool = name, .path = folder, .detail = uuid};

    if (!ferry_preparation_intend(preparation, &intention, &id, error))
        return false;
    ferry_fault_point("pool", "begin");
    if (!deed->func(pool))
        return fail(name, deed->kind, folder, error);
    ferry_fault_point("pool", "end");
    return ferry_preparation_note_made(preparation, id, uuid, error);
}

static bool
is_below_allowed(const FerryAgent *agent, const char *path)
{
    g_autofree char *root = NULL;

    return ferry_path_find_root(path, (const char *const *)agent->config->allowed_paths, &root,
                                NULL);
}

/* Folders that are missing on the way to @folder, and itself, from the top. An allowed folder that
 * is missing is made, too, and stays: the configuration names it. */
static GPtrArray *
missing_folders(const FerryAgent *agent, const char *folder)
{
    GPtrArray *missing = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *at = g_strdup(folder);

    while (is_below_allowed(agent, at) && ferry_path_presence(at) == FERRY_PATH_ABSENT) {
        char *parent = g_path_get_dirname(at);

        g_ptr_array_insert(missing, 0, at);
        at = parent;
    }
    return missing;
}

/* libvirt makes all of them in one go. */
static bool
build(const FerryPreparation *preparation,
      virStoragePoolPtr pool,
      const char *folder,
      GError **error)
{
    const char *name = virStoragePoolGetName(pool);
    g_autoptr(GPtrArray) missing = missing_folders(preparation->agent, folder);
    g_autofree gint64 *ids = g_new0(gint64, missing->len + 1);

    for (guint i = 0; i < missing->len; i++) {
        const FerryIntention intention = {
            .kind = FERRY_CREATION_DIRECTORY, .pool = name, .path = g_ptr_array_index(missing, i)};

        if (!ferry_preparation_intend(preparation, &intention, &ids[i], error))
            return false;
    }
    ferry_fault_point("pool", "begin");
    if (virStoragePoolBuild(pool, VIR_STORAGE_POOL_BUILD_NEW) != 0)
        return fail(name, FERRY_CREATION_DIRECTORY, folder, error);
    ferry_fault_point("pool", "end");
    for (guint i = 0; i < missing->len; i++)
        if (!ferry_preparation_note_file(preparation, ids[i], g_ptr_array_index(missing, i), error))
            return false;
    return true;
}

static virStoragePoolPtr
define(const FerryPreparation *preparation, const char *wanted, const char *folder, GError **error)
{
    gint64 id = 0;
    g_autofree char *name = ferry_virt_pool_free_name(preparation->connection, wanted);
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *xml = ferry_poolxml_build(name, uuid, folder);
    const FerryIntention intention = {
        .kind = FERRY_CREATION_POOL_DEFINED, .pool = name, .path = folder, .detail = uuid};

    if (!ferry_preparation_intend(preparation, &intention, &id, error))
        return NULL;

    virStoragePoolPtr made = virStoragePoolDefineXML(preparation->connection, xml, 0);

    if (!made) {
        fail(name, FERRY_CREATION_POOL_DEFINED, folder, error);
        return NULL;
    }

    g_autoptr(virStoragePool) pool = made;

    if (!ferry_preparation_note_made(preparation, id, uuid, error))
        return NULL;
    return g_steal_pointer(&pool);
}

static virStoragePoolPtr
find_or_define(const FerryPreparation *preparation,
               const char *name,
               const char *folder,
               GError **error)
{
    g_autoptr(GError) find_error = NULL;
    g_autofree char *basename = g_path_get_basename(folder);
    virStoragePoolPtr pool = ferry_virt_pool_find(preparation->connection, folder, &find_error);

    if (pool)
        return pool;
    if (find_error) {
        g_propagate_error(error, g_steal_pointer(&find_error));
        return NULL;
    }
    return define(preparation, name ? name : basename, folder, error);
}

/* A pool that somebody set to start with the host stays so. */
static bool
activate(const FerryPreparation *preparation,
         virStoragePoolPtr pool,
         const char *folder,
         GError **error)
{
    int autostart = 1;

    virStoragePoolGetAutostart(pool, &autostart);
    return (ferry_path_presence(folder) != FERRY_PATH_ABSENT ||
            build(preparation, pool, folder, error)) &&
           do_to_pool(preparation, pool, &START, folder, error) &&
           (autostart || do_to_pool(preparation, pool, &SET_AUTOSTART, folder, error));
}

virStoragePoolPtr
ferry_pool_ensure(const FerryPreparation *preparation,
                  const char *name,
                  const char *folder,
                  GError **error)
{
    g_autoptr(virStoragePool) pool = find_or_define(preparation, name, folder, error);

    if (!pool ||
        (virStoragePoolIsActive(pool) != 1 && !activate(preparation, pool, folder, error)) ||
        !ferry_virt_pool_refresh(pool, error))
        return NULL;
    return g_steal_pointer(&pool);
}

/* --- undoing ---------------------------------------------------------------------------------- */

bool
ferry_pool_made(FerryCreationKind kind)
{
    switch (kind) {
    case FERRY_CREATION_DIRECTORY:
    case FERRY_CREATION_POOL_DEFINED:
    case FERRY_CREATION_POOL_STARTED:
    case FERRY_CREATION_POOL_AUTOSTART:
        return true;
    case FERRY_CREATION_VOLUME:
    case FERRY_CREATION_BLOCK_VOLUME:
    case FERRY_CREATION_NVRAM:
    case FERRY_CREATION_OTHER:
        break;
    }
    return false;
}

static bool
undo(virStoragePoolPtr pool, FerryCreationKind kind)
{
    switch (kind) {
    case FERRY_CREATION_POOL_DEFINED:
        return virStoragePoolUndefine(pool) == 0;
    case FERRY_CREATION_POOL_STARTED:
        return virStoragePoolIsActive(pool) != 1 || virStoragePoolDestroy(pool) == 0;
    case FERRY_CREATION_POOL_AUTOSTART:
        return virStoragePoolSetAutostart(pool, 0) == 0;
    case FERRY_CREATION_DIRECTORY:
    case FERRY_CREATION_VOLUME:
    case FERRY_CREATION_BLOCK_VOLUME:
    case FERRY_CREATION_NVRAM:
    case FERRY_CREATION_OTHER:
        break;
    }
    return true;
}

/* The UUID was noted before the deed; agents of before noted none. */
static bool
check_uuid(virStoragePoolPtr pool, const FerryCreation *creation, GError **error)
{
    g_autofree char *uuid = uuid_of(pool);

    if (creation->detail ? strcmp(uuid, creation->detail) == 0
                         : creation->state == FERRY_CREATION_MADE)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look whose it is (virsh pool-dumpxml); undo it by hand when nobody needs it",
                    creation->detail
                        ? "The storage pool '%s' is another one than that of '%s'; it is kept"
                        : "Nothing proves that storage pool '%s' was changed by migration '%s'; it "
                          "is kept",
                    creation->pool, creation->migration_id);
    return false;
}

static bool
undo_pool(virConnectPtr connection, const FerryCreation *creation, GError **error)
{
    g_autoptr(virStoragePool) pool = virStoragePoolLookupByName(connection, creation->pool);

    if (!pool)
        return ferry_virt_error_is(VIR_ERR_NO_STORAGE_POOL) ||
               ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot look for storage pool '%s'", creation->pool);
    if (!check_uuid(pool, creation, error))
        return false;
    return undo(pool, creation->kind) ||
           ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot undo %s of storage pool '%s'",
                                 ferry_creation_kind_to_string(creation->kind), creation->pool);
}

/* The kernel removes no folder that got a file since. */
static bool
remove_folder(const FerryAgent *agent,
              virConnectPtr connection,
              const FerryCreation *creation,
              GError **error)
{
    const FerryOwnFile folder = {
        .agent = agent,
        .migration_id = creation->migration_id,
        .path = creation->path,
    };

    return ferry_own_file_delete(&folder, connection, error);
}

bool
ferry_pool_undo(const FerryAgent *agent,
                virConnectPtr connection,
                const FerryCreation *creation,
                GError **error)
{
    return creation->kind == FERRY_CREATION_DIRECTORY
               ? remove_folder(agent, connection, creation, error)
               : undo_pool(connection, creation, error);
}
