#include "config.h"

#include "model/order-options.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

typedef struct {
    FerryConfig *config;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    const char *const no_files[] = {NULL};
    g_autoptr(GError) error = NULL;
    fixture->config = ferry_config_load(no_files, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    ferry_config_free(fixture->config);
}

static FerryOrderOptions *
parse(const Fixture *fixture, const char *text)
{
    g_autoptr(FerryJson) json = json_loads(text, JSON_DECODE_ANY, NULL);
    g_assert_nonnull(json);
    g_autoptr(GError) error = NULL;
    FerryOrderOptions *options = ferry_order_options_parse(json, fixture->config, &error);
    g_assert_no_error(error);
    g_assert_nonnull(options);
    return options;
}

static void
assert_refused(const Fixture *fixture, const char *text, const char *named)
{
    g_autoptr(FerryJson) json = json_loads(text, JSON_DECODE_ANY, NULL);
    g_assert_nonnull(json);
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryOrderOptions) options = ferry_order_options_parse(json, fixture->config, &error);
    if (options != NULL)
        g_error("accepted: %s", text);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    if (strstr(error->message, named) == NULL)
        g_error("%s: '%s' does not name '%s'", text, error->message, named);
    g_assert_nonnull(ferry_error_hint(error));
}

static void
test_defaults(Fixture *fixture, gconstpointer user_data)
{
    FerryConfig *config = fixture->config;
    config->live_migration_bandwidth_mibps = 77;
    config->live_migration_downtime_ms = 321;
    config->live_migration_parallel_connections = 4;
    config->live_migration_with_native_tls = true;
    config->live_migration_timeout_action = FERRY_TIMEOUT_ACTION_FORCE_COMPLETE;
    config->source_disks = FERRY_SOURCE_DISKS_DELETE;
    config->progress_interval_ms = 2500;
    config->max_pause_ms = 7000;
    config->disk_writes = FERRY_DISK_WRITES_BACKGROUND;
    config->priority = FERRY_PRIORITY_LOW;
    config->disk_stall_timeout_s = 61;
    config->memory_timeout_s = 62;
    static const char *const nothing[] = {"null", "{}", "{\"downtime_ms\": null, \"tls\": null}"};
    for (gsize i = 0; i < G_N_ELEMENTS(nothing); i++) {
        g_autoptr(FerryOrderOptions) options = parse(fixture, nothing[i]);
        g_assert_null(options->disks);
        g_assert_cmpuint(options->bandwidth_mibps, ==, 77);
        g_assert_cmpuint(options->downtime_ms, ==, 321);
        g_assert_cmpuint(options->max_pause_ms, ==, 7000);
        g_assert_cmpstr(options->policy->name, ==, "minimal-downtime");
        g_assert_cmpint(options->disk_writes, ==, FERRY_DISK_WRITES_BACKGROUND);
        g_assert_cmpint(options->priority, ==, FERRY_PRIORITY_LOW);
        g_assert_cmpuint(options->disk_stall_timeout_s, ==, 61);
        g_assert_cmpuint(options->memory_timeout_s, ==, 62);
        g_assert_cmpuint(options->parallel_connections, ==, 4);
        g_assert_true(options->tls);
        g_assert_false(options->has_completion_timeout);
        g_assert_cmpint(options->timeout_action, ==, FERRY_TIMEOUT_ACTION_FORCE_COMPLETE);
        g_assert_cmpint(options->persistent, ==, FERRY_OPTION_DEFAULT);
        g_assert_true(options->undefine_source);
        g_assert_cmpint(options->source_disks, ==, FERRY_SOURCE_DISKS_DELETE);
        g_assert_null(options->pool_map);
        g_assert_null(options->disk_formats);
        g_assert_null(options->dest_name);
        g_assert_false(options->sparsify);
        g_assert_false(options->fstrim);
        g_assert_false(options->paused);
        g_assert_false(options->post_copy);
        g_assert_false(options->auto_converge);
        g_assert_cmpuint(options->progress_interval_ms, ==, 2500);
    }
    g_autoptr(FerryOrderOptions) absent = ferry_order_options_parse(NULL, config, NULL);
    g_assert_nonnull(absent);
}

