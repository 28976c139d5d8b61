/* Volumes: files in the folders of pools, and rows of volume groups. */
#include "config.h"

#include "fake-libvirt-private.h"

#include "xml/volume.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QCOW2_MAGIC 0x514649fbU
#define QCOW2_CLUSTER_BITS 16
#define QCOW2_HEADER_BYTES 104

static char *last_xml; /* guarded by fake_lock */

void
fake_volumes_reset(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_clear_pointer(&last_xml, g_free);
}

/* --- images ----------------------------------------------------------------------------------- */

static void
put_be32(guint8 *head, gsize at, guint32 value)
{
    guint32 big = GUINT32_TO_BE(value);

    memcpy(head + at, &big, sizeof big);
}

static void
put_be64(guint8 *head, gsize at, guint64 value)
{
    guint64 big = GUINT64_TO_BE(value);

    memcpy(head + at, &big, sizeof big);
}

/* A header of version 3 whose tables would be where qemu-img puts them. */
void
fake_image_write_qcow2(const char *path, guint64 capacity_bytes)
{
    const guint64 cluster = G_GUINT64_CONSTANT(1) << QCOW2_CLUSTER_BITS;
    guint8 head[QCOW2_HEADER_BYTES] = {0};

    put_be32(head, 0, QCOW2_MAGIC);
    put_be32(head, 4, 3);
    put_be32(head, 20, QCOW2_CLUSTER_BITS);
    put_be64(head, 24, capacity_bytes);
    put_be32(head, 36, (guint32)(capacity_bytes / (cluster * cluster / 8) + 1));
    put_be64(head, 40, 3 * cluster);
    put_be64(head, 48, cluster);
    put_be32(head, 56, 1);
    put_be32(head, 96, 4);
    put_be32(head, 100, QCOW2_HEADER_BYTES);
    g_assert_true(g_file_set_contents(path, (const char *)head, sizeof head, NULL));
}

static bool
read_head(const char *path, guint8 *head)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool whole = fd >= 0 && pread(fd, head, QCOW2_HEADER_BYTES, 0) == QCOW2_HEADER_BYTES;

    if (fd >= 0)
        close(fd);
    return whole;
}

bool
fake_image_is_qcow2(const char *path)
{
    guint8 head[QCOW2_HEADER_BYTES] = {0};
    guint32 magic = GUINT32_TO_BE(QCOW2_MAGIC);

    return read_head(path, head) && memcmp(head, &magic, sizeof magic) == 0;
}

guint64
fake_image_capacity(const char *path)
{
    guint8 head[QCOW2_HEADER_BYTES] = {0};
    struct stat st = {0};
    guint64 size = 0;

    if (stat(path, &st) != 0)
        return 0;
    if (!fake_image_is_qcow2(path) || !read_head(path, head))
        return (guint64)st.st_size;
    memcpy(&size, head + 24, sizeof size);
    return GUINT64_FROM_BE(size);
}

/* --- the world -------------------------------------------------------------------------------- */

FakeVolume *
fake_volume_find(const FakePool *pool, const char *name)
{
    for (guint i = 0; i < pool->volumes->len; i++) {
        FakeVolume *volume = g_ptr_array_index(pool->volumes, i);

        if (strcmp(volume->name, name) == 0)
            return volume;
    }
    return NULL;
}

void
fake_volume_add(const char *pool_name, const char *name, const char *key, guint64 capacity_bytes)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    FakeVolume *volume = fake_pool_put_volume(fake_pool_find(pool_name), name);

    g_free(volume->key);
    volume->key = g_strdup(key);
    volume->capacity_bytes = capacity_bytes;
}

bool
fake_volume_exists(const char *pool_name, const char *name)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return fake_volume_find(fake_pool_find(pool_name), name) != NULL;
}

char *
fake_volume_last_xml(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return g_strdup(last_xml);
}

/* Under the lock; sets libvirt's error when there is none. */
static FakeVolume *
volume_of(virStorageVolPtr handle)
{
    const FakePool *pool = fake_pool_find(handle->pool);
    FakeVolume *volume = pool ? fake_volume_find(pool, handle->name) : NULL;

    if (!volume)
        fake_refuse(VIR_ERR_NO_STORAGE_VOL, "Storage volume not found: '%s'", handle->name);
    return volume;
}

