/* A method's arguments, as another host or a controller sends them: the body is a message whose args
 * may hold an instance, options, a destination's data, checks and an error. */
#include "config.h"

#include "target.h"

#include "../../agent/checks/check.h"
#include "../../agent/instance.h"
#include "../../agent/source/migrate-data.h"
#include "../../agent/source/order-options.h"
#include "../../rpc/envelope.h"

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
read_checks(const json_t *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChecks) checks = ferry_checks_from_json(object, &error);

    g_assert_true((checks == NULL) == (error != NULL));
    if (!checks)
        return;

    g_autoptr(GError) verdict = ferry_checks_error(checks);

    g_assert_true((verdict == NULL) == ferry_checks_compatible(checks));
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
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) message = ferry_envelope_open((const char *)data, size, &enveloped, NULL);
    const json_t *args = json_object_get(message, "args");

    if (!args)
        return 0;
    read_instance(json_object_get(args, "instance_info"));
    read_options(json_object_get(args, "options"));
    read_checks(json_object_get(args, "checks"));
    read_error(json_object_get(args, "error"));
    if (!ferry_migrate_data_check(json_object_get(args, "migrate_data"), get_config(), &error))
        g_assert_nonnull(error);
    return 0;
}