static void
test_everything_given(Fixture *fixture, gconstpointer user_data)
{
    fixture->config->live_migration_permit_auto_converge = true;
    g_autoptr(FerryOrderOptions) options =
        parse(fixture, "{\"disks\": [\"vda\", \"vdb\"], \"bandwidth_mib_s\": 100,"
                       " \"downtime_ms\": 250, \"policy\": \"very-large\", \"max_pause_ms\": 9000,"
                       " \"disk_writes\": \"synchronous\", \"disk_stall_timeout_s\": 0,"
                       " \"memory_timeout_s\": 90, \"auto_converge\": true, \"post_copy\": false,"
                       " \"parallel_connections\": 8, \"tls\": true, \"completion_timeout_s\": 0,"
                       " \"timeout_action\": \"force_complete\", \"persistent\": false,"
                       " \"undefine_source\": false, \"source_disks\": \"delete\","
                       " \"storage_strategy\": \"mirror\", \"flatten\": false,"
                       " \"sparsify\": true, \"fstrim\": true,"
                       " \"pool_map\": {\"default\": \"fast\", \"/srv/a\": \"/srv/b\"},"
                       " \"disk_formats\": {\"vda\": \"raw\"}, \"dest_name\": \"web02\","
                       " \"listen_address\": \"2001:db8::7\","
                       " \"paused\": true, \"priority\": \"high\", \"progress_interval_s\": 0.25}");
    g_assert_cmpuint(g_strv_length(options->disks), ==, 2);
    g_assert_cmpstr(options->disks[1], ==, "vdb");
    g_assert_cmpuint(options->bandwidth_mibps, ==, 100);
    g_assert_cmpuint(options->downtime_ms, ==, 250);
    g_assert_cmpstr(options->policy->name, ==, "very-large");
    g_assert_cmpuint(options->max_pause_ms, ==, 9000);
    g_assert_cmpint(options->disk_writes, ==, FERRY_DISK_WRITES_SYNCHRONOUS);
    g_assert_cmpint(options->priority, ==, FERRY_PRIORITY_HIGH);
    g_assert_cmpuint(options->disk_stall_timeout_s, ==, 0);
    g_assert_cmpuint(options->memory_timeout_s, ==, 90);
    g_assert_true(options->auto_converge);
    g_assert_false(options->post_copy);
    g_assert_cmpuint(options->parallel_connections, ==, 8);
    g_assert_true(options->tls);
    g_assert_true(options->has_completion_timeout);
    g_assert_cmpuint(options->completion_timeout_s, ==, 0);
    g_assert_cmpint(options->timeout_action, ==, FERRY_TIMEOUT_ACTION_FORCE_COMPLETE);
    g_assert_cmpint(options->persistent, ==, FERRY_OPTION_NO);
    g_assert_false(options->undefine_source);
    g_assert_cmpint(options->source_disks, ==, FERRY_SOURCE_DISKS_DELETE);
    g_assert_cmpstr(ferry_json_get_string(options->pool_map, "default"), ==, "fast");
    g_assert_cmpstr(ferry_json_get_string(options->pool_map, "/srv/a"), ==, "/srv/b");
    g_assert_cmpstr(ferry_json_get_string(options->disk_formats, "vda"), ==, "raw");
    g_assert_cmpstr(options->dest_name, ==, "web02");
    g_assert_cmpstr(options->listen_address, ==, "2001:db8::7");
    g_assert_true(options->sparsify);
    g_assert_true(options->fstrim);
    g_assert_cmpint(options->storage_strategy, ==, FERRY_STORAGE_MIRROR);
    g_assert_true(options->paused);
    g_assert_cmpuint(options->progress_interval_ms, ==, 250);
}

