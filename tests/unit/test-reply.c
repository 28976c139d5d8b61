#include "config.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "rpc/reply-bare.h"
#include "rpc/reply-oslo.h"

#include <string.h>

static void
check_five_keys(const json_t *reply, bool ending)
{
    g_assert_cmpuint(json_object_size(reply), ==, 5);
    g_assert_cmpstr(ferry_json_get_string(reply, "_msg_id"), ==, "m");
    g_assert_cmpuint(strlen(ferry_json_get_string(reply, "_unique_id")), ==, 32);
    g_assert_true(ferry_json_get_bool(reply, "ending", !ending) == ending);
    g_assert_nonnull(json_object_get(reply, "result"));
    g_assert_nonnull(json_object_get(reply, "failure"));
}

static void
test_result(void)
{
    g_autoptr(FerryJson) value = ferry_reply_oslo_result("m", json_integer(5));
    g_autoptr(FerryJson) nothing = ferry_reply_oslo_result("m", NULL);

    check_five_keys(value, true);
    check_five_keys(nothing, true);
    g_assert_cmpint(ferry_json_get_int(value, "result", 0), ==, 5);
    g_assert_true(json_is_null(json_object_get(nothing, "result")));
    g_assert_true(json_is_null(json_object_get(nothing, "failure")));
}

static void
test_heartbeat(void)
{
    g_autoptr(FerryJson) heartbeat = ferry_reply_oslo_heartbeat("m");

    check_five_keys(heartbeat, false);
    g_assert_true(json_is_null(json_object_get(heartbeat, "result")));
}

static GError *
sample_error(void)
{
    GError *error =
        ferry_error_new(FERRY_ERROR_INSTANCE_NOT_FOUND, "Look elsewhere", "No \"%s\" here", "\xff");

    ferry_error_set_detail(error, "number", json_integer(42));
    return error;
}

/* What a stock client reads: JSON inside a string, and what builds nova's class. */
static void
test_failure(void)
{
    g_autoptr(GError) error = sample_error();
    g_autoptr(FerryFailure) failure = ferry_failure_from_error(error);
    g_autoptr(FerryJson) reply = ferry_reply_oslo_failure("m", failure);

    check_five_keys(reply, true);
    g_autoptr(FerryJson) inner = json_loads(ferry_json_get_string(reply, "failure"), 0, NULL);
    g_assert_cmpuint(json_object_size(inner), ==, 6);
    g_assert_cmpstr(ferry_json_get_string(inner, "class"), ==, "InstanceNotFound");
    g_assert_cmpstr(ferry_json_get_string(inner, "module"), ==, "nova.exception");
    g_assert_cmpstr(ferry_json_get_string(inner, "message"), ==, "No \"\xef\xbf\xbd\" here");
    g_assert_cmpuint(json_array_size(json_object_get(inner, "tb")), ==, 2);
    g_assert_cmpuint(json_array_size(json_object_get(inner, "args")), ==, 1);
    const json_t *kwargs = json_object_get(inner, "kwargs");
    g_assert_cmpuint(json_object_size(kwargs), ==, 3);
    g_assert_cmpstr(ferry_json_get_string(kwargs, "code"), ==, "InstanceNotFound");
    g_assert_cmpstr(ferry_json_get_string(kwargs, "hint"), ==, "Look elsewhere");
}

static void
test_failure_round_trip(void)
{
    g_autoptr(GError) error = sample_error();
    g_autoptr(FerryFailure) failure = ferry_failure_from_error(error);
    g_autoptr(FerryJson) text = ferry_failure_to_oslo(failure);
    g_autoptr(GError) again = ferry_failure_to_error(json_string_value(text));

    g_assert_error(again, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND);
    g_assert_cmpstr(ferry_error_hint(again), ==, "Look elsewhere");
    g_assert_cmpint(ferry_json_get_int(ferry_error_details(again), "number", 0), ==, 42);
}

static void
test_foreign_failures(void)
{
    const struct {
        const char *text;
        const char *class_name;
    } cases[] = {
        {"{\"class\": \"ValueError\", \"module\": \"builtins\", \"message\": \"m\", "
         "\"kwargs\": {}}",
         "ValueError"},
        {"{\"class\": 5}", "RemoteError"},
        {"[]", "RemoteError"},
        {"no JSON", "RemoteError"},
        {"{\"class\": \"X\", \"kwargs\": {\"hint\": 5, \"details\": [1]}}", "X"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = ferry_failure_to_error(cases[i].text);

        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_REMOTE);
        if (!g_str_equal(cases[i].class_name, "RemoteError"))
            g_assert_cmpstr(ferry_json_get_string(ferry_error_details(error), "class"), ==,
                            cases[i].class_name);
    }
}

static void
test_bare(void)
{
    g_autoptr(GError) error = sample_error();
    g_autoptr(FerryFailure) failure = ferry_failure_from_error(error);
    g_autoptr(FerryFailure) stock = ferry_failure_stock("builtins", "TypeError", "bad %s", "args");
    g_autoptr(FerryJson) result = ferry_reply_bare_result(NULL);
    g_autoptr(FerryJson) failed = ferry_reply_bare_error(failure);
    g_autoptr(FerryJson) refused = ferry_reply_bare_error(stock);

    g_assert_true(json_is_null(json_object_get(result, "result")));
    g_assert_cmpstr(ferry_json_get_string(json_object_get(failed, "error"), "code"), ==,
                    "InstanceNotFound");
    g_assert_cmpstr(ferry_json_get_string(json_object_get(refused, "error"), "code"), ==,
                    "InvalidRequest");
    g_assert_cmpstr(ferry_json_get_string(json_object_get(refused, "error"), "message"), ==,
                    "bad args");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reply/result", test_result);
    g_test_add_func("/reply/heartbeat", test_heartbeat);
    g_test_add_func("/reply/failure", test_failure);
    g_test_add_func("/reply/failure-round-trip", test_failure_round_trip);
    g_test_add_func("/reply/foreign-failures", test_foreign_failures);
    g_test_add_func("/reply/bare", test_bare);
    return g_test_run();
}
