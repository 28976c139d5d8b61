/* Storage pools: a folder, or a volume group that is a list. */
#include "config.h"

#include "fake-libvirt-private.h"

#include "xml/volume.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static GPtrArray *pools; /* guarded by fake_lock; FakePool */

void
fake_volume_free(gpointer data)
{
    FakeVolume *volume = data;

    g_free(volume->name);
    g_free(volume->path);
    g_free(volume->key);
    g_free(volume);
}

static void
pool_free(gpointer data)
{
    FakePool *pool = data;

    g_free(pool->name);
    g_free(pool->type);
    g_free(pool->folder);
    g_free(pool->uuid);
    g_ptr_array_unref(pool->volumes);
    g_free(pool);
}

void
fake_pools_reset(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_clear_pointer(&pools, g_ptr_array_unref);
    pools = g_ptr_array_new_with_free_func(pool_free);
}

/* --- the world -------------------------------------------------------------------------------- */

const GPtrArray *
fake_pools(void)
{
    return pools;
}

FakePool *
fake_pool_find(const char *name)
{
    for (guint i = 0; i < pools->len; i++) {
        FakePool *pool = g_ptr_array_index(pools, i);

        if (strcmp(pool->name, name) == 0)
            return pool;
    }
    return NULL;
}

/* Under the lock; fails the test when there is none. */
static FakePool *
get_pool(const char *name)
{
    FakePool *pool = fake_pool_find(name);

    if (!pool)
        g_error("The test named the pool '%s', which is not there", name);
    return pool;
}

FakePool *
fake_pool_of(virStoragePoolPtr handle)
{
    FakePool *pool = fake_pool_find(handle->name);

    if (!pool)
        fake_refuse(VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'",
                    handle->name);
    return pool;
}

virStoragePoolPtr
fake_pool_handle(const FakePool *pool)
{
    virStoragePoolPtr handle = g_new0(struct _virStoragePool, 1);

    g_atomic_ref_count_init(&handle->count);
    handle->name = g_strdup(pool->name);
    return handle;
}

bool
fake_pool_is_logical(const FakePool *pool)
{
    return strcmp(pool->type, "logical") == 0;
}

FakeVolume *
fake_pool_put_volume(FakePool *pool, const char *name)
{
    FakeVolume *volume = g_new0(FakeVolume, 1);

    volume->name = g_strdup(name);
    volume->path = g_build_filename(pool->folder, name, NULL);
    volume->key = g_strdup(volume->path);
    g_ptr_array_add(pool->volumes, volume);
    return volume;
}

void
fake_pool_look(FakePool *pool)
{
    g_autoptr(GDir) folder = NULL;
    const char *name = NULL;

    if (fake_pool_is_logical(pool))
        return;
    g_ptr_array_set_size(pool->volumes, 0);
    folder = g_dir_open(pool->folder, 0, NULL);
    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *path = g_build_filename(pool->folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            fake_pool_put_volume(pool, name);
    }
}

static FakePool *
add_pool(const char *name, const char *type, const char *folder)
{
    FakePool *pool = g_new0(FakePool, 1);

    pool->name = g_strdup(name);
    pool->type = g_strdup(type);
    pool->folder = g_strdup(folder);
    pool->uuid = g_uuid_string_random();
    pool->defined = true;
    pool->volumes = g_ptr_array_new_with_free_func(fake_volume_free);
    g_ptr_array_add(pools, pool);
    return pool;
}

/* --- the test's side -------------------------------------------------------------------------- */

void
fake_pool_add_typed(const char *name, const char *type, const char *folder)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    FakePool *pool = add_pool(name, type, folder);

    pool->active = pool->autostart = true;
    fake_pool_look(pool);
}

void
fake_pool_add(const char *name, const char *folder)
{
    fake_pool_add_typed(name, "dir", folder);
}

void
fake_pool_set_active(const char *name, bool active)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    get_pool(name)->active = active;
}

bool
fake_pool_exists(const char *name)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return fake_pool_find(name) != NULL;
}

bool
fake_pool_is_active(const char *name)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return get_pool(name)->active;
}

