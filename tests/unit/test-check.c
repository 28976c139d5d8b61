#include "config.h"

#include "model/check.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

static FerryChecks *
mixed_results(void)
{
    FerryChecks *checks = ferry_checks_new();
    ferry_checks_add(checks, "cpu", FERRY_CHECK_PASS, NULL, "CPU %s fits", "qemu64");
    ferry_checks_add(checks, "space", FERRY_CHECK_FAIL, "free 3 GiB", "%d GiB lack in %s", 3,
                     "/images");
    ferry_checks_add(checks, "tls", FERRY_CHECK_WARN, "turn TLS on",
                     "the transfer is not encrypted");
    ferry_checks_add(checks, "incoming-slots", FERRY_CHECK_FAIL, "wait", "no slot is free");
    return checks;
}

static void
test_adding(void)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_assert_true(ferry_checks_compatible(checks));
    ferry_checks_add(checks, "cpu", FERRY_CHECK_PASS, NULL, "CPU %s fits", "qemu64");
    ferry_checks_add(checks, "tls", FERRY_CHECK_WARN, "turn TLS on", "100%% open");
    g_assert_true(ferry_checks_compatible(checks));
    g_assert_null(ferry_checks_error(checks));
    g_assert_cmpuint(ferry_checks_count(checks), ==, 2);
    g_assert_cmpstr(ferry_checks_get(checks, 0)->message, ==, "CPU qemu64 fits");
    g_assert_null(ferry_checks_get(checks, 0)->hint);
    g_assert_cmpstr(ferry_checks_get(checks, 1)->message, ==, "100% open");
    g_assert_cmpint(ferry_checks_get(checks, 1)->result, ==, FERRY_CHECK_WARN);
    g_assert_true(ferry_checks_warn_of(checks, "tls"));
    g_assert_false(ferry_checks_warn_of(checks, ferry_checks_get(checks, 0)->name));
}

/* A name that nobody wrote down is a bug, and still no failure gets lost. */
static void
test_unknown_name(void)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_test_expect_message("ferry", G_LOG_LEVEL_CRITICAL, "*'nosuch'*");
    ferry_checks_add(checks, "nosuch", FERRY_CHECK_FAIL, NULL, "no");
    g_test_assert_expected_messages();
    g_assert_false(ferry_checks_compatible(checks));
    g_assert_true(ferry_check_is_name(ferry_check_name(0)));
}

/* A newer peer's checks have names that are not known here. */
static void
test_unknown_name_of_a_peer(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_autoptr(FerryJson) object = json_loads(
        "{\"checks\": [{\"name\": \"nosuch\", \"result\": \"fail\", \"message\": \"no\"}]}", 0,
        NULL);
    g_autoptr(FerryChecks) far = ferry_checks_from_json(object, &error);
    g_assert_no_error(error);
    ferry_checks_append(checks, far);
    g_assert_false(ferry_checks_compatible(checks));
    g_assert_cmpstr(ferry_checks_get(checks, 0)->name, ==, "nosuch");
}

static void
test_json_and_back(void)
{
    g_autoptr(FerryChecks) checks = mixed_results();
    g_autoptr(FerryJson) json = ferry_checks_to_json(checks);
    g_autofree char *text = ferry_json_dump(json);
    g_assert_true(g_str_has_prefix(text, "{\"compatible\":"));
    g_assert_true(json_is_false(json_object_get(json, "compatible")));
    g_assert_cmpuint(json_array_size(json_object_get(json, "checks")), ==, 4);

    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChecks) back = ferry_checks_from_json(json, &error);
    g_assert_no_error(error);
    g_autoptr(FerryJson) again = ferry_checks_to_json(back);
    g_assert_true(json_equal(json, again));
}

static void
test_error_names_every_failure(void)
{
    g_autoptr(FerryChecks) checks = mixed_results();
    g_autoptr(GError) error = ferry_checks_error(checks);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
    g_assert_cmpstr(
        error->message, ==,
        "2 checks failed: space: 3 GiB lack in /images; incoming-slots: no slot is free");
    g_assert_cmpstr(ferry_error_hint(error), ==, "free 3 GiB");
    const json_t *list = json_object_get(ferry_error_details(error), "checks");
    g_assert_cmpuint(json_array_size(list), ==, 4);
    g_assert_cmpstr(ferry_json_get_string(json_array_get(list, 2), "result"), ==, "warn");
}