static const struct {
    const char *text;
    const char *named;
} bad[] = {
    {"[]", "\"options\""},
    {"\"disks\"", "\"options\""},
    {"{\"disks\": \"vda\"}", "options.disks"},
    {"{\"disks\": [\"vda\", 1]}", "options.disks[1]"},
    {"{\"disks\": [\"vd\\na\"]}", "options.disks[0]"},
    {"{\"bandwidth_mib_s\": -1}", "options.bandwidth_mib_s"},
    {"{\"bandwidth_mib_s\": 9223372036854775807}", "options.bandwidth_mib_s"},
    {"{\"bandwidth_mib_s\": 1.5}", "options.bandwidth_mib_s"},
    {"{\"bandwidth_mib_s\": \"100\"}", "options.bandwidth_mib_s"},
    {"{\"downtime_ms\": 0}", "options.downtime_ms"},
    {"{\"downtime_ms\": 2000001}", "options.downtime_ms"},
    {"{\"downtime_ms\": true}", "options.downtime_ms"},
    {"{\"max_pause_ms\": 0}", "options.max_pause_ms"},
    {"{\"max_pause_ms\": 2000001}", "options.max_pause_ms"},
    {"{\"max_pause_ms\": 400, \"downtime_ms\": 500}", "is above"},
    {"{\"policy\": \"nothing\"}", "options.policy"},
    {"{\"policy\": \"\"}", "options.policy"},
    {"{\"policy\": 3}", "options.policy"},
    {"{\"policy\": \"post-copy\"}", "not permitted"},
    {"{\"disk_writes\": \"later\"}", "options.disk_writes"},
    {"{\"priority\": \"highest\"}", "options.priority"},
    {"{\"priority\": 1}", "options.priority"},
    {"{\"disk_stall_timeout_s\": -1}", "options.disk_stall_timeout_s"},
    {"{\"memory_timeout_s\": 2147483648}", "options.memory_timeout_s"},
    {"{\"parallel_connections\": 0}", "options.parallel_connections"},
    {"{\"parallel_connections\": 256}", "options.parallel_connections"},
    {"{\"tls\": 1}", "options.tls"},
    {"{\"tls\": \"yes\"}", "options.tls"},
    {"{\"completion_timeout_s\": -5}", "options.completion_timeout_s"},
    {"{\"completion_timeout_s\": 4294967296}", "options.completion_timeout_s"},
    {"{\"timeout_action\": \"pause\"}", "options.timeout_action"},
    {"{\"timeout_action\": 1}", "options.timeout_action"},
    {"{\"persistent\": \"true\"}", "options.persistent"},
    {"{\"undefine_source\": 0}", "options.undefine_source"},
    {"{\"source_disks\": \"burn\"}", "options.source_disks"},
    {"{\"paused\": []}", "options.paused"},
    {"{\"progress_interval_s\": 0}", "options.progress_interval_s"},
    {"{\"progress_interval_s\": 3601}", "options.progress_interval_s"},
    {"{\"progress_interval_s\": \"1\"}", "options.progress_interval_s"},
    {"{\"storage_strategy\": \"teleport\"}", "options.storage_strategy"},
    {"{\"flatten\": true, \"storage_strategy\": \"seeded\"}", "does not go with"},
    {"{\"pool_map\": []}", "options.pool_map"},
    {"{\"pool_map\": {\"a\": 1}}", "options.pool_map.a"},
    {"{\"pool_map\": {\"a\": \"\"}}", "options.pool_map.a"},
    {"{\"pool_map\": {\"\": \"a\"}}", "options.pool_map"},
    {"{\"pool_map\": {\"a\\n\": \"b\"}}", "options.pool_map"},
    {"{\"pool_map\": {\"a\": \"images/b\"}}", "options.pool_map.a"},
    {"{\"pool_map\": {\"../a\": \"b\"}}", "options.pool_map.../a"},
    {"{\"disk_formats\": \"raw\"}", "options.disk_formats"},
    {"{\"disk_formats\": {\"vda\": \"vmdk\"}}", "options.disk_formats.vda"},
    {"{\"disk_formats\": {\"vda\": null}}", "options.disk_formats.vda"},
    {"{\"dest_name\": \"\"}", "options.dest_name"},
    {"{\"dest_name\": \"..\"}", "options.dest_name"},
    {"{\"dest_name\": \"a/b\"}", "options.dest_name"},
    {"{\"dest_name\": \"a\\nb\"}", "options.dest_name"},
    {"{\"dest_name\": 2}", "options.dest_name"},
    {"{\"listen_address\": \"kvm02\"}", "options.listen_address"},
    {"{\"listen_address\": \"\"}", "options.listen_address"},
    {"{\"listen_address\": 7}", "options.listen_address"},
    {"{\"flatten\": \"no\"}", "options.flatten"},
    {"{\"sparsify\": \"yes\"}", "options.sparsify"},
    {"{\"fstrim\": 1}", "options.fstrim"},
};

