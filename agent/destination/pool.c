#include "config.h"

#include "destination/pool.h"

#include "destination/new-folders.h"
#include "ferry/error.h"
#include "ferry/lock.h"
#include "files/own-file.h"
#include "model/paths.h"
#include "runtime/fault-point.h"
#include "virt/auto.h"
#include "virt/error.h"
#include "virt/passing-pool.h"
#include "virt/pool.h"
#include "xml/volume.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
build(const FerryPreparation *preparation,
      virStoragePoolPtr pool,
      const char *folder,
      const FerryFileOwner *owner,
      GError **error)
{
    const char *name = virStoragePoolGetName(pool);
    g_auto(FerryNewFolders) missing = ferry_new_folders_find(preparation, folder);

    if (!ferry_new_folders_intend(preparation, &missing, name, error))
        return false;
    ferry_fault_point("pool", "begin");
    if (virStoragePoolBuild(pool, VIR_STORAGE_POOL_BUILD_NEW) != 0)
        return fail(name, FERRY_CREATION_DIRECTORY, folder, error);
    ferry_fault_point("pool", "end");
    return ferry_new_folders_note(preparation, &missing, owner, error);
}

/* --- undoing what was done to a pool ---------------------------------------------------------- */

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
    case FERRY_CREATION_CONSOLE:
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

/* --- for the time of the migration ------------------------------------------------------------ */

/* Held while a passing pool is found and noted, or nobody is found to need it and it ends. */
static GMutex passing;

static bool
note_passing(const FerryPreparation *preparation,
             const char *name,
             const char *uuid,
             const char *folder,
             gint64 *ret_id,
             GError **error)
{
    const FerryIntention intention = {
        .kind = FERRY_CREATION_POOL_STARTED, .pool = name, .path = folder, .detail = uuid};

    return ferry_preparation_intend(preparation, &intention, ret_id, error);
}

static bool
is_noted(const GPtrArray *creations, const char *pool)
{
    for (guint i = 0; i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);

        if (creation->kind == FERRY_CREATION_POOL_STARTED && g_strcmp0(creation->pool, pool) == 0)
            return true;
    }
    return false;
}

/* It ends with the last migration that needs it. */
static bool
share(const FerryPreparation *preparation,
      virStoragePoolPtr pool,
      const char *folder,
      GError **error)
{
    g_autoptr(GPtrArray) creations =
        ferry_journal_creations(preparation->agent->journal, preparation->migration_id, error);
    const char *name = virStoragePoolGetName(pool);
    g_autofree char *uuid = uuid_of(pool);
    gint64 id = 0;

    if (!creations)
        return false;
    if (is_noted(creations, name))
        return true;
    ferry_passing_pool_adopt(pool);
    return note_passing(preparation, name, uuid, folder, &id, error) &&
           ferry_preparation_note_made(preparation, id, uuid, error);
}

static virStoragePoolPtr
make_passing(const FerryPreparation *preparation,
             const char *folder,
             const FerryFileOwner *owner,
             GError **error)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *name = ferry_passing_pool_name(uuid);
    g_autofree char *xml = ferry_poolxml_build(name, uuid, folder, owner);
    g_auto(FerryNewFolders) missing = ferry_new_folders_find(preparation, folder);
    gint64 id = 0;

    if (!ferry_new_folders_intend(preparation, &missing, name, error) ||
        !note_passing(preparation, name, uuid, folder, &id, error))
        return NULL;
    ferry_fault_point("pool", "begin");

    virStoragePoolPtr made =
        virStoragePoolCreateXML(preparation->connection, xml,
                                missing.paths->len > 0 ? VIR_STORAGE_POOL_CREATE_WITH_BUILD : 0);

    if (!made) {
        fail(name, FERRY_CREATION_POOL_STARTED, folder, error);
        return NULL;
    }

    g_autoptr(virStoragePool) pool = made;

    ferry_fault_point("pool", "end");
    return ferry_new_folders_note(preparation, &missing, owner, error) &&
                   ferry_preparation_note_made(preparation, id, uuid, error)
               ? g_steal_pointer(&pool)
               : NULL;
}

bool
ferry_pool_is_passing(const FerryCreation *creation)
{
    return creation->kind == FERRY_CREATION_POOL_STARTED && creation->detail &&
           ferry_passing_pool_is_name(creation->pool, creation->detail);
}

