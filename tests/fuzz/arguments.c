/* A method's arguments, as another host or a controller sends them: the body is a message whose
 * args may hold an instance, options, a destination's data, checks, a file that is brought and an
 * error. */
#include "config.h"

#include "target.h"

#include "../../rpc/envelope.h"
#include "model/carried-file.h"
#include "model/chain.h"
#include "model/check.h"
#include "model/disk-plan.h"
#include "model/instance.h"
#include "model/migrate-data.h"
#include "model/order-options.h"
#include "model/overlay.h"
#include "model/placement.h"
#include "model/storage-strategy.h"

#include "ferry/config.h"
#include "ferry/error.h"
#include "ferry/json.h"

/* The most permissive one: it lets inputs get furthest. */
static const FerryConfig *
get_config(void)
{
    static FerryConfig *config;
    const char *const no_files[] = {NULL};

    if (!config) {
        config = ferry_config_load(no_files, NULL);
        config->live_migration_permit_post_copy = true;
        config->live_migration_permit_auto_converge = true;
        config->live_migration_with_native_tls = true;
    }
    return config;
}

/* What was understood is passed on without loss. */
static void
read_instance(const json_t *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(object, &error);

    g_assert_true((instance == NULL) == (error != NULL));
    if (!instance)
        return;

    g_autoptr(FerryJson) once = ferry_instance_to_json(instance);
    g_autoptr(FerryInstance) again = ferry_instance_from_json(once, &error);

    g_assert_no_error(error);

    g_autoptr(FerryJson) twice = ferry_instance_to_json(again);

    g_assert_true(json_equal(once, twice));
}

static void
read_options(const json_t *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryOrderOptions) options = ferry_order_options_parse(object, get_config(), &error);

    g_assert_true((options == NULL) == (error != NULL));
    if (!options)
        return;
    g_assert_false(options->post_copy && options->paused);
    g_assert_cmpuint(options->parallel_connections, >, 0);
}

static void
read_file(const json_t *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryCarriedFile) file = ferry_carried_file_from_json(object, &error);

    g_assert_true((file == NULL) == (error != NULL));
    if (!file)
        return;

    g_autoptr(FerryJson) told = ferry_carried_file_to_json(file);
    g_autoptr(FerryCarriedFile) again = ferry_carried_file_from_json(told, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(again->path, ==, file->path);
}

/* --- what follows from an instance and options ------------------------------------------------ */

static char *
folder_of_pool(const char *name, gpointer data)
{
    return g_strcmp0(name, "fast") == 0 ? g_strdup("/srv/fast") : NULL;
}

static void
look_at_chains(const FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++)
        g_free(ferry_chain_fault(g_ptr_array_index(instance->disks, i)));
}

/* Each file once, and none without a name. */
static void
list_files(const FerryInstance *instance)
{
    g_autoptr(GPtrArray) files = ferry_carried_files_of(instance);
    g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < files->len; i++) {
        const FerryCarriedFile *file = g_ptr_array_index(files, i);

        g_assert_nonnull(file->path);
        g_assert_true(g_hash_table_add(paths, file->path));
    }
}

static void
seed(FerryInstance *instance,
     const FerryOrderOptions *options,
     const FerryMigrateData *migrate_data)
{
    ferry_storage_strategy_choose(instance, options);
    ferry_storage_strategy_adopt(instance, migrate_data);

    g_autoptr(GPtrArray) overlays =
        ferry_overlays_new(instance, "11111111-2222-3333-4444-555555555555");

    for (guint i = 0; i < overlays->len; i++) {
        const FerryOverlay *overlay = g_ptr_array_index(overlays, i);

        g_assert_cmpstr(overlay->overlay, !=, overlay->image);
    }
}

/* As either host does, one after the other. */
static void
plan(const json_t *args)
{
    g_autoptr(FerryMigrateData) migrate_data =
        ferry_migrate_data_from_json(json_object_get(args, "migrate_data"), NULL);
    g_autoptr(FerryInstance) instance =
        ferry_instance_from_json(json_object_get(args, "instance_info"), NULL);
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_parse(json_object_get(args, "options"), get_config(), NULL);
    g_autoptr(GError) error = NULL;

    if (!instance || !options)
        return;
    look_at_chains(instance);
    if (options->flatten && !ferry_instance_is_shut_off(instance))
        ferry_chain_flatten(instance);
    if (!ferry_disk_plan_attach(instance, (const char *const *)options->attached_disks, &error) ||
        !ferry_disk_plan_make(instance, (const char *const *)options->disks, &error)) {
        g_assert_nonnull(error);
        return;
    }
    list_files(instance);
    seed(instance, options, migrate_data);
    ferry_placement_apply(instance, options, folder_of_pool, NULL);
    ferry_placement_restore(instance, migrate_data, options->dest_name);
    list_files(instance);
}

/* What is taken is passed on without loss, and refused by name or not at all. */
static void
read_migrate_data(const json_t *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(object, &error);

    g_assert_true((data == NULL) == (error != NULL));
    if (!data)
        return;

    g_autoptr(FerryJson) once = ferry_migrate_data_to_json(data);
    g_autoptr(FerryMigrateData) again = ferry_migrate_data_from_json(once, &error);

    g_assert_no_error(error);

    g_autoptr(FerryJson) twice = ferry_migrate_data_to_json(again);

    g_assert_true(json_equal(once, twice));
    if (!ferry_migrate_data_check(data, get_config(), &error))
        g_assert_nonnull(error);
}

static void
read_checks(const json_t *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChecks) checks = ferry_checks_from_json(object, &error);

    g_assert_true((checks == NULL) == (error != NULL));
    if (!checks)
        return;

    g_autoptr(GError) outcome = ferry_checks_error(checks);

    g_assert_true((outcome == NULL) == ferry_checks_compatible(checks));
}

static void
read_error(const json_t *object)
{
    g_autoptr(GError) error = ferry_error_from_json(object);

    g_assert_nonnull(error);

    g_autoptr(FerryJson) again = ferry_error_to_json(error);

    g_assert_true(json_is_object(again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool enveloped = false;
    g_autoptr(FerryJson) message = ferry_envelope_open((const char *)data, size, &enveloped, NULL);
    const json_t *args = json_object_get(message, "args");

    if (!args)
        return 0;
    read_instance(json_object_get(args, "instance_info"));
    read_options(json_object_get(args, "options"));
    plan(args);
    read_file(json_object_get(args, "file"));
    read_checks(json_object_get(args, "checks"));
    read_error(json_object_get(args, "error"));
    read_migrate_data(json_object_get(args, "migrate_data"));
    return 0;
}
