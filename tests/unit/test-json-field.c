/* The arguments of methods: what a stranger may send, and what is said of what he may not. */
#include "config.h"

#include "model/json-field.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

static FerryJson *
parse(const char *text)
{
    FerryJson *object = json_loads(text, JSON_ALLOW_NUL, NULL);

    g_assert_nonnull(object);
    return object;
}

static void
assert_refused(GError **error, const char *message)
{
    g_assert_error(*error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    if (!strstr((*error)->message, message))
        g_error("'%s' does not say '%s'", (*error)->message, message);
    g_clear_error(error);
}

static void
test_names(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object = parse("{\"a\": \"web01\", \"none\": null}");
    const FerryFieldScope scope = {object, "args"};
    const char *name = "as before";

    g_assert_cmpstr(ferry_field_name(&scope, "a", &error), ==, "web01");
    g_assert_no_error(error);
    g_assert_true(ferry_field_optional_name(&scope, "none", &name, &error));
    g_assert_true(ferry_field_optional_name(&scope, "nosuch", &name, &error));
    g_assert_cmpstr(name, ==, "as before");
    g_assert_true(ferry_field_optional_name(&scope, "a", &name, &error));
    g_assert_cmpstr(name, ==, "web01");
    g_assert_null(ferry_field_name(&scope, "nosuch", &error));
    assert_refused(&error, "Field \"args.nosuch\": found nothing, expected a string");
    g_assert_null(ferry_field_name(&scope, "none", &error));
    assert_refused(&error, "Field \"args.none\": found null, expected a string");
}

static void
test_bad_names(void)
{
    g_autofree char *long_name = g_strnfill(257, 'x');
    g_autofree char *too_long = g_strdup_printf("{\"a\": \"%s\"}", long_name);
    const char *const bad[] = {"{\"a\": 1}", "{\"a\": \"\"}", "{\"a\": \"x\\ny\"}",
                               "{\"a\": \"x\\u0000y\"}", too_long};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryJson) object = parse(bad[i]);
        const FerryFieldScope scope = {object, "args"};
        const char *name = NULL;

        g_test_message("%s", bad[i]);
        g_assert_null(ferry_field_name(&scope, "a", &error));
        assert_refused(&error, "Field \"args.a\": found");
        g_assert_false(ferry_field_optional_name(&scope, "a", &name, &error));
        assert_refused(&error, "Field \"args.a\": found");
        g_assert_null(name);
    }
}

static void
test_uuid(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object =
        parse("{\"id\": \"3B9A8CB0-8d33-40b4-8215-620b97791003\", \"no\": \"3b9a\"}");
    const FerryFieldScope scope = {object, "args"};
    g_autofree char *id = ferry_field_uuid(&scope, "id", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(id, ==, "3b9a8cb0-8d33-40b4-8215-620b97791003");
    g_assert_null(ferry_field_uuid(&scope, "no", &error));
    assert_refused(&error, "Field \"args.no\": found \"3b9a\", expected a UUID");
    g_assert_null(ferry_field_uuid(&scope, "nosuch", &error));
    assert_refused(&error, "Field \"args.nosuch\": found nothing");
}

static void
test_object(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object = parse("{\"o\": {}, \"l\": []}");
    const FerryFieldScope scope = {object, "args"};

    g_assert_true(ferry_field_object(&scope, "o", &error) == json_object_get(object, "o"));
    g_assert_null(ferry_field_object(&scope, "l", &error));
    assert_refused(&error, "Field \"args.l\": found a list of 0, expected an object");
    g_assert_null(ferry_field_object(&scope, "nosuch", &error));
    assert_refused(&error, "Field \"args.nosuch\": found nothing, expected an object");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-field/names", test_names);
    g_test_add_func("/json-field/bad-names", test_bad_names);
    g_test_add_func("/json-field/uuid", test_uuid);
    g_test_add_func("/json-field/object", test_object);
    return g_test_run();
}
