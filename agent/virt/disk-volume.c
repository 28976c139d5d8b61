#include "config.h"

#include "virt/disk-volume.h"

#include "virt/auto.h"

#include <stdlib.h>

static const char *
type_of(virStorageVolPtr volume)
{
    virStorageVolInfo info = {0};

    if (virStorageVolGetInfo(volume, &info) < 0)
        return NULL;
    if (info.type == VIR_STORAGE_VOL_FILE)
        return "file";
    return info.type == VIR_STORAGE_VOL_BLOCK ? "block" : NULL;
}

static virStorageVolPtr
find(virStoragePoolPtr pool, const char *name)
{
    virStorageVolPtr volume = virStorageVolLookupByName(pool, name);

    /* The pool's list may be older than the volume. */
    if (volume || virStoragePoolRefresh(pool, 0) != 0)
        return volume;
    return virStorageVolLookupByName(pool, name);
}

static void
resolve(virConnectPtr connection, FerryDisk *disk)
{
    g_autoptr(virStoragePool) pool = virStoragePoolLookupByName(connection, disk->volume_pool);
    g_autoptr(virStorageVol) volume = pool ? find(pool, disk->volume_name) : NULL;
    const char *type = volume ? type_of(volume) : NULL;
    char *path = type ? virStorageVolGetPath(volume) : NULL;

    if (!path)
        return;
    g_free(disk->type);
    disk->type = g_strdup(type);
    g_free(disk->source);
    disk->source = g_strdup(path);
    free(path);
}

void
ferry_virt_disk_volumes_resolve(virConnectPtr connection, FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (g_strcmp0(disk->type, "volume") == 0 && disk->volume_pool && disk->volume_name)
            resolve(connection, disk);
    }
}
