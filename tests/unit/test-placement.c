#include "config.h"

#include "model/placement.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

static FerryDisk *
add_disk(FerryInstance *instance, const char *target, const char *source, const char *format)
{
    FerryDisk *disk = ferry_disk_new();
    disk->target = g_strdup(target);
    disk->type = g_strdup("file");
    disk->device = g_strdup("disk");
    disk->source = g_strdup(source);
    disk->format = g_strdup(format);
    disk->pool = g_strdup("default");
    disk->capacity_bytes = 1024 * 1024;
    disk->migrate = true;
    if (strcmp(format, "qcow2") == 0)
        disk->qcow2 = (FerryQcow2){.known = true, .version = 3, .cluster_size_bytes = 4096};
    g_ptr_array_add(instance->disks, disk);
    return disk;
}

static FerryInstance *
instance_new(void)
{
    FerryInstance *instance = ferry_instance_new();
    instance->name = g_strdup("web01");
    add_disk(instance, "vda", "/images/web01-vda.qcow2", "qcow2");
    add_disk(instance, "vdb", "/data/web01.img", "raw");
    return instance;
}

/* The only pool of this host is "fast". */
static char *
folder_of(const char *name, gpointer data)
{
    g_assert_cmpstr(data, ==, "the host");
    return strcmp(name, "fast") == 0 ? g_strdup("/mnt/fast/") : NULL;
}

static void
place(FerryInstance *instance, const char *options_json)
{
    const char *const no_files[] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryConfig) config = ferry_config_load(no_files, &error);
    g_assert_no_error(error);
    g_autoptr(FerryJson) object = json_loads(options_json, 0, NULL);
    g_autoptr(FerryOrderOptions) options = ferry_order_options_parse(object, config, &error);
    g_assert_no_error(error);
    char host[] = "the host";
    ferry_placement_apply(instance, options, folder_of, host);
}

static void
assert_disk(const FerryInstance *instance,
            const char *target,
            const char *source,
            const char *format,
            const char *pool)
{
    const FerryDisk *disk = ferry_instance_find_disk(instance, target);
    g_assert_cmpstr(disk->source, ==, source);
    g_assert_cmpstr(disk->format, ==, format);
    g_assert_cmpstr(disk->pool, ==, pool);
}

static void
assert_obstacle(const char *options_json, const char *name, const char *named)
{
    g_autoptr(FerryInstance) instance = instance_new();
    place(instance, options_json);
    g_assert_cmpuint(instance->obstacles->len, ==, 1);
    const FerryObstacle *obstacle = g_ptr_array_index(instance->obstacles, 0);
    g_assert_cmpstr(obstacle->name, ==, name);
    g_assert_nonnull(obstacle->hint);
    if (strstr(obstacle->message, named) == NULL)
        g_error("'%s' does not name '%s'", obstacle->message, named);
}

static void
test_nothing_ordered(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    place(instance, "{}");
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_cmpstr(instance->name, ==, "web01");
    assert_disk(instance, "vda", "/images/web01-vda.qcow2", "qcow2", "default");
    assert_disk(instance, "vdb", "/data/web01.img", "raw", "default");
}

static void
test_pool(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    place(instance, "{\"pool_map\": {\"default\": \"fast\"}}");
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    assert_disk(instance, "vda", "/mnt/fast/web01-vda.qcow2", "qcow2", "fast");
    assert_disk(instance, "vdb", "/mnt/fast/web01.img", "raw", "fast");
    g_assert_cmpuint(ferry_instance_find_disk(instance, "vda")->qcow2.cluster_size_bytes, ==, 4096);
}

/* A folder says more than the pool that it is, whichever comes first. */
static void
test_folder_before_pool(void)
{
    static const char *const maps[] = {
        "{\"pool_map\": {\"/data/x/..\": \"/srv/./b\", \"default\": \"fast\"}}",
        "{\"pool_map\": {\"default\": \"fast\", \"/data/x/..\": \"/srv/./b\"}}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(maps); i++) {
        g_autoptr(FerryInstance) instance = instance_new();
        place(instance, maps[i]);
        g_assert_cmpuint(instance->obstacles->len, ==, 0);
        assert_disk(instance, "vda", "/mnt/fast/web01-vda.qcow2", "qcow2", "fast");
        assert_disk(instance, "vdb", "/srv/b/web01.img", "raw", "b");
    }
}

static void
test_formats(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    place(instance, "{\"disk_formats\": {\"vda\": \"raw\", \"vdb\": \"qcow2\"}}");
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    assert_disk(instance, "vda", "/images/web01-vda.raw", "raw", "default");
    assert_disk(instance, "vdb", "/data/web01.img", "qcow2", "default");
    g_assert_false(ferry_instance_find_disk(instance, "vda")->qcow2.known);
    const FerryQcow2 *made = &ferry_instance_find_disk(instance, "vdb")->qcow2;
    g_assert_true(made->known);
    g_assert_cmpuint(made->version, ==, 3);
    g_assert_cmpuint(made->cluster_size_bytes, ==, 65536);
    g_assert_cmpuint(made->refcount_bits, ==, 16);
    g_assert_cmpuint(made->virtual_size_bytes, ==, 1024 * 1024);
}

/* The format that it has: its image stays as it is, down to the clusters. */
static void
test_same_format(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    place(instance, "{\"disk_formats\": {\"vda\": \"qcow2\"}}");
    assert_disk(instance, "vda", "/images/web01-vda.qcow2", "qcow2", "default");
    g_assert_cmpuint(ferry_instance_find_disk(instance, "vda")->qcow2.cluster_size_bytes, ==, 4096);
}