static int
code_of_failures(const char *first, const char *second)
{
    g_autoptr(FerryChecks) failures = ferry_checks_new();
    ferry_checks_add(failures, first, FERRY_CHECK_FAIL, NULL, "no");
    ferry_checks_add(failures, "state", FERRY_CHECK_WARN, NULL, "odd");
    if (second != NULL)
        ferry_checks_add(failures, second, FERRY_CHECK_FAIL, NULL, "no");
    g_autoptr(GError) error = ferry_checks_error(failures);
    g_assert_true(error != NULL && error->domain == FERRY_ERROR);
    return error->code;
}

/* A single kind of failure that the protocol has a name for is told by that name. */
static void
test_code_of_the_error(void)
{
    g_assert_cmpint(code_of_failures("cpu", NULL), ==, FERRY_ERROR_INVALID_CPU_INFO);
    g_assert_cmpint(code_of_failures("path", "path"), ==, FERRY_ERROR_PATH_NOT_ALLOWED);
    g_assert_cmpint(code_of_failures("cpu", "path"), ==, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
    g_assert_cmpint(code_of_failures("path", "incoming-slots"), ==,
                    FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
    g_assert_cmpint(code_of_failures("incoming-slots", NULL), ==,
                    FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
}

static void
test_append(void)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_autoptr(FerryChecks) other = mixed_results();
    ferry_checks_add(checks, "state", FERRY_CHECK_PASS, NULL, "running");
    ferry_checks_append(checks, other);
    g_assert_cmpuint(ferry_checks_count(checks), ==, 5);
    g_assert_cmpstr(ferry_checks_get(checks, 2)->message, ==, "3 GiB lack in /images");
    g_assert_false(ferry_checks_compatible(checks));
}

/* The far side's summary is not believed: its results are. */
static void
test_compatible_follows_from_results(void)
{
    g_autoptr(FerryJson) lie = json_pack("{s:b, s:[{s:s, s:s}]}", "compatible", 1, "checks", "name",
                                         "cpu", "result", "fail");
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChecks) checks = ferry_checks_from_json(lie, &error);
    g_assert_no_error(error);
    g_assert_false(ferry_checks_compatible(checks));
    g_assert_cmpstr(ferry_checks_get(checks, 0)->message, ==, "");
}

static void
test_bad_json(void)
{
    static const struct {
        const char *text;
        const char *named;
    } bad[] = {
        {"null", "\"result\""},
        {"[]", "\"result\""},
        {"{}", "result.checks"},
        {"{\"checks\": {}}", "result.checks"},
        {"{\"checks\": [1]}", "result.checks[0]"},
        {"{\"checks\": [{\"result\": \"pass\"}]}", "result.checks[0].name"},
        {"{\"checks\": [{\"name\": \"a\"}]}", "result.checks[0].result"},
        {"{\"checks\": [{\"name\": \"a\", \"result\": \"PASS\"}]}", "result.checks[0].result"},
        {"{\"checks\": [{\"name\": \"a\\nb\", \"result\": \"pass\"}]}", "result.checks[0].name"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(FerryJson) json = json_loads(bad[i].text, JSON_DECODE_ANY, NULL);
        g_assert_nonnull(json);
        g_autoptr(GError) error = NULL;
        g_assert_null(ferry_checks_from_json(json, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        g_assert_nonnull(strstr(error->message, bad[i].named));
    }
}

static void
test_result_names(void)
{
    for (int result = FERRY_CHECK_PASS; result <= FERRY_CHECK_FAIL; result++) {
        FerryCheckResult back = FERRY_CHECK_PASS;
        g_assert_true(ferry_check_result_from_string(ferry_check_result_to_string(result), &back));
        g_assert_cmpint(back, ==, result);
    }
    FerryCheckResult untouched = FERRY_CHECK_WARN;
    g_assert_false(ferry_check_result_from_string(NULL, &untouched));
    g_assert_cmpint(untouched, ==, FERRY_CHECK_WARN);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/check/adding", test_adding);
    g_test_add_func("/check/unknown-name", test_unknown_name);
    g_test_add_func("/check/unknown-name-of-a-peer", test_unknown_name_of_a_peer);
    g_test_add_func("/check/json", test_json_and_back);
    g_test_add_func("/check/error", test_error_names_every_failure);
    g_test_add_func("/check/code-of-the-error", test_code_of_the_error);
    g_test_add_func("/check/append", test_append);
    g_test_add_func("/check/compatible-follows", test_compatible_follows_from_results);
    g_test_add_func("/check/bad-json", test_bad_json);
    g_test_add_func("/check/result-names", test_result_names);
    return g_test_run();
}