bool
fake_pool_is_autostarted(const char *name)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return get_pool(name)->autostart;
}

void
fake_pool_set_extent(const char *name, guint64 extent_bytes)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    get_pool(name)->extent_bytes = extent_bytes;
}

/* --- handles ---------------------------------------------------------------------------------- */

static virStoragePoolPtr
no_pool(const char *what)
{
    fake_refuse(VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'", what);
    return NULL;
}

virStoragePoolPtr
virStoragePoolLookupByName(virConnectPtr connection, const char *name)
{
    if (!fake_begin(__func__, "%s", name))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_find(name);

    return pool ? fake_pool_handle(pool) : no_pool(name);
}

/* Active ones only, by their literal path. */
virStoragePoolPtr
virStoragePoolLookupByTargetPath(virConnectPtr connection, const char *path)
{
    if (!fake_begin(__func__, "%s", path))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);

    for (guint i = 0; i < pools->len; i++) {
        const FakePool *pool = g_ptr_array_index(pools, i);

        if (pool->active && strcmp(pool->folder, path) == 0)
            return fake_pool_handle(pool);
    }
    return no_pool(path);
}

virStoragePoolPtr
virStoragePoolLookupByVolume(virStorageVolPtr volume)
{
    fake_forget_error();

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_find(volume->pool);

    return pool ? fake_pool_handle(pool) : no_pool(volume->pool);
}

int
virConnectListAllStoragePools(virConnectPtr connection, virStoragePoolPtr **ret, unsigned int flags)
{
    if (!fake_begin(__func__, "%u", flags))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);

    *ret = g_new0(virStoragePoolPtr, pools->len + 1);
    for (guint i = 0; i < pools->len; i++)
        (*ret)[i] = fake_pool_handle(g_ptr_array_index(pools, i));
    return (int)pools->len;
}

int
virStoragePoolFree(virStoragePoolPtr handle)
{
    fake_forget_error();
    if (!g_atomic_ref_count_dec(&handle->count))
        return 0;
    g_free(handle->name);
    g_free(handle);
    return 0;
}

const char *
virStoragePoolGetName(virStoragePoolPtr handle)
{
    fake_forget_error();
    return handle->name;
}

/* --- looking ---------------------------------------------------------------------------------- */

int
virStoragePoolIsActive(virStoragePoolPtr handle)
{
    fake_forget_error();

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_of(handle);

    return pool ? pool->active : -1;
}

int
virStoragePoolGetAutostart(virStoragePoolPtr handle, int *ret)
{
    fake_forget_error();

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_of(handle);

    if (pool)
        *ret = pool->autostart;
    return pool ? 0 : -1;
}

char *
virConnectGetStoragePoolCapabilities(virConnectPtr connection, unsigned int flags)
{
    return g_strdup("<storagepoolCapabilities><pool type='logical' supported='yes'/>"
                    "</storagepoolCapabilities>");
}

char *
virStoragePoolGetXMLDesc(virStoragePoolPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_of(handle);

    return pool ? g_strdup_printf("<pool type='%s'><name>%s</name>"
                                  "<target><path>%s</path></target></pool>",
                                  pool->type, pool->name, pool->folder)
                : NULL;
}

int
virStoragePoolGetInfo(virStoragePoolPtr handle, virStoragePoolInfoPtr ret)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_of(handle);

    if (!pool)
        return -1;
    *ret = (virStoragePoolInfo){.state = VIR_STORAGE_POOL_RUNNING,
                                .capacity = G_GUINT64_CONSTANT(100) << 30,
                                .available = G_GUINT64_CONSTANT(50) << 30};
    return 0;
}

/* --- changing --------------------------------------------------------------------------------- */