static const struct {
    const char *text;
    const char *named;
} unknown[] = {
    {"{\"compress\": false}", "Unknown option \"compress\""},
    {"{\"Disks\": []}", "Unknown option \"Disks\""},
    {"{\"\": 1}", "Unknown option \"\""},
};

static void
test_bad_values(Fixture *fixture, gconstpointer user_data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_refused(fixture, bad[i].text, bad[i].named);
}

static void
test_unknown(Fixture *fixture, gconstpointer user_data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++)
        assert_refused(fixture, unknown[i].text, unknown[i].named);
}

static void
test_quarantine(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryOrderOptions) ordered = parse(fixture, "{\"source_disks\": \"quarantine\"}");
    g_assert_cmpint(ordered->source_disks, ==, FERRY_SOURCE_DISKS_QUARANTINE);
    fixture->config->source_disks = FERRY_SOURCE_DISKS_QUARANTINE;
    g_autoptr(FerryOrderOptions) by_default = parse(fixture, "{}");
    g_assert_cmpint(by_default->source_disks, ==, FERRY_SOURCE_DISKS_QUARANTINE);
}

static void
test_too_many_disks(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryJson) options = json_pack("{s:[]}", "disks");
    for (int i = 0; i < 257; i++)
        json_array_append_new(json_object_get(options, "disks"), json_string("vda"));
    g_autoptr(GError) error = NULL;
    g_assert_null(ferry_order_options_parse(options, fixture->config, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    g_autoptr(FerryOrderOptions) none = parse(fixture, "{\"disks\": []}");
    g_assert_nonnull(none->disks);
    g_assert_null(none->disks[0]);
}

static void
test_what_the_host_does_not_permit(Fixture *fixture, gconstpointer user_data)
{
    g_free(fixture->config->host);
    fixture->config->host = g_strdup("kvm02");
    assert_refused(fixture, "{\"post_copy\": true}",
                   "\"post_copy\", or a policy that uses it, is not permitted on 'kvm02'");
    assert_refused(fixture, "{\"auto_converge\": true}", "auto_converge");
    fixture->config->live_migration_permit_post_copy = true;
    fixture->config->live_migration_permit_auto_converge = true;
    g_autoptr(FerryOrderOptions) both =
        parse(fixture, "{\"post_copy\": true, \"auto_converge\": true}");
    g_assert_true(both->post_copy);
    g_assert_true(both->auto_converge);
    assert_refused(fixture, "{\"post_copy\": true, \"paused\": true}", "paused");
    g_autoptr(FerryOrderOptions) parallel =
        parse(fixture, "{\"post_copy\": true, \"parallel_connections\": 2}");
    g_assert_true(parallel->post_copy);
}

/* A permission is used where it fits, and is no reason to refuse an order that says nothing. */
static void
test_permitted_is_the_default(Fixture *fixture, gconstpointer user_data)
{
    fixture->config->live_migration_permit_post_copy = true;
    fixture->config->live_migration_permit_auto_converge = true;
    g_autoptr(FerryOrderOptions) plain = parse(fixture, "{}");
    g_assert_true(plain->post_copy);
    g_assert_false(plain->auto_converge);
    g_autoptr(FerryOrderOptions) paused = parse(fixture, "{\"paused\": true}");
    g_assert_false(paused->post_copy);
    g_assert_true(paused->auto_converge);
    g_autoptr(FerryOrderOptions) parallel = parse(fixture, "{\"parallel_connections\": 2}");
    g_assert_false(parallel->post_copy);
    g_assert_true(parallel->auto_converge);
    g_autoptr(FerryOrderOptions) encrypted = parse(fixture, "{\"tls\": true}");
    g_assert_false(encrypted->post_copy);
    g_assert_cmpuint(encrypted->parallel_connections, ==, 2);
    g_autoptr(FerryOrderOptions) ordered = parse(fixture, "{\"tls\": true, \"post_copy\": true}");
    g_assert_true(ordered->post_copy);
    g_assert_cmpuint(ordered->parallel_connections, ==, 1);
    g_autoptr(FerryOrderOptions) neither =
        parse(fixture, "{\"post_copy\": false, \"auto_converge\": false}");
    g_assert_false(neither->post_copy);
    g_assert_false(neither->auto_converge);
}

/* A policy that ends in a pause has its own means; what an order says holds with it, too. */
static void
test_auto_converge_with_a_policy(Fixture *fixture, gconstpointer user_data)
{
    fixture->config->live_migration_permit_auto_converge = true;
    g_autoptr(FerryOrderOptions) plain = parse(fixture, "{}");
    g_assert_true(plain->auto_converge);
    g_autoptr(FerryOrderOptions) pauses = parse(fixture, "{\"policy\": \"suspend-if-needed\"}");
    g_assert_false(pauses->auto_converge);
    g_autoptr(FerryOrderOptions) both =
        parse(fixture, "{\"policy\": \"suspend-if-needed\", \"auto_converge\": true}");
    g_assert_true(both->auto_converge);
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

/* What is expected names every choice. */
static void
test_choices_are_named(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object = json_loads("{\"source_disks\": \"burn\"}", 0, NULL);

    g_assert_null(ferry_order_options_parse(object, fixture->config, &error));
    for (FerrySourceDisks disks = FERRY_SOURCE_DISKS_KEEP; disks <= FERRY_SOURCE_DISKS_QUARANTINE;
         disks++)
        g_assert_nonnull(strstr(error->message, ferry_source_disks_to_string(disks)));
}

/* Over one connection TLS may cost the guest. */
static void
test_connections_of_tls(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryOrderOptions) silent = parse(fixture, "{\"tls\": true}");
    g_assert_cmpuint(silent->parallel_connections, ==, 2);
    g_assert_false(silent->connections_said);
    g_autoptr(FerryOrderOptions) said =
        parse(fixture, "{\"tls\": true, \"parallel_connections\": 1}");
    g_assert_cmpuint(said->parallel_connections, ==, 1);
    g_autoptr(FerryOrderOptions) plain = parse(fixture, "{\"parallel_connections\": null}");
    g_assert_cmpuint(plain->parallel_connections, ==, 1);
}

/* What is said wins over what is a default. */
static void
test_pauses(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryOrderOptions) long_downtime = parse(fixture, "{\"downtime_ms\": 9000}");
    g_assert_cmpuint(long_downtime->max_pause_ms, ==, 9000);
    g_autoptr(FerryOrderOptions) short_pause = parse(fixture, "{\"max_pause_ms\": 200}");
    g_assert_cmpuint(short_pause->downtime_ms, ==, 200);
}

