#include "config.h"

#include "model/migration-request.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

#define ID "3b9a8cb0-8d33-40b4-8215-620b97791003"

static FerryMigrationRequest *
request_read(FerryMigrationRequestKind kind, const char *args, GError **error)
{
    g_autoptr(FerryJson) object = json_loads(args, 0, NULL);
    g_autoptr(FerryJson) order = json_pack("{s:s, s:O}", "method", "any", "args", object);

    g_assert_nonnull(object);
    return ferry_migration_request_read(ID, kind, order, error);
}

static void
test_whole(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryMigrationRequest) request = request_read(
        FERRY_MIGRATION_REQUEST_WHOLE,
        "{\"instance\": \"web01\", \"host\": \"kvm02\", \"options\": {\"tls\": true}}", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(request->migration_id, ==, ID);
    g_assert_cmpstr(request->instance, ==, "web01");
    g_assert_cmpstr(request->host, ==, "kvm02");
    g_assert_true(json_is_true(json_object_get(request->options, "tls")));
    g_assert_null(request->migrate_data);
    g_assert_null(ferry_migration_request_column(request));
    g_assert_true(json_is_object(json_object_get(request->order, "args")));
}

static void
test_prepared(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryMigrationRequest) request = request_read(
        FERRY_MIGRATION_REQUEST_PREPARED,
        "{\"instance\": \"web01\", \"migrate_data\": {\"host\": \"kvm03\", \"newer\": 1,"
        " \"migrate_uri\": \"tcp://kvm03\"}}",
        &error);

    g_assert_no_error(error);
    g_assert_cmpstr(request->host, ==, "kvm03");
    g_assert_cmpstr(request->migrate_data->migrate_uri, ==, "tcp://kvm03");
    g_assert_null(request->options);

    /* The record keeps what was understood, not what was sent. */
    g_autoptr(FerryJson) column = ferry_migration_request_column(request);

    g_assert_null(json_object_get(column, "newer"));
    g_assert_cmpstr(json_string_value(json_object_get(column, "migrate_uri")), ==, "tcp://kvm03");
}

static void
test_refused(void)
{
    static const struct {
        FerryMigrationRequestKind kind;
        const char *args;
        const char *field;
    } bad[] = {
        {FERRY_MIGRATION_REQUEST_WHOLE, "{\"host\": \"kvm02\"}", "args.instance"},
        {FERRY_MIGRATION_REQUEST_WHOLE, "{\"instance\": 1, \"host\": \"a\"}", "args.instance"},
        {FERRY_MIGRATION_REQUEST_WHOLE, "{\"instance\": \"a\"}", "args.host"},
        {FERRY_MIGRATION_REQUEST_WHOLE, "{\"instance\": \"a\", \"host\": {}}", "args.host"},
        {FERRY_MIGRATION_REQUEST_PREPARED, "{\"instance\": \"a\", \"host\": \"b\"}",
         "args.migrate_data"},
        {FERRY_MIGRATION_REQUEST_PREPARED, "{\"instance\": \"a\", \"migrate_data\": null}",
         "args.migrate_data"},
        {FERRY_MIGRATION_REQUEST_PREPARED, "{\"instance\": \"a\", \"migrate_data\": {\"host\": 1}}",
         "migrate_data.host"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%s", bad[i].args);
        g_assert_null(request_read(bad[i].kind, bad[i].args, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        g_assert_nonnull(strstr(error->message, bad[i].field));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migration-request/whole", test_whole);
    g_test_add_func("/migration-request/prepared", test_prepared);
    g_test_add_func("/migration-request/refused", test_refused);
    return g_test_run();
}
