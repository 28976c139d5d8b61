#include "config.h"

#include "model/image-plan.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/placement.h"
#include "scratch-folder.h"

#include <glib/gstdio.h>

#include <string.h>

#define ID "a1b2c3d4-0000-4000-8000-000000000001"
#define GIB (G_GUINT64_CONSTANT(1) << 30)

typedef struct {
    char *folder; /* the only one that is allowed */
    FerryInstance *instance;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    fixture->folder = ferry_scratch_make();
    fixture->instance = ferry_instance_new();
    fixture->instance->name = g_strdup("web01");
    fixture->instance->state = g_strdup("running");
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    ferry_instance_free(fixture->instance);
    ferry_scratch_remove(fixture->folder);
}

static char *
path_of(const Fixture *fixture, const char *name)
{
    return g_build_filename(fixture->folder, name, NULL);
}

static FerryDisk *
add_disk(Fixture *fixture, const char *target, const char *name, const char *format)
{
    FerryDisk *disk = ferry_disk_new();

    disk->target = g_strdup(target);
    disk->type = g_strdup("file");
    disk->device = g_strdup("disk");
    disk->source = path_of(fixture, name);
    disk->format = g_strdup(format);
    disk->pool = g_strdup("default");
    disk->capacity_bytes = GIB;
    disk->migrate = true;
    if (strcmp(format, "qcow2") == 0)
        disk->qcow2 = (FerryQcow2){
            .known = true, .version = 3, .cluster_size_bytes = 4096, .refcount_bits = 16};
    g_ptr_array_add(fixture->instance->disks, disk);
    return disk;
}

static GPtrArray *
make_plans(Fixture *fixture, GError **error)
{
    const char *const allowed[] = {fixture->folder, "/dev", NULL};

    return ferry_image_plans_new(fixture->instance, ID, allowed, error);
}

static GPtrArray *
plans_of(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *plans = make_plans(fixture, &error);

    g_assert_no_error(error);
    return plans;
}

static void
test_qcow2(Fixture *fixture, gconstpointer user_data)
{
    const FerryDisk *disk = add_disk(fixture, "vda", "web01.qcow2", "qcow2");
    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);

    g_assert_cmpuint(plans->len, ==, 1);
    g_assert_cmpint(plan->way, ==, FERRY_IMAGE_MIRRORED);
    g_assert_cmpstr(plan->pool, ==, "default");
    g_assert_cmpuint(plan->image_count, ==, 1);
    g_assert_null(plan->overlay_path);

    const FerryNewImage *image = &plan->images[0];

    g_assert_cmpstr(image->path, ==, plan->path);
    g_assert_true(g_str_has_suffix(image->path, "/web01.qcow2"));
    g_assert_cmpstr(image->format, ==, "qcow2");
    g_assert_cmpuint(image->capacity_bytes, ==, GIB);
    g_assert_true(image->qcow2 == &disk->qcow2);
    g_assert_null(image->backing.path);
    g_assert_null(image->secret_uuid);
}

static void
test_raw(Fixture *fixture, gconstpointer user_data)
{
    FerryDisk *disk = add_disk(fixture, "vda", "web01.img", "raw");

    disk->secret_uuid = g_strdup("4dea22b3-1d52-d8f3-2516-782e98ab3fa0");

    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);

    g_assert_cmpuint(plan->image_count, ==, 1);
    g_assert_cmpstr(plan->images[0].format, ==, "raw");
    g_assert_null(plan->images[0].qcow2);
    g_assert_cmpstr(plan->images[0].secret_uuid, ==, disk->secret_uuid);
}

/* The new header names what the source's names, and what it names need not be there yet. */
static void
test_backing(Fixture *fixture, gconstpointer user_data)
{
    FerryDisk *disk = add_disk(fixture, "vda", "web01.qcow2", "qcow2");
    FerryLayer *base = ferry_layer_new();

    base->path = path_of(fixture, "debian-12.raw");
    base->format = g_strdup("raw");
    g_ptr_array_add(disk->layers, base);
    g_strlcpy(disk->qcow2.backing_name, "debian-12.raw", sizeof disk->qcow2.backing_name);

    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);

    g_assert_cmpuint(plan->image_count, ==, 1);
    g_assert_cmpstr(plan->images[0].backing.path, ==, "debian-12.raw");
    g_assert_cmpstr(plan->images[0].backing.format, ==, "raw");
    g_assert_true(plan->images[0].backing.missing);
}

