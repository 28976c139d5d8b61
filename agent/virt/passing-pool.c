#include "config.h"

#include "virt/passing-pool.h"

#include "ferry/lock.h"
#include "virt/auto.h"
#include "virt/error.h"
#include "virt/pool.h"
#include "xml/volume.h"

#include <string.h>

#define PREFIX "virt-ferry-"
/* Of those that are for a look only, and are in no journal. */
#define LOOK_PREFIX PREFIX "look-"

static GMutex lock; /* held while a pool is found, made or ended, so that nobody ends another's */
/* guarded by lock; folder -> how many are in its pool, for folders whose pool was made here */
static GHashTable *users;
/* guarded by lock; names of pools that the last user leaves to the destination's journal */
static GHashTable *adopted;

char *
ferry_passing_pool_name(const char *uuid)
{
    return g_strconcat(PREFIX, uuid, NULL);
}

bool
ferry_passing_pool_is(virStoragePoolPtr pool)
{
    return g_str_has_prefix(virStoragePoolGetName(pool), PREFIX) &&
           virStoragePoolIsPersistent(pool) == 0;
}

bool
ferry_passing_pool_is_name(const char *name, const char *uuid)
{
    return g_str_has_prefix(name, PREFIX) && g_str_has_suffix(name, uuid);
}

/* One that is in no journal, and is nobody's here, was left by an earlier life of the agent. */
static bool
is_for_a_look(virStoragePoolPtr pool)
{
    return g_str_has_prefix(virStoragePoolGetName(pool), LOOK_PREFIX) &&
           virStoragePoolIsPersistent(pool) == 0;
}

static virStoragePoolPtr
make(virConnectPtr connection, const char *folder, GError **error)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *name = g_strconcat(LOOK_PREFIX, uuid, NULL);
    g_autofree char *xml = ferry_poolxml_build(name, uuid, folder, /* owner= */ NULL);
    virStoragePoolPtr pool = virStoragePoolCreateXML(connection, xml, 0);

    if (!pool)
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot make a storage pool of '%s' for the moment", folder);
    return pool;
}

void
ferry_passing_pool_adopt(virStoragePoolPtr pool)
{
    FERRY_LOCK_SCOPE(&lock);

    if (!adopted)
        adopted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (is_for_a_look(pool))
        g_hash_table_add(adopted, g_strdup(virStoragePoolGetName(pool)));
}

static bool
is_adopted(virStoragePoolPtr pool)
{
    return adopted && g_hash_table_contains(adopted, virStoragePoolGetName(pool));
}

static void
join(const char *folder)
{
    guint count = 0;

    if (!users)
        users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    count = GPOINTER_TO_UINT(g_hash_table_lookup(users, folder));
    g_hash_table_replace(users, g_strdup(folder), GUINT_TO_POINTER(count + 1));
}

bool
ferry_passing_pool_enter(virConnectPtr connection,
                         const char *folder,
                         FerryPassingPool *ret,
                         GError **error)
{
    FERRY_LOCK_SCOPE(&lock);
    g_autoptr(GError) why = NULL;
    g_autoptr(virStoragePool) pool = ferry_virt_pool_find(connection, folder, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    if (pool && !is_for_a_look(pool))
        return true;
    if (!pool)
        pool = make(connection, folder, error);
    if (!pool)
        return false;
    join(folder);
    *ret = (FerryPassingPool){.pool = g_steal_pointer(&pool), .folder = g_strdup(folder)};
    return true;
}

void
ferry_passing_pool_leave(FerryPassingPool *self)
{
    FERRY_LOCK_SCOPE(&lock);
    guint count = 0;

    if (!self->pool)
        return;
    count = GPOINTER_TO_UINT(g_hash_table_lookup(users, self->folder));
    if (count > 1) {
        g_hash_table_replace(users, g_strdup(self->folder), GUINT_TO_POINTER(count - 1));
    } else {
        g_hash_table_remove(users, self->folder);
        if (!is_adopted(self->pool) && virStoragePoolDestroy(self->pool) != 0 &&
            !ferry_virt_error_is(VIR_ERR_NO_STORAGE_POOL))
            g_warning("The storage pool '%s' of '%s' stays: %s", virStoragePoolGetName(self->pool),
                      self->folder, virGetLastErrorMessage());
    }
    g_clear_pointer(&self->pool, virStoragePoolFree);
    g_clear_pointer(&self->folder, g_free);
}

/* --- folders ---------------------------------------------------------------------------------- */

/* Only a pool that is defined can be removed from the file system. */
static virStoragePoolPtr
define(virConnectPtr connection, const char *folder)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *name = ferry_passing_pool_name(uuid);
    g_autofree char *xml = ferry_poolxml_build(name, uuid, folder, /* owner= */ NULL);

    return virStoragePoolDefineXML(connection, xml, 0);
}

bool
ferry_passing_pool_delete_folder(virConnectPtr connection, const char *folder, GError **error)
{
    g_autoptr(virStoragePool) known = ferry_virt_pool_find(connection, folder, NULL);
    g_autoptr(virStoragePool) passing = known ? NULL : define(connection, folder);
    virStoragePoolPtr pool = known ? known : passing;
    bool deleted = pool && virStoragePoolDelete(pool, VIR_STORAGE_POOL_DELETE_NORMAL) == 0;

    if (!deleted)
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "Cannot remove the folder '%s'",
                              folder);
    if (passing)
        virStoragePoolUndefine(passing);
    return deleted;
}
