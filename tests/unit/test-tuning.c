#include "config.h"

#include "model/tuning.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

typedef struct {
    FerryConfig *config;
    FerryOrderOptions *options;
    FerryTuning tuning;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    const char *const no_files[] = {NULL};

    self->config = ferry_config_load(no_files, NULL);
    self->options = ferry_order_options_parse(NULL, self->config, NULL);
    self->tuning = ferry_tuning_of(self->options);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    ferry_order_options_free(self->options);
    ferry_config_free(self->config);
}

static bool
change(Fixture *self, const char *text, GError **error)
{
    g_autoptr(FerryJson) changes = json_loads(text, 0, NULL);

    g_assert_nonnull(changes);
    return ferry_tuning_change(&self->tuning, changes, self->options, self->config, error);
}

static void
test_change(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    bool changed = change(self,
                          "{\"migration_id\": \"m\", \"bandwidth_mib_s\": 8, \"policy\":"
                          " \"very-large\", \"max_pause_ms\": null}",
                          &error);
    g_autoptr(FerryJson) told = ferry_tuning_to_json(&self->tuning);
    g_autoptr(FerryJson) expected =
        json_loads("{\"bandwidth_mib_s\": 8, \"downtime_ms\": 500, \"max_pause_ms\": 5000,"
                   " \"policy\": \"very-large\"}",
                   0, NULL);
    FerryTuning before = self->tuning;

    g_assert_no_error(error);
    g_assert_true(changed);
    g_assert_true(json_equal(told, expected));
    /* As the journal has it; and a limit goes. */
    g_assert_true(ferry_tuning_change(&self->tuning, told, self->options, self->config, NULL));
    g_assert_true(ferry_tuning_equal(&self->tuning, &before));
    g_assert_true(change(self, "{\"bandwidth_mib_s\": 0}", NULL));
    g_assert_false(ferry_tuning_equal(&self->tuning, &before));
    ferry_tuning_apply(&self->tuning, self->options);
    g_assert_cmpstr(self->options->policy->name, ==, "very-large");
}

static void
test_refused(Fixture *self, gconstpointer user_data)
{
    static const struct {
        const char *text;
        const char *named;
    } bad[] = {
        {"{}", "nothing to change"},
        {"{\"migration_id\": \"m\", \"policy\": null}", "nothing to change"},
        {"{\"bandwidth_mib_s\": -1}", "args.bandwidth_mib_s"},
        {"{\"bandwidth_mib_s\": 9223372036854775807}", "args.bandwidth_mib_s"},
        {"{\"bandwidth_mib_s\": 1e3}", "args.bandwidth_mib_s"},
        {"{\"downtime_ms\": 0}", "args.downtime_ms"},
        {"{\"downtime_ms\": 2000001}", "args.downtime_ms"},
        {"{\"downtime_ms\": 5001}", "\"downtime_ms\", 5001, would be above \"max_pause_ms\", 5000"},
        {"{\"max_pause_ms\": 499}", "above"},
        {"{\"max_pause_ms\": \"1\"}", "args.max_pause_ms"},
        {"{\"policy\": \"other\"}", "args.policy"},
        {"{\"policy\": \"post-copy\"}", "begun without"},
        {"{\"bandwidth_mib_s\": 3, \"downtime_ms\": \"x\"}", "args.downtime_ms"},
    };
    const FerryTuning before = self->tuning;

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(change(self, bad[i].text, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        if (!strstr(error->message, bad[i].named))
            g_error("%s: '%s' does not name '%s'", bad[i].text, error->message, bad[i].named);
        g_assert_true(ferry_tuning_equal(&self->tuning, &before));
    }
}

/* What the journal has, while the configuration that it was made with has changed. */
static FerryTuning
recall(Fixture *self, const char *text, const char *warning)
{
    g_autoptr(FerryJson) parameters = text ? json_loads(text, 0, NULL) : NULL;

    if (warning)
        g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, warning);

    FerryTuning tuning = ferry_tuning_recall(parameters, self->options, self->config, "m-1");

    g_test_assert_expected_messages();
    return tuning;
}