static bool
end_passing(const FerryAgent *agent,
            virConnectPtr connection,
            const FerryCreation *creation,
            GError **error)
{
    FERRY_LOCK_SCOPE(&passing);
    bool needed = false;

    if (!ferry_journal_pool_is_needed(agent->journal, creation->pool, creation->migration_id,
                                      &needed, error))
        return false;
    return needed || undo_pool(connection, creation, error);
}

bool
ferry_pool_end_passing(const FerryAgent *agent,
                       virConnectPtr connection,
                       const char *migration_id,
                       GError **error)
{
    g_autoptr(GPtrArray) creations = ferry_journal_creations(agent->journal, migration_id, error);

    for (guint i = 0; creations && i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);
        g_autoptr(GError) why = NULL;

        if (!ferry_pool_is_passing(creation))
            continue;
        if (!end_passing(agent, connection, creation, &why))
            g_warning("Migration '%s': the storage pool '%s' stays: %s", migration_id,
                      creation->pool, why->message);
        /* What the journal has no more is not needed: the next one ends it. */
        if (!ferry_journal_creation_set(agent->journal, creation->id, FERRY_CREATION_DELIVERED,
                                        NULL, error))
            return false;
    }
    return creations != NULL;
}

/* --- all -------------------------------------------------------------------------------------- */

static virStoragePoolPtr
define(const FerryPreparation *preparation,
       const char *wanted,
       const char *folder,
       const FerryFileOwner *owner,
       GError **error)
{
    gint64 id = 0;
    g_autofree char *name = ferry_virt_pool_free_name(preparation->connection, wanted);
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *xml = ferry_poolxml_build(name, uuid, folder, owner);
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
find_or_make(const FerryPreparation *preparation,
             const char *name,
             const char *folder,
             const FerryFileOwner *owner,
             GError **error)
{
    FERRY_LOCK_SCOPE(&passing);
    g_autoptr(GError) find_error = NULL;
    g_autoptr(virStoragePool) pool =
        ferry_virt_pool_find(preparation->connection, folder, &find_error);

    if (find_error) {
        g_propagate_error(error, g_steal_pointer(&find_error));
        return NULL;
    }
    if (!pool)
        return name ? define(preparation, name, folder, owner, error)
                    : make_passing(preparation, folder, owner, error);
    return !ferry_passing_pool_is(pool) || share(preparation, pool, folder, error)
               ? g_steal_pointer(&pool)
               : NULL;
}

/* A pool that somebody set to start with the host stays so. */
static bool
activate(const FerryPreparation *preparation,
         virStoragePoolPtr pool,
         const char *folder,
         const FerryFileOwner *owner,
         GError **error)
{
    int autostart = 1;

    virStoragePoolGetAutostart(pool, &autostart);
    return (ferry_path_presence(folder) != FERRY_PATH_ABSENT ||
            build(preparation, pool, folder, owner, error)) &&
           do_to_pool(preparation, pool, &START, folder, error) &&
           (autostart || do_to_pool(preparation, pool, &SET_AUTOSTART, folder, error));
}

/* An agent that is not root has to find again what is made there, to put there what it makes
 * itself, and to put images in quarantine later. */
static FerryFileOwner
usable(const FerryFileOwner *owner)
{
    return geteuid() == 0 ? (owner ? *owner : (FerryFileOwner){0})
                          : ferry_file_owner_for_group(owner, getegid());
}

virStoragePoolPtr
ferry_pool_ensure(const FerryPreparation *preparation,
                  const char *name,
                  const char *folder,
                  const FerryFileOwner *owner,
                  GError **error)
{
    const FerryFileOwner given = usable(owner);
    g_autoptr(virStoragePool) pool = find_or_make(preparation, name, folder, &given, error);

    if (!pool ||
        (virStoragePoolIsActive(pool) != 1 &&
         !activate(preparation, pool, folder, &given, error)) ||
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
    case FERRY_CREATION_CONSOLE:
    case FERRY_CREATION_OTHER:
        break;
    }
    return false;
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
    if (creation->kind == FERRY_CREATION_DIRECTORY)
        return remove_folder(agent, connection, creation, error);
    return ferry_pool_is_passing(creation) ? end_passing(agent, connection, creation, error)
                                           : undo_pool(connection, creation, error);
}