static void
test_seeded(Fixture *fixture, gconstpointer user_data)
{
    FerryDisk *disk = add_disk(fixture, "vda", "web01.img", "raw");

    disk->seeded = true;

    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);

    g_assert_cmpint(plan->way, ==, FERRY_IMAGE_SEEDED);
    g_assert_cmpuint(plan->image_count, ==, 2);

    const FerryNewImage *seed = &plan->images[0];
    const FerryNewImage *overlay = &plan->images[1];

    g_assert_cmpstr(seed->format, ==, "raw");
    g_assert_cmpuint(seed->capacity_bytes, ==, 0);
    g_assert_null(seed->backing.path);
    g_assert_cmpstr(overlay->path, ==, plan->overlay_path);
    g_assert_true(g_str_has_suffix(overlay->path, "/web01.img.ferry-" ID));
    g_assert_cmpstr(overlay->format, ==, "qcow2");
    g_assert_cmpuint(overlay->capacity_bytes, ==, GIB);
    g_assert_true(overlay->qcow2->known);
    g_assert_cmpuint(overlay->qcow2->refcount_bits, ==, 16);
    g_assert_cmpstr(overlay->backing.path, ==, disk->source);
    g_assert_cmpstr(overlay->backing.format, ==, "raw");
    g_assert_false(overlay->backing.missing);
}

/* Until its file has arrived it is no qcow2 image, and qemu-img would stumble over it. */
static void
test_seeded_qcow2(Fixture *fixture, gconstpointer user_data)
{
    FerryDisk *disk = add_disk(fixture, "vda", "web01.qcow2", "qcow2");

    disk->seeded = true;

    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);
    const FerryNewImage *seed = &plan->images[0];
    const FerryNewImage *overlay = &plan->images[1];

    g_assert_cmpuint(plan->image_count, ==, 2);
    g_assert_cmpstr(seed->format, ==, "raw");
    g_assert_cmpuint(seed->capacity_bytes, ==, 0);
    g_assert_null(seed->qcow2);
    g_assert_cmpstr(overlay->backing.path, ==, disk->source);
    g_assert_cmpstr(overlay->backing.format, ==, "qcow2");
    g_assert_true(overlay->backing.missing);
}

/* Its images are brought as files: nothing is made for them, but their folders. */
static void
test_shut_off(Fixture *fixture, gconstpointer user_data)
{
    g_free(fixture->instance->state);
    fixture->instance->state = g_strdup("shutoff");
    add_disk(fixture, "vda", "web01.qcow2", "qcow2");

    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);
    g_autoptr(FerryJson) entry = ferry_image_plan_to_json(plan, "default");

    g_assert_cmpint(plan->way, ==, FERRY_IMAGE_CARRIED);
    g_assert_cmpuint(plan->image_count, ==, 0);
    g_assert_false(json_is_true(json_object_get(entry, "created")));
}

static void
test_block_volume(Fixture *fixture, gconstpointer user_data)
{
    FerryDisk *disk = add_disk(fixture, "vda", "unused", "raw");

    g_free(disk->type);
    disk->type = g_strdup("block");
    g_free(disk->source);
    disk->source = g_strdup("/dev/vg0/web01");

    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);
    g_autoptr(FerryJson) entry = ferry_image_plan_to_json(plan, "vg0");

    g_assert_cmpint(plan->way, ==, FERRY_IMAGE_BLOCK_VOLUME);
    g_assert_cmpuint(plan->image_count, ==, 0);
    g_assert_cmpstr(plan->path, ==, "/dev/vg0/web01");
    g_assert_cmpstr(plan->folder, ==, "/dev/vg0");
    g_assert_true(json_is_true(json_object_get(entry, "created")));
    g_assert_cmpstr(ferry_json_get_string(entry, "pool"), ==, "vg0");
}