static void
test_recalled(Fixture *self, gconstpointer user_data)
{
    FerryTuning none = recall(self, NULL, NULL);
    FerryTuning rest =
        recall(self,
               "{\"bandwidth_mib_s\": 8, \"downtime_ms\": 300, \"max_pause_ms\": 9000,"
               " \"policy\": \"night\"}",
               "*'m-1'*not followed*parameters.policy*night*");
    FerryTuning newer =
        recall(self,
               "{\"bandwidth_mib_s\": 8, \"downtime_ms\": 8000, \"max_pause_ms\": \"much\","
               " \"policy\": \"very-large\", \"polish\": 1}",
               "*'m-1'*not followed*parameters.max_pause_ms*much*");

    g_assert_true(ferry_tuning_equal(&none, &self->tuning));
    g_assert_cmpuint(rest.bandwidth_mibps, ==, 8);
    g_assert_cmpuint(rest.downtime_ms, ==, 300);
    g_assert_cmpuint(rest.max_pause_ms, ==, 9000);
    g_assert_true(rest.policy == self->options->policy);
    g_assert_cmpuint(newer.bandwidth_mibps, ==, 8);
    g_assert_cmpuint(newer.downtime_ms, ==, 8000);
    g_assert_cmpuint(newer.max_pause_ms, ==, 8000);
    g_assert_cmpstr(newer.policy->name, ==, "very-large");
}

static void
test_post_copy_recalled(Fixture *self, gconstpointer user_data)
{
    static const char text[] = "{\"bandwidth_mib_s\": 8, \"policy\": \"post-copy\"}";
    FerryTuning banned = recall(self, text, "*'m-1'*not followed*\"policy\" ends in post-copy*");

    g_assert_cmpuint(banned.bandwidth_mibps, ==, 8);
    g_assert_true(banned.policy == self->options->policy);
    self->options->post_copy = true;
    g_assert_cmpstr(recall(self, text, NULL).policy->name, ==, "post-copy");
}

static void
test_mirror_limit(Fixture *self, gconstpointer user_data)
{
    FerryConfig *config = self->config;

    g_assert_cmpint(ferry_mirror_limit_of("9.0.0", config), ==, FERRY_MIRROR_LIMIT_STAYS);
    g_assert_cmpint(ferry_mirror_limit_of(NULL, config), ==, FERRY_MIRROR_LIMIT_STAYS);
    g_assert_cmpint(ferry_mirror_limit_of("11.3.0", config), ==, FERRY_MIRROR_LIMIT_LIBVIRT);
    config->monitor_commands = true;
    g_assert_cmpint(ferry_mirror_limit_of("11.2.0", config), ==, FERRY_MIRROR_LIMIT_MONITOR);
    g_assert_cmpint(ferry_mirror_limit_of("12.8.0", config), ==, FERRY_MIRROR_LIMIT_LIBVIRT);
}

static void
test_switchover(Fixture *self, gconstpointer user_data)
{
    g_assert_true(change(self, "{\"bandwidth_mib_s\": 8}", NULL));
    g_assert_cmpuint(ferry_switchover_mibps(&self->tuning, self->config, "12.8.0", "11.1.0"), ==,
                     0);
    self->config->switchover_bandwidth_mibps = 100;
    g_assert_cmpuint(ferry_switchover_mibps(&self->tuning, self->config, "12.8.0", "11.1.0"), ==,
                     100);
    /* A parameter that the destination does not know ends the migration. */
    g_assert_cmpuint(ferry_switchover_mibps(&self->tuning, self->config, "12.8.0", "9.0.0"), ==, 0);
    g_assert_cmpuint(ferry_switchover_mibps(&self->tuning, self->config, "12.8.0", NULL), ==, 0);
    g_assert_cmpuint(ferry_switchover_mibps(&self->tuning, self->config, "9.0.0", "12.8.0"), ==, 0);
    g_assert_true(change(self, "{\"bandwidth_mib_s\": 0}", NULL));
    g_assert_cmpuint(ferry_switchover_mibps(&self->tuning, self->config, "12.8.0", "11.1.0"), ==,
                     0);
}

#define ADD(name, test) g_test_add("/tuning/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("change", test_change);
    ADD("refused", test_refused);
    ADD("recalled", test_recalled);
    ADD("recalled/post-copy", test_post_copy_recalled);
    ADD("mirror-limit", test_mirror_limit);
    ADD("switchover", test_switchover);
    return g_test_run();
}