/* A policy by name is an order to use what it ends with. */
static void
test_policy_of_post_copy(Fixture *fixture, gconstpointer user_data)
{
    fixture->config->live_migration_permit_post_copy = true;
    g_autoptr(FerryOrderOptions) named = parse(fixture, "{\"policy\": \"post-copy\"}");
    g_assert_true(named->post_copy);
    assert_refused(fixture, "{\"policy\": \"post-copy\", \"post_copy\": false}", "post_copy");
    assert_refused(fixture, "{\"policy\": \"post-copy\", \"paused\": true}", "paused");
    g_free(fixture->config->policy);
    fixture->config->policy = g_strdup("post-copy");
    g_autoptr(FerryOrderOptions) paused = parse(fixture, "{\"paused\": true}");
    g_assert_false(paused->post_copy);
}

/* Returns: whether the destination is told of post-copy. */
static bool
tells_post_copy(Fixture *fixture, const char *text)
{
    g_autoptr(FerryJson) order = json_loads(text, JSON_DECODE_ANY, NULL);
    g_autoptr(FerryOrderOptions) settled = parse(fixture, text);
    g_autoptr(FerryJson) told = ferry_order_options_for_destination(order, settled);

    g_assert_null(json_object_get(told, "policy"));
    return ferry_json_get_bool(told, "post_copy", false);
}

