#include "config.h"

#include "destination/pool.h"

#include "ferry/error.h"
#include "runtime/fault-point.h"
#include "virt/auto.h"
#include "virt/error.h"
#include "virt/pool.h"
#include "xml/volume.h"

/* --- making ------------------------------------------------------------------------------------ */

typedef bool (*DeedFunc)(virStoragePoolPtr pool);

static bool
build(virStoragePoolPtr pool)
{
    return virStoragePoolBuild(pool, VIR_STORAGE_POOL_BUILD_NEW) == 0;
}

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

/* What is done to a pool, and as what it is journaled. */
typedef struct {
    FerryCreationKind kind;
    DeedFunc func;
} Deed;

static const Deed BUILD = {FERRY_CREATION_DIRECTORY, build};
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

    if (!ferry_preparation_intend(preparation, deed->kind, name, folder, &id, error))
        return false;
    ferry_fault_point("pool", "begin");
    if (!deed->func(pool))
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot make %s of storage pool '%s' for '%s'",
                                     ferry_creation_kind_to_string(deed->kind), name, folder);
    ferry_fault_point("pool", "end");
    return ferry_preparation_note_made(preparation, id, /* detail= */ NULL, error);
}

static virStoragePoolPtr
define(const FerryPreparation *preparation, const char *wanted, const char *folder, GError **error)
{
    gint64 id = 0;
    g_autofree char *name = ferry_virt_pool_free_name(preparation->connection, wanted);
    g_autofree char *xml = ferry_poolxml_build(name, folder);

    if (!ferry_preparation_intend(preparation, FERRY_CREATION_POOL_DEFINED, name, folder, &id,
                                  error))
        return NULL;

    virStoragePoolPtr made = virStoragePoolDefineXML(preparation->connection, xml, 0);

    if (!made) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot define the storage pool '%s' for '%s'", name, folder);
        return NULL;
    }

    g_autoptr(virStoragePool) pool = made;

    if (!ferry_preparation_note_made(preparation, id, /* detail= */ NULL, error))
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
    return (g_file_test(folder, G_FILE_TEST_IS_DIR) ||
            do_to_pool(preparation, pool, &BUILD, folder, error)) &&
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

/* --- undoing ----------------------------------------------------------------------------------- */

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
        /* rmdir at the bottom: a folder that got a file since stays, by the kernel's word. */
        return virStoragePoolDelete(pool, VIR_STORAGE_POOL_DELETE_NORMAL) == 0;
    case FERRY_CREATION_VOLUME:
    case FERRY_CREATION_BLOCK_VOLUME:
    case FERRY_CREATION_NVRAM:
        break;
    }
    return true;
}

bool
ferry_pool_undo(virConnectPtr connection, const FerryCreation *creation, GError **error)
{
    g_autoptr(virStoragePool) pool = virStoragePoolLookupByName(connection, creation->pool);

    if (!pool || undo(pool, creation->kind))
        return true;
    return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot undo %s of storage pool '%s'",
                                 ferry_creation_kind_to_string(creation->kind), creation->pool);
}