virStoragePoolPtr
virStoragePoolDefineXML(virConnectPtr connection, const char *xml, unsigned int flags)
{
    g_autofree char *name = NULL;
    g_autofree char *type = NULL;
    g_autofree char *folder = NULL;

    g_assert_true(ferry_poolxml_parse(xml, &name, &type, &folder, NULL));
    if (!fake_begin(__func__, "%s %s", name, folder))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);

    if (!fake_pool_find(name)) {
        FakePool *pool = add_pool(name, type, folder);
        const char *uuid = strstr(xml, "<uuid>");

        if (uuid)
            memcpy(pool->uuid, uuid + strlen("<uuid>"), VIR_UUID_STRING_BUFLEN - 1);
        return fake_pool_handle(pool);
    }
    fake_refuse(VIR_ERR_OPERATION_FAILED, "pool '%s' already exists", name);
    return NULL;
}

virStoragePoolPtr
virStoragePoolCreateXML(virConnectPtr connection, const char *xml, unsigned int flags)
{
    virStoragePoolPtr pool = virStoragePoolDefineXML(connection, xml, 0);

    if (pool) {
        FERRY_LOCK_SCOPE(&fake_lock);

        fake_pool_of(pool)->transient = true;
    }
    if (!pool || (flags & VIR_STORAGE_POOL_CREATE_WITH_BUILD) == 0 ||
        virStoragePoolBuild(pool, 0) == 0)
        if (pool && virStoragePoolCreate(pool, 0) == 0)
            return pool;
    if (pool)
        virStoragePoolFree(pool);
    return NULL;
}

int
virStoragePoolIsPersistent(virStoragePoolPtr handle)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_of(handle);

    return pool ? !pool->transient : -1;
}

int
virStoragePoolGetUUIDString(virStoragePoolPtr handle, char *text)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_of(handle);

    if (!pool)
        return -1;
    g_strlcpy(text, pool->uuid, VIR_UUID_STRING_BUFLEN);
    return 0;
}

int
virStoragePoolBuild(virStoragePoolPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_of(handle);

    if (!pool)
        return -1;
    return g_mkdir_with_parents(pool->folder, 0755) == 0
               ? 0
               : fake_refuse(VIR_ERR_SYSTEM_ERROR, "cannot make '%s'", pool->folder);
}

int
virStoragePoolCreate(virStoragePoolPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakePool *pool = fake_pool_of(handle);

    if (!pool)
        return -1;
    if (!g_file_test(pool->folder, G_FILE_TEST_IS_DIR))
        return fake_refuse(VIR_ERR_SYSTEM_ERROR, "cannot open directory '%s'", pool->folder);
    pool->active = true;
    fake_pool_look(pool);
    return 0;
}

int
virStoragePoolSetAutostart(virStoragePoolPtr handle, int autostart)
{
    if (!fake_begin(__func__, "%s %d", handle->name, autostart))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakePool *pool = fake_pool_of(handle);

    if (pool)
        pool->autostart = autostart;
    return pool ? 0 : -1;
}

int
virStoragePoolRefresh(virStoragePoolPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakePool *pool = fake_pool_of(handle);

    if (!pool)
        return -1;
    if (!pool->active)
        return fake_refuse(VIR_ERR_OPERATION_INVALID, "storage pool is not active");
    fake_pool_look(pool);
    return 0;
}

int
virStoragePoolDestroy(virStoragePoolPtr handle)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakePool *pool = fake_pool_of(handle);

    if (!pool)
        return -1;
    pool->active = false;
    if (pool->transient)
        g_ptr_array_remove(pools, pool);
    return 0;
}

/* The folder goes, if it is empty. */
int
virStoragePoolDelete(virStoragePoolPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakePool *pool = fake_pool_of(handle);

    if (!pool)
        return -1;
    if (pool->active)
        return fake_refuse(VIR_ERR_OPERATION_INVALID, "storage pool is still active");
    return g_rmdir(pool->folder) == 0
               ? 0
               : fake_refuse(VIR_ERR_SYSTEM_ERROR, "cannot remove '%s'", pool->folder);
}

int
virStoragePoolUndefine(virStoragePoolPtr handle)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakePool *pool = fake_pool_of(handle);

    if (!pool)
        return -1;
    if (pool->active)
        return fake_refuse(VIR_ERR_OPERATION_INVALID, "storage pool is still active");
    g_ptr_array_remove(pools, pool);
    return 0;
}