/* The destination's ban is asked for whatever name a policy has, and whoever named it. */
static void
test_post_copy_for_destination(Fixture *fixture, gconstpointer user_data)
{
    FerryTransferPolicy *night = g_new0(FerryTransferPolicy, 1);

    night->name = "night";
    night->at_end = FERRY_POLICY_POST_COPY;
    g_ptr_array_add(fixture->config->policies, night);
    fixture->config->live_migration_permit_post_copy = true;
    g_assert_true(tells_post_copy(fixture, "{\"policy\": \"night\"}"));
    g_assert_true(tells_post_copy(fixture, "{\"policy\": \"post-copy\"}"));
    g_assert_true(tells_post_copy(fixture, "{\"post_copy\": true}"));
    /* What is used where it is permitted may be banned there. */
    g_assert_false(tells_post_copy(fixture, "{}"));
    g_assert_false(tells_post_copy(fixture, "null"));
    g_free(fixture->config->policy);
    fixture->config->policy = g_strdup("night");
    g_assert_true(tells_post_copy(fixture, "{\"tls\": false}"));
    g_assert_true(tells_post_copy(fixture, "null"));
    g_assert_false(tells_post_copy(fixture, "{\"post_copy\": false}"));
    g_assert_false(tells_post_copy(fixture, "{\"paused\": true}"));
}

/* An older agent knows nothing of the source's own, nor another host of its policies. */
static void
test_for_destination(void)
{
    g_autoptr(FerryJson) order =
        json_loads("{\"policy\": \"post-copy\", \"max_pause_ms\": 1, \"disk_writes\": \"auto\","
                   " \"disk_stall_timeout_s\": 1, \"memory_timeout_s\": 1, \"priority\": \"low\","
                   " \"tls\": true}",
                   0, NULL);
    g_autoptr(FerryJson) expected = json_loads("{\"post_copy\": true, \"tls\": true}", 0, NULL);
    g_autoptr(FerryJson) told = ferry_order_options_for_destination(order, /* settled= */ NULL);

    g_assert_true(json_equal(told, expected));
    g_assert_cmpuint(json_object_size(order), ==, 7);
    g_assert_null(ferry_order_options_for_destination(NULL, /* settled= */ NULL));
}

/* What the journal has of an order may be of another version, or no longer be permitted. */
static FerryOrderOptions *
recall(const char *order, FerrySourceDisks configured)
{
    g_autoptr(FerryJson) object = order ? json_loads(order, 0, NULL) : NULL;
    const char *const no_files[] = {NULL};
    FerryConfig *config = ferry_config_load(no_files, NULL);
    FerryOrderOptions *options = NULL;

    config->source_disks = configured;
    options = ferry_order_options_recall(object, config);
    ferry_config_free(config);
    return options;
}

