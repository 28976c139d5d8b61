/* Volumes, pools and presences of the local libvirt. */
#include "config.h"

#include "virt/volume.h"

#include "agent-fixture.h"
#include "virt/auto.h"
#include "virt/block.h"
#include "virt/pool.h"
#include "virt/presence.h"

#include <unistd.h>

typedef struct {
    AgentFixture agent;
    char *path;
    virConnectPtr connection;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    agent_set_up(&self->agent, "kvm01");
    self->path = agent_image(&self->agent, "web.qcow2");
    fake_pool_add("images", self->agent.images);
    self->connection = agent_connect(&self->agent);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    ferry_virt_let_go(self->connection);
    g_free(self->path);
    agent_tear_down(&self->agent, user_data);
}

/* --- images ----------------------------------------------------------------------------------- */

/* The pool's list is older than the file: it is refreshed. */
static void
test_find_refreshes(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virStorageVol) absent = ferry_virt_volume_find(self->connection, self->path, &error);

    g_assert_null(absent);
    g_assert_no_error(error);
    fake_image_write_qcow2(self->path, 8 * MIB);

    g_autoptr(virStorageVol) found = ferry_virt_volume_find(self->connection, self->path, &error);

    g_assert_nonnull(found);
    g_assert_no_error(error);
}