static void
test_folder_and_format(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    place(instance, "{\"pool_map\": {\"/images\": \"/srv\"}, \"disk_formats\": {\"vda\": \"raw\"},"
                    " \"dest_name\": \"web02\"}");
    assert_disk(instance, "vda", "/srv/web01-vda.raw", "raw", "srv");
    g_assert_cmpstr(instance->name, ==, "web02");
}

static void
test_impossible(void)
{
    assert_obstacle("{\"pool_map\": {\"/data\": \"slow\"}}", "pool-map", "\"slow\"");
    assert_obstacle("{\"pool_map\": {\"other\": \"fast\"}}", "pool-map", "\"other\"");
    assert_obstacle("{\"pool_map\": {\"/other\": \"fast\"}}", "pool-map", "\"/other\"");
    assert_obstacle("{\"disk_formats\": {\"vdc\": \"raw\"}}", "disk-formats", "\"vdc\"");
}

static void
test_two_on_one_path(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    add_disk(instance, "vdc", "/images/web01.img", "raw");
    place(instance, "{\"pool_map\": {\"default\": \"fast\"}}");
    g_assert_cmpuint(instance->obstacles->len, ==, 1);
    const FerryObstacle *obstacle = g_ptr_array_index(instance->obstacles, 0);
    g_assert_cmpstr(obstacle->name, ==, "disk-path");
}

static void
test_not_convertible(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    add_disk(instance, "vdc", "/images/c", "raw")->capacity_bytes = 1000;
    add_disk(instance, "vdd", "/images/d", "qcow2")->encrypted = true;
    FerryDisk *overlay = add_disk(instance, "vde", "/images/e", "qcow2");
    g_strfreev(overlay->backing_chain);
    overlay->backing_chain = g_strsplit("/images/base", ",", -1);
    place(instance, "{\"disk_formats\": {\"vdc\": \"qcow2\", \"vdd\": \"raw\", \"vde\": \"raw\"}}");
    g_assert_cmpuint(instance->obstacles->len, ==, 3);
    assert_disk(instance, "vdc", "/images/c", "raw", "default");
}

static void
test_block_volume(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    FerryDisk *volume = add_disk(instance, "vdc", "/dev/vg0/web01", "raw");
    g_free(volume->type);
    volume->type = g_strdup("block");
    place(instance,
          "{\"pool_map\": {\"/dev/vg0\": \"/srv\"}, \"disk_formats\": {\"vdc\": \"qcow2\"}}");
    g_assert_cmpuint(instance->obstacles->len, ==, 2);
    assert_disk(instance, "vdc", "/dev/vg0/web01", "raw", "default");
}

static void
test_overlay(void)
{
    static const struct {
        const char *base;
        guint obstacles;
    } cases[] = {{"/images/base", 0}, {"base", 1}, {"../base", 1}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FerryInstance) instance = instance_new();
        FerryDisk *disk = ferry_instance_find_disk(instance, "vda");
        g_ptr_array_add(disk->layers, ferry_layer_new());
        g_strlcpy(disk->qcow2.backing_name, cases[i].base, sizeof disk->qcow2.backing_name);
        place(instance, "{\"pool_map\": {\"/images\": \"/srv\"}}");
        g_assert_cmpuint(instance->obstacles->len, ==, cases[i].obstacles);
    }
}

/* A disk that stays behind is nobody's business here. */
static void
test_what_stays(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    ferry_instance_find_disk(instance, "vdb")->migrate = false;
    place(instance,
          "{\"pool_map\": {\"default\": \"/srv\"}, \"disk_formats\": {\"vdb\": \"raw\"}}");
    assert_disk(instance, "vdb", "/data/web01.img", "raw", "default");
    g_assert_cmpuint(instance->obstacles->len, ==, 1);
}

static void
test_restore(void)
{
    g_autoptr(FerryInstance) instance = instance_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object = json_loads(
        "{\"volumes\": [{\"target\": \"vda\", \"path\": \"/srv/a\", \"format\": \"raw\"},"
        " {\"target\": \"vdx\", \"path\": \"/srv/x\", \"format\": \"raw\"},"
        " {\"target\": \"vdb\"}, {}]}",
        0, NULL);
    g_autoptr(FerryMigrateData) migrate_data = ferry_migrate_data_from_json(object, &error);
    g_assert_no_error(error);
    ferry_placement_restore(instance, migrate_data, "web02");
    assert_disk(instance, "vda", "/srv/a", "raw", "default");
    assert_disk(instance, "vdb", "/data/web01.img", "raw", "default");
    g_assert_cmpstr(instance->name, ==, "web02");
    ferry_placement_restore(instance, NULL, NULL);
    g_assert_cmpstr(instance->name, ==, "web02");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/placement/nothing-ordered", test_nothing_ordered);
    g_test_add_func("/placement/pool", test_pool);
    g_test_add_func("/placement/folder-before-pool", test_folder_before_pool);
    g_test_add_func("/placement/formats", test_formats);
    g_test_add_func("/placement/same-format", test_same_format);
    g_test_add_func("/placement/folder-and-format", test_folder_and_format);
    g_test_add_func("/placement/impossible", test_impossible);
    g_test_add_func("/placement/two-on-one-path", test_two_on_one_path);
    g_test_add_func("/placement/not-convertible", test_not_convertible);
    g_test_add_func("/placement/block-volume", test_block_volume);
    g_test_add_func("/placement/what-stays", test_what_stays);
    g_test_add_func("/placement/overlay", test_overlay);
    g_test_add_func("/placement/restore", test_restore);
    return g_test_run();
}