static virStorageVolPtr
handle_of(const FakePool *pool, const FakeVolume *volume)
{
    virStorageVolPtr handle = g_new0(struct _virStorageVol, 1);

    g_atomic_ref_count_init(&handle->count);
    handle->pool = g_strdup(pool->name);
    handle->name = g_strdup(volume->name);
    handle->path = g_strdup(volume->path);
    handle->key = g_strdup(volume->key);
    return handle;
}

/* --- handles ---------------------------------------------------------------------------------- */

static virStorageVolPtr
no_volume(const char *what)
{
    fake_refuse(VIR_ERR_NO_STORAGE_VOL, "Storage volume not found: '%s'", what);
    return NULL;
}

virStorageVolPtr
virStorageVolLookupByName(virStoragePoolPtr handle, const char *name)
{
    if (!fake_begin(__func__, "%s", name))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_of(handle);
    const FakeVolume *volume = pool ? fake_volume_find(pool, name) : NULL;

    return volume ? handle_of(pool, volume) : no_volume(name);
}

virStorageVolPtr
virStorageVolLookupByPath(virConnectPtr connection, const char *path)
{
    if (!fake_begin(__func__, "%s", path))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    const GPtrArray *pools = fake_pools();
    g_autofree char *name = g_path_get_basename(path);

    for (guint i = 0; i < pools->len; i++) {
        const FakePool *pool = g_ptr_array_index(pools, i);
        const FakeVolume *volume = pool->active ? fake_volume_find(pool, name) : NULL;

        if (volume && strcmp(volume->path, path) == 0)
            return handle_of(pool, volume);
    }
    return no_volume(path);
}

int
virStorageVolFree(virStorageVolPtr handle)
{
    fake_forget_error();
    if (!g_atomic_ref_count_dec(&handle->count))
        return 0;
    g_free(handle->pool);
    g_free(handle->name);
    g_free(handle->path);
    g_free(handle->key);
    g_free(handle);
    return 0;
}

const char *
virStorageVolGetName(virStorageVolPtr handle)
{
    fake_forget_error();
    return handle->name;
}

const char *
virStorageVolGetKey(virStorageVolPtr handle)
{
    fake_forget_error();
    return handle->key;
}

char *
virStorageVolGetPath(virStorageVolPtr handle)
{
    fake_forget_error();
    return g_strdup(handle->path);
}

/* --- looking ---------------------------------------------------------------------------------- */

int
virStorageVolGetInfo(virStorageVolPtr handle, virStorageVolInfoPtr ret)
{
    struct stat st = {0};

    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeVolume *volume = volume_of(handle);

    if (!volume)
        return -1;
    if (volume->capacity_bytes > 0) {
        *ret = (virStorageVolInfo){VIR_STORAGE_VOL_BLOCK, volume->capacity_bytes,
                                   volume->capacity_bytes};
        return 0;
    }
    if (stat(volume->path, &st) != 0)
        return fake_refuse(VIR_ERR_NO_STORAGE_VOL, "cannot open volume '%s'", volume->path);
    *ret = (virStorageVolInfo){VIR_STORAGE_VOL_FILE, fake_image_capacity(volume->path),
                               (unsigned long long)st.st_blocks * 512};
    return 0;
}

int
virStorageVolGetInfoFlags(virStorageVolPtr handle, virStorageVolInfoPtr ret, unsigned int flags)
{
    struct stat st = {0};

    if (virStorageVolGetInfo(handle, ret) < 0)
        return -1;
    if ((flags & VIR_STORAGE_VOL_GET_PHYSICAL) != 0 && stat(handle->path, &st) == 0)
        ret->allocation = (unsigned long long)st.st_size;
    return 0;
}