static void
test_image_info(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryImage) image = {0};
    g_auto(FerryImage) raw = {0};

    fake_image_write_qcow2(self->path, 8 * MIB);
    g_assert_true(ferry_virt_image_info(self->connection, self->path, "qcow2", &image, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(image.pool, ==, "images");
    g_assert_cmpuint(image.capacity_bytes, ==, 8 * MIB);
    g_assert_true(image.qcow2.known);
    g_assert_cmpuint(image.qcow2.cluster_size_bytes, ==, 65536);
    g_assert_nonnull(image.fingerprint);
    /* What the domain calls raw is never probed. */
    g_assert_true(ferry_virt_image_info(self->connection, self->path, "raw", &raw, &error));
    g_assert_false(raw.qcow2.known);
}

/* libvirt looks into the file, where a guest may have written what it cannot print. */
static void
test_image_that_libvirt_cannot_show(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryImage) image = {0};

    fake_image_write_qcow2(self->path, 8 * MIB);
    fake_call_fail("virStorageVolGetInfo", VIR_ERR_SYSTEM_ERROR, "cannot stat its backing file");
    fake_call_fail("virStorageVolGetXMLDesc", VIR_ERR_XML_ERROR, "not UTF-8");
    g_assert_true(ferry_virt_image_info(self->connection, self->path, "raw", &image, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(image.pool, ==, "images");
    g_assert_cmpuint(image.capacity_bytes, ==, image.file_bytes);
    g_assert_nonnull(image.fingerprint);
}

static void
test_image_that_is_none(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryImage) image = {0};

    agent_write_raw(self->path, MIB);
    g_assert_false(ferry_virt_image_info(self->connection, self->path, "qcow2", &image, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
}

static void
test_image_without_a_pool(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryImage) image = {0};

    fake_pool_set_active("images", false);
    agent_write_raw(self->path, MIB);
    g_assert_true(ferry_virt_image_info(self->connection, self->path, "raw", &image, &error));
    g_assert_null(image.pool);
    g_assert_cmpuint(image.capacity_bytes, ==, MIB);
}

static void
test_delete(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    /* What is not there counts as deleted. */
    g_assert_true(ferry_virt_volume_delete(self->connection, self->path, &error));
    agent_write_raw(self->path, MIB);
    g_assert_true(ferry_virt_volume_delete(self->connection, self->path, &error));
    g_assert_false(g_file_test(self->path, G_FILE_TEST_EXISTS));
    g_assert_no_error(error);
}

static void
test_delete_without_a_pool(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_pool_set_active("images", false);
    agent_write_raw(self->path, MIB);
    g_assert_false(ferry_virt_volume_delete(self->connection, self->path, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

/* --- pools ------------------------------------------------------------------------------------ */

/* libvirt's own search knows active pools by their literal path only. */
static void
test_pool_by_another_path(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *link = g_build_filename(self->agent.folder, "link", NULL);

    g_assert_cmpint(symlink(self->agent.images, link), ==, 0);

    g_autoptr(virStoragePool) pool = ferry_virt_pool_find(self->connection, link, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(virStoragePoolGetName(pool), ==, "images");
}

static void
test_pool_that_is_inactive(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_pool_set_active("images", false);

    g_autoptr(virStoragePool) pool =
        ferry_virt_pool_find(self->connection, self->agent.images, &error);

    g_assert_nonnull(pool);
}

static void
test_pool_is_busy(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virStoragePool) pool =
        ferry_virt_pool_find(self->connection, self->agent.images, &error);

    fake_call_fail_times("virStoragePoolRefresh", 2, VIR_ERR_INTERNAL_ERROR,
                         "pool has asynchronous jobs running");
    g_assert_true(ferry_virt_pool_refresh(pool, &error));
    g_assert_cmpuint(fake_call_count("virStoragePoolRefresh"), ==, 3);
    fake_call_fail("virStoragePoolRefresh", VIR_ERR_OPERATION_FAILED, "I/O error");
    g_assert_false(ferry_virt_pool_refresh(pool, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

static void
test_free_name(Fixture *self, gconstpointer user_data)
{
    g_autofree char *free = ferry_virt_pool_free_name(self->connection, "other");
    g_autofree char *taken = ferry_virt_pool_free_name(self->connection, "images");

    g_assert_cmpstr(free, ==, "other");
    g_assert_cmpstr(taken, ==, "images-2");
}

static void
test_pool_presence(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL;
    g_autofree char *type = NULL;

    g_assert_cmpint(ferry_virt_pool_presence(self->connection, "/nowhere", &name, &type, &error),
                    ==, FERRY_PRESENCE_ABSENT);
    g_assert_cmpint(
        ferry_virt_pool_presence(self->connection, self->agent.images, &name, &type, &error), ==,
        FERRY_PRESENCE_ACTIVE);
    g_assert_cmpstr(name, ==, "images");
    g_assert_cmpstr(type, ==, "dir");
    fake_call_fail("virStoragePoolLookupByTargetPath", VIR_ERR_RPC, "Connection reset");
    fake_call_fail("virConnectListAllStoragePools", VIR_ERR_RPC, "Connection reset");
    g_assert_cmpint(
        ferry_virt_pool_presence(self->connection, self->agent.images, NULL, NULL, &error), ==,
        FERRY_PRESENCE_UNKNOWN);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
}

/* --- networks and secrets --------------------------------------------------------------------- */

static void
test_network_presence(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryNetworkInfo) info = {0};
    g_auto(FerryNetworkInfo) none = {0};

    fake_network_add("default", true);
    fake_network_add("lab", false);
    g_assert_cmpint(ferry_virt_network_presence(self->connection, "default", &info, &error), ==,
                    FERRY_PRESENCE_ACTIVE);
    g_assert_cmpstr(info.forward, ==, "nat");
    g_assert_cmpstr(info.bridge, ==, "virbr0");
    ferry_network_info_clear(&info);
    g_assert_cmpint(ferry_virt_network_presence(self->connection, "lab", &info, &error), ==,
                    FERRY_PRESENCE_INACTIVE);
    g_assert_cmpint(ferry_virt_network_presence(self->connection, "none", &none, &error), ==,
                    FERRY_PRESENCE_ABSENT);
    g_assert_no_error(error);
    fake_call_fail("virNetworkLookupByName", VIR_ERR_RPC, "Connection reset");
    g_assert_cmpint(ferry_virt_network_presence(self->connection, "lab", &none, &error), ==,
                    FERRY_PRESENCE_UNKNOWN);
    g_assert_nonnull(error);
}

static void
test_secret_presence(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_secret_add(UUID, true);
    fake_secret_add(OTHER_UUID, false);
    g_assert_cmpint(ferry_virt_secret_presence(self->connection, UUID, NULL, NULL, &error), ==,
                    FERRY_PRESENCE_ACTIVE);
    g_assert_cmpint(ferry_virt_secret_presence(self->connection, OTHER_UUID, NULL, NULL, &error),
                    ==, FERRY_PRESENCE_INACTIVE);
    g_assert_cmpint(ferry_virt_secret_presence(self->connection, MIGRATION, NULL, NULL, &error), ==,
                    FERRY_PRESENCE_ABSENT);
    /* A private one tells nobody its value: it is enough that it is there. */
    fake_call_fail("virSecretGetValue", VIR_ERR_INVALID_SECRET, "secret is private");
    g_assert_cmpint(ferry_virt_secret_presence(self->connection, OTHER_UUID, NULL, NULL, &error),
                    ==, FERRY_PRESENCE_ACTIVE);
}

/* --- volume groups ---------------------------------------------------------------------------- */

static void
test_block(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryBlockVolume) volume = {0};
    g_auto(FerryBlockVolume) none = {0};

    fake_pool_add_typed("vg", "logical", "/dev/vg");
    g_assert_cmpint(ferry_virt_block_presence(self->connection, "/dev/vg/web", &none, &error), ==,
                    FERRY_PRESENCE_ABSENT);
    g_assert_cmpstr(none.pool, ==, "vg");
    g_assert_true(ferry_virt_block_create(self->connection, "/dev/vg/web", 8 * MIB, &error));
    g_assert_cmpint(ferry_virt_block_presence(self->connection, "/dev/vg/web", &volume, &error), ==,
                    FERRY_PRESENCE_ACTIVE);
    g_assert_true(volume.plain);
    g_assert_cmpuint(volume.capacity_bytes, ==, 8 * MIB);
    g_assert_no_error(error);
    g_assert_false(ferry_virt_block_create(self->connection, "/dev/vg/web", 8 * MIB, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
}

static void
test_block_without_a_group(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryBlockVolume) volume = {0};

    /* A pool of files vouches for no device. */
    g_assert_cmpint(ferry_virt_block_presence(self->connection, self->path, &volume, &error), ==,
                    FERRY_PRESENCE_UNKNOWN);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
}

#define ADD(path, func) g_test_add("/virt-storage/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("find-refreshes", test_find_refreshes);
    ADD("image-info", test_image_info);
    ADD("image-that-libvirt-cannot-show", test_image_that_libvirt_cannot_show);
    ADD("image-that-is-none", test_image_that_is_none);
    ADD("image-without-a-pool", test_image_without_a_pool);
    ADD("delete", test_delete);
    ADD("delete/without-a-pool", test_delete_without_a_pool);
    ADD("pool/by-another-path", test_pool_by_another_path);
    ADD("pool/that-is-inactive", test_pool_that_is_inactive);
    ADD("pool/is-busy", test_pool_is_busy);
    ADD("pool/free-name", test_free_name);
    ADD("pool/presence", test_pool_presence);
    ADD("network-presence", test_network_presence);
    ADD("secret-presence", test_secret_presence);
    ADD("block", test_block);
    ADD("block/without-a-group", test_block_without_a_group);
    return g_test_run();
}
