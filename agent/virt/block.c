#include "config.h"

#include "virt/block.h"

#include "ferry/error.h"
#include "runtime/package.h"
#include "virt/auto.h"
#include "virt/error.h"
#include "virt/pool.h"
#include "xml/volume.h"

#include <stdlib.h>

void
ferry_block_volume_clear(FerryBlockVolume *volume)
{
    g_clear_pointer(&volume->pool, g_free);
    g_clear_pointer(&volume->key, g_free);
}

/* --- pools ------------------------------------------------------------------------------------ */

static bool
is_logical(virStoragePoolPtr pool)
{
    g_autofree char *xml = virStoragePoolGetXMLDesc(pool, 0);
    g_autofree char *type = NULL;

    return xml && ferry_poolxml_parse(xml, NULL, &type, NULL, NULL) &&
           g_strcmp0(type, "logical") == 0;
}

static virStoragePoolPtr
find_pool(virConnectPtr connection, const char *folder, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(virStoragePool) pool = ferry_virt_pool_find(connection, folder, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return NULL;
    }
    if (pool && is_logical(pool) && virStoragePoolIsActive(pool) == 1)
        return g_steal_pointer(&pool);
    if (!ferry_virt_pool_type_is_known(connection, "logical")) {
        g_autofree char *command = ferry_package_command("libvirt-daemon-driver-storage-logical",
                                                         "libvirt-daemon-driver-storage-logical");

        ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR, command,
                        "libvirt here knows no storage pools of the type logical, which '%s' needs",
                        folder);
        return NULL;
    }
    ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                    "Make the volume group, and a pool of it: virsh pool-define-as NAME logical "
                    "--source-name GROUP; then pool-start and pool-autostart",
                    "No active storage pool of the type logical has '%s'", folder);
    return NULL;
}

bool
ferry_virt_block_free_bytes(virConnectPtr connection,
                            const char *folder,
                            guint64 *ret_bytes,
                            GError **error)
{
    virStoragePoolInfo info = {0};
    g_autoptr(virStoragePool) pool = find_pool(connection, folder, error);

    if (!pool || !ferry_virt_pool_refresh(pool, error))
        return false;
    if (virStoragePoolGetInfo(pool, &info) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                                     "Cannot see the room in the storage pool of '%s'", folder);
    *ret_bytes = info.available;
    return true;
}

/* --- volumes ---------------------------------------------------------------------------------- */

/* The pool's list may be older than the volume. Returns: NULL without @error when there is none. */
static virStorageVolPtr
find_volume(virStoragePoolPtr pool, const char *name, GError **error)
{
    virStorageVolPtr volume = virStorageVolLookupByName(pool, name);

    if (volume || !ferry_virt_pool_refresh(pool, error))
        return volume;
    return virStorageVolLookupByName(pool, name);
}

static bool
read_volume(virStorageVolPtr found, FerryBlockVolume *volume, GError **error)
{
    const char *name = virStorageVolGetName(found);
    virStorageVolInfo info = {0};
    char *raw = virStorageVolGetInfo(found, &info) == 0 ? virStorageVolGetXMLDesc(found, 0) : NULL;

    if (!raw)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                                     "Cannot look at the volume '%s'", name);

    g_autofree char *xml = raw;
    g_auto(FerryVolumeInfo) parsed = {0};

    if (!ferry_volxml_parse(xml, &parsed, error))
        return false;
    volume->key = g_strdup(virStorageVolGetKey(found));
    volume->plain = parsed.has_extents && !parsed.has_backing_store;
    volume->capacity_bytes = info.capacity;
    return true;
}

FerryPresence
ferry_virt_block_presence(virConnectPtr connection,
                          const char *path,
                          FerryBlockVolume *ret_volume,
                          GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GError) why = NULL;
    g_auto(FerryBlockVolume) volume = {0};
    g_autoptr(virStoragePool) pool = find_pool(connection, folder, error);
    g_autoptr(virStorageVol) found = pool ? find_volume(pool, name, &why) : NULL;

    if (!pool)
        return FERRY_PRESENCE_UNKNOWN;
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FERRY_PRESENCE_UNKNOWN;
    }
    volume.pool = g_strdup(virStoragePoolGetName(pool));

    g_autofree char *own_path = found ? virStorageVolGetPath(found) : NULL;

    if (found && g_strcmp0(own_path, path) != 0) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                        "Name the device as its storage pool does (virsh vol-path)",
                        "'%s' is '%s' for its storage pool", path, own_path);
        return FERRY_PRESENCE_UNKNOWN;
    }
    if (found && !read_volume(found, &volume, error))
        return FERRY_PRESENCE_UNKNOWN;
    *ret_volume = volume;
    volume = (FerryBlockVolume){0};
    return found ? FERRY_PRESENCE_ACTIVE : FERRY_PRESENCE_ABSENT;
}

bool
ferry_virt_block_create(virConnectPtr connection,
                        const char *path,
                        guint64 capacity_bytes,
                        GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *xml = ferry_volxml_build_full(name, capacity_bytes);
    g_autoptr(virStoragePool) pool = find_pool(connection, folder, error);

    if (!pool)
        return false;

    g_autoptr(virStorageVol) volume = virStorageVolCreateXML(pool, xml, 0);

    if (volume)
        return true;
    return ferry_error_from_virt(error,
                                 ferry_virt_error_is(VIR_ERR_STORAGE_VOL_EXIST)
                                     ? FERRY_ERROR_DESTINATION_DISK_EXISTS
                                     : FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot make the volume '%s'", path);
}
