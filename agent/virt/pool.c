#include "config.h"

#include "virt/pool.h"

#include "virt/auto.h"
#include "virt/error.h"
#include "xml/volume.h"

#include <stdlib.h>

/* A pool that another client works on is busy for moments: how often and how long we wait. */
#define REFRESH_TRIES 50
#define REFRESH_PAUSE_US (100 * 1000)

static bool
same_directory(const char *a, const char *b)
{
    g_autofree char *real_a = realpath(a, NULL);
    g_autofree char *real_b = realpath(b, NULL);

    return g_strcmp0(real_a ? real_a : a, real_b ? real_b : b) == 0;
}

static bool
pool_targets(virStoragePoolPtr pool, const char *directory)
{
    char *raw = virStoragePoolGetXMLDesc(pool, 0);

    if (!raw)
        return false;

    g_autofree char *xml = raw;
    g_autofree char *name = NULL;
    g_autofree char *type = NULL;
    g_autofree char *target = NULL;

    return ferry_poolxml_parse(xml, &name, &type, &target, NULL) && target &&
           same_directory(target, directory);
}

virStoragePoolPtr
ferry_virt_pool_find(virConnectPtr connection, const char *directory, GError **error)
{
    virStoragePoolPtr found = virStoragePoolLookupByTargetPath(connection, directory);
    virStoragePoolPtr *pools = NULL;

    if (found)
        return found;
    /* libvirt's own search knows active pools by their literal path only. */
    int count = virConnectListAllStoragePools(connection, &pools, 0);

    if (count < 0) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "Cannot list the storage pools");
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        if (!found && pool_targets(pools[i], directory))
            found = pools[i];
        else
            virStoragePoolFree(pools[i]);
    }
    free(pools);
    return found;
}

char *
ferry_virt_pool_folder(virConnectPtr connection, const char *name)
{
    static const char *const kinds[] = {"dir", "fs", "netfs", NULL};
    g_autoptr(virStoragePool) pool = virStoragePoolLookupByName(connection, name);
    char *raw = pool ? virStoragePoolGetXMLDesc(pool, 0) : NULL;
    g_autofree char *xml = raw;
    g_autofree char *own_name = NULL;
    g_autofree char *type = NULL;
    g_autofree char *target = NULL;

    if (!xml || !ferry_poolxml_parse(xml, &own_name, &type, &target, NULL) ||
        !g_strv_contains(kinds, type))
        return NULL;
    return g_steal_pointer(&target);
}

bool
ferry_virt_pool_refresh(virStoragePoolPtr pool, GError **error)
{
    const char *name = virStoragePoolGetName(pool);
    for (int i = 0; i < REFRESH_TRIES; i++) {
        if (virStoragePoolRefresh(pool, 0) == 0)
            return true;
        if (!ferry_virt_error_is(VIR_ERR_INTERNAL_ERROR))
            break;
        g_usleep(REFRESH_PAUSE_US);
    }
    return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot refresh the storage pool '%s'", name);
}

void
ferry_virt_folder_refresh(virConnectPtr connection, const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;
    g_autoptr(virStoragePool) pool = ferry_virt_pool_find(connection, folder, &error);

    if (pool && virStoragePoolIsActive(pool) == 1)
        (void)!ferry_virt_pool_refresh(pool, &error);
    if (error)
        g_warning("The pool of '%s' is not refreshed: %s", folder, error->message);
}

char *
ferry_virt_pool_free_name(virConnectPtr connection, const char *wanted)
{
    g_autofree char *name = g_strdup(wanted);

    for (int i = 2;; i++) {
        g_autoptr(virStoragePool) taken = virStoragePoolLookupByName(connection, name);

        if (!taken)
            return g_steal_pointer(&name);
        g_free(name);
        name = g_strdup_printf("%s-%d", wanted, i);
    }
}

bool
ferry_virt_pool_type_is_known(virConnectPtr connection, const char *type)
{
    char *raw = virConnectGetStoragePoolCapabilities(connection, 0);
    g_autofree char *xml = raw;

    return !raw || !ferry_poolcapsxml_lack(xml, type);
}