static void
test_recalled(void)
{
    static const struct {
        const char *order;
        FerrySourceDisks disks;
        guint warnings;
    } cases[] = {
        {"{\"args\": {}}", FERRY_SOURCE_DISKS_DELETE, 0},
        {"{\"args\": {\"options\": {\"source_disks\": \"quarantine\"}}}",
         FERRY_SOURCE_DISKS_QUARANTINE, 0},
        {"{\"args\": {\"options\": {\"polish\": 1, \"source_disks\": \"delete\"}}}",
         FERRY_SOURCE_DISKS_DELETE, 1},
        /* It may have said so: nothing is deleted on a guess. */
        {"{\"args\": {\"options\": {\"polish\": 1}}}", FERRY_SOURCE_DISKS_KEEP, 1},
        {"{\"args\": {\"options\": {\"source_disks\": \"archive\"}}}", FERRY_SOURCE_DISKS_KEEP, 1},
        {"{\"args\": 7}", FERRY_SOURCE_DISKS_KEEP, 0},
        {NULL, FERRY_SOURCE_DISKS_KEEP, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (guint w = 0; w < cases[i].warnings; w++)
            g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*is not followed*");

        g_autoptr(FerryOrderOptions) options = recall(cases[i].order, FERRY_SOURCE_DISKS_DELETE);

        g_test_assert_expected_messages();
        g_assert_cmpint(options->source_disks, ==, cases[i].disks);
    }
    /* A policy that was taken out of the configuration, numbers that are too large here. */
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*options.policy*night*");
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*options.completion_timeout_s*");
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*options.parallel_connections*");
    g_autoptr(FerryOrderOptions) changed =
        recall("{\"args\": {\"options\": {\"policy\": \"night\", \"bandwidth_mib_s\": 8,"
               " \"completion_timeout_s\": 3000000000, \"parallel_connections\": 1000}}}",
               FERRY_SOURCE_DISKS_KEEP);

    g_test_assert_expected_messages();
    g_assert_cmpstr(changed->policy->name, ==, "minimal-downtime");
    g_assert_cmpuint(changed->bandwidth_mibps, ==, 8);
    g_assert_false(changed->has_completion_timeout);
    g_assert_false(changed->connections_said);
    /* The rest of an order stands where one option is permitted no more. */
    g_autoptr(FerryOrderOptions) rest =
        recall("{\"args\": {\"options\": {\"post_copy\": true, \"undefine_source\": false}}}",
               FERRY_SOURCE_DISKS_KEEP);

    g_assert_false(rest->undefine_source);
    g_assert_false(rest->post_copy);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/order-options/defaults", test_defaults);
    add("/order-options/everything-given", test_everything_given);
    add("/order-options/bad-values", test_bad_values);
    add("/order-options/choices-are-named", test_choices_are_named);
    add("/order-options/unknown", test_unknown);
    add("/order-options/quarantine", test_quarantine);
    add("/order-options/too-many-disks", test_too_many_disks);
    add("/order-options/not-permitted", test_what_the_host_does_not_permit);
    add("/order-options/permitted-is-the-default", test_permitted_is_the_default);
    add("/order-options/auto-converge-with-a-policy", test_auto_converge_with_a_policy);
    add("/order-options/connections-of-tls", test_connections_of_tls);
    add("/order-options/pauses", test_pauses);
    add("/order-options/policy-of-post-copy", test_policy_of_post_copy);
    add("/order-options/for-destination/post-copy", test_post_copy_for_destination);
    g_test_add_func("/order-options/for-destination", test_for_destination);
    g_test_add_func("/order-options/recalled", test_recalled);
    return g_test_run();
}