static char *
file_xml(const FakeVolume *volume)
{
    struct stat st = {0};

    if (stat(volume->path, &st) != 0) {
        fake_refuse(VIR_ERR_NO_STORAGE_VOL, "cannot open volume '%s'", volume->path);
        return NULL;
    }
    return g_strdup_printf(
        "<volume type='file'><name>%s</name><key>%s</key><capacity unit='bytes'>%" G_GUINT64_FORMAT
        "</capacity><allocation unit='bytes'>%" G_GUINT64_FORMAT
        "</allocation><target><path>%s</path><format "
        "type='%s'/><timestamps><mtime>%" G_GINT64_FORMAT
        ".%09ld</mtime></timestamps></target></volume>",
        volume->name, volume->key, fake_image_capacity(volume->path), (guint64)st.st_blocks * 512,
        volume->path, fake_image_is_qcow2(volume->path) ? "qcow2" : "raw",
        (gint64)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
}

static char *
block_xml(const FakeVolume *volume)
{
    return g_strdup_printf("<volume type='block'><name>%s</name><key>%s</key>"
                           "<source><device path='/dev/sdz'><extent start='0' end='1'/></device>"
                           "</source><capacity unit='bytes'>%" G_GUINT64_FORMAT
                           "</capacity><allocation unit='bytes'>%" G_GUINT64_FORMAT
                           "</allocation><target><path>%s</path></target></volume>",
                           volume->name, volume->key, volume->capacity_bytes,
                           volume->capacity_bytes, volume->path);
}

char *
virStorageVolGetXMLDesc(virStorageVolPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeVolume *volume = volume_of(handle);

    if (!volume)
        return NULL;
    return volume->capacity_bytes > 0 ? block_xml(volume) : file_xml(volume);
}

/* --- making and deleting ---------------------------------------------------------------------- */

static bool
make_file(const char *path, const FerryVolumeInfo *info)
{
    if (g_strcmp0(info->format, "qcow2") == 0) {
        fake_image_write_qcow2(path, info->capacity_bytes);
        return true;
    }

    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool made = fd >= 0 && ftruncate(fd, (off_t)info->capacity_bytes) == 0;

    if (fd >= 0)
        close(fd);
    return made;
}

/* Each new volume of a group has a key of its own. */
static void
make_extents(FakePool *pool, FakeVolume *volume, const FerryVolumeInfo *info)
{
    guint64 extent = MAX(pool->extent_bytes, 1);

    g_free(volume->key);
    volume->key = g_uuid_string_random();
    volume->capacity_bytes = (info->capacity_bytes + extent - 1) / extent * extent;
}

static virStorageVolPtr
make_volume(FakePool *pool, const FerryVolumeInfo *info)
{
    g_autofree char *path = g_build_filename(pool->folder, info->name, NULL);
    bool there = fake_volume_find(pool, info->name) || g_file_test(path, G_FILE_TEST_EXISTS);

    if (there) {
        fake_refuse(VIR_ERR_STORAGE_VOL_EXIST, "volume target path '%s' already exists", path);
        return NULL;
    }
    if (!fake_pool_is_logical(pool) && !make_file(path, info)) {
        fake_refuse(VIR_ERR_SYSTEM_ERROR, "cannot make '%s'", path);
        return NULL;
    }

    FakeVolume *volume = fake_pool_put_volume(pool, info->name);

    if (fake_pool_is_logical(pool))
        make_extents(pool, volume, info);
    return handle_of(pool, volume);
}

virStorageVolPtr
virStorageVolCreateXML(virStoragePoolPtr handle, const char *xml, unsigned int flags)
{
    g_auto(FerryVolumeInfo) info = {0};

    g_assert_true(ferry_volxml_parse(xml, &info, NULL));
    if (!fake_begin(__func__, "%s %s", handle->name, info.name))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakePool *pool = fake_pool_of(handle);

    g_free(last_xml);
    last_xml = g_strdup(xml);
    return pool ? make_volume(pool, &info) : NULL;
}

int
virStorageVolDelete(virStorageVolPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->path))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeVolume *volume = volume_of(handle);

    if (!volume)
        return -1;
    if (volume->capacity_bytes == 0 && g_unlink(volume->path) != 0)
        return fake_refuse(VIR_ERR_SYSTEM_ERROR, "cannot unlink '%s'", volume->path);
    g_ptr_array_remove(fake_pool_find(handle->pool)->volumes, volume);
    return 0;
}