static void
test_stays(Fixture *fixture, gconstpointer user_data)
{
    add_disk(fixture, "vda", "web01.img", "raw")->migrate = false;
    add_disk(fixture, "vdb", "data.img", "raw");

    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);

    g_assert_cmpuint(plans->len, ==, 1);
    g_assert_cmpstr(plan->disk->target, ==, "vdb");
}

static void
test_pool_that_the_source_has_not(Fixture *fixture, gconstpointer user_data)
{
    FerryDisk *disk = add_disk(fixture, "vda", "fast/web01.img", "raw");

    g_clear_pointer(&disk->pool, g_free);

    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);

    g_assert_null(plan->pool);
    g_assert_true(g_str_has_suffix(plan->folder, "/fast"));
}

static char *
folder_of(const char *name, gpointer data)
{
    return strcmp(name, "fast") == 0 ? g_build_filename(data, "fast", NULL) : NULL;
}

/* pool_map and disk_formats as ordered; the plan follows the description that they changed. */
static void
test_mapped_and_converted(Fixture *fixture, gconstpointer user_data)
{
    const char *const no_files[] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryConfig) config = ferry_config_load(no_files, &error);

    g_assert_no_error(error);

    g_autoptr(FerryJson) object = json_loads(
        "{\"pool_map\": {\"default\": \"fast\"}, \"disk_formats\": {\"vda\": \"raw\"}}", 0, NULL);
    g_autoptr(FerryOrderOptions) options = ferry_order_options_parse(object, config, &error);

    g_assert_no_error(error);
    add_disk(fixture, "vda", "web01.qcow2", "qcow2");
    ferry_placement_apply(fixture->instance, options, folder_of, fixture->folder);

    g_autoptr(GPtrArray) plans = plans_of(fixture);
    const FerryImagePlan *plan = g_ptr_array_index(plans, 0);
    g_autofree char *expected = path_of(fixture, "fast/web01.raw");
    g_autoptr(FerryJson) entry = ferry_image_plan_to_json(plan, "fast");

    g_assert_cmpstr(plan->path, ==, expected);
    g_assert_cmpstr(plan->pool, ==, "fast");
    g_assert_cmpstr(plan->images[0].format, ==, "raw");
    g_assert_null(plan->images[0].qcow2);
    g_assert_cmpstr(ferry_json_get_string(entry, "path"), ==, expected);
    g_assert_cmpstr(ferry_json_get_string(entry, "format"), ==, "raw");
}

/* A plan names the disk that stands in the way, and there is none for the others then. */
static void
test_path_not_allowed(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    add_disk(fixture, "vda", "web01.img", "raw");
    add_disk(fixture, "vdb", "../elsewhere.img", "raw");

    g_assert_null(make_plans(fixture, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED);
    g_assert_true(g_str_has_prefix(error->message, "Disk 'vdb': "));
}

static void
test_obstacle(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    add_disk(fixture, "vda", "web01.img", "raw");
    ferry_instance_add_obstacle(fixture->instance, "pool-map", "There is no such pool", "Map it");

    g_assert_null(make_plans(fixture, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
    g_assert_cmpstr(error->message, ==, "There is no such pool");
}

static void
add(const char *name, void (*test)(Fixture *fixture, gconstpointer user_data))
{
    g_autofree char *path = g_strconcat("/image-plan/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("qcow2", test_qcow2);
    add("raw", test_raw);
    add("backing", test_backing);
    add("seeded", test_seeded);
    add("seeded-qcow2", test_seeded_qcow2);
    add("shut-off", test_shut_off);
    add("block-volume", test_block_volume);
    add("stays", test_stays);
    add("pool-that-the-source-has-not", test_pool_that_the_source_has_not);
    add("mapped-and-converted", test_mapped_and_converted);
    add("path-not-allowed", test_path_not_allowed);
    add("obstacle", test_obstacle);
    return g_test_run();
}
