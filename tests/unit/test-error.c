#include "config.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

#include <gio/gio.h>

static GError *
disk_exists(void)
{
    GError *error = ferry_error_new(FERRY_ERROR_DESTINATION_DISK_EXISTS, "remove or rename it",
                                    "'%s' exists on %s", "/images/a.qcow2", "kvm02");

    ferry_error_set_detail(error, "path", json_string("/images/a.qcow2"));
    return error;
}

static void
test_every_code_has_a_name_of_its_own(void)
{
    for (int code = 0; code <= FERRY_ERROR_REMOTE; code++) {
        FerryErrorCode back = FERRY_ERROR_INTERNAL;
        const char *name = ferry_error_code_name((FerryErrorCode)code);

        g_assert_nonnull(name);
        g_assert_true(ferry_error_code_from_name(name, &back));
        g_assert_cmpint(back, ==, code);
    }
    FerryErrorCode untouched = FERRY_ERROR_CONFIG;
    g_assert_false(ferry_error_code_from_name("instancenotfound", &untouched));
    g_assert_false(ferry_error_code_from_name(NULL, &untouched));
    g_assert_cmpint(untouched, ==, FERRY_ERROR_CONFIG);
}

static void
test_modules(void)
{
    g_assert_cmpstr(ferry_error_code_module(FERRY_ERROR_INVALID_CPU_INFO), ==, "nova.exception");
    g_assert_cmpstr(ferry_error_code_module(FERRY_ERROR_INVALID_REQUEST), ==,
                    "virt_ferry.exception");
}

static void
test_copy_and_prefix_keep_everything(void)
{
    g_autoptr(GError) error = disk_exists();
    g_autoptr(GError) copy = g_error_copy(error);

    g_prefix_error(&copy, "instance '%s': ", "web");
    g_assert_cmpstr(copy->message, ==, "instance 'web': '/images/a.qcow2' exists on kvm02");
    g_assert_cmpstr(ferry_error_hint(copy), ==, "remove or rename it");
    g_assert_cmpstr(ferry_json_get_string(ferry_error_details(copy), "path"), ==,
                    "/images/a.qcow2");
}

/* A copy may be in another thread by then: what it shares must not change. */
static void
test_a_detail_added_later_is_not_in_the_copy(void)
{
    g_autoptr(GError) error = disk_exists();
    g_autoptr(GError) copy = g_error_copy(error);

    ferry_error_set_detail(error, "size", json_integer(3));
    ferry_error_set_hint(error, ferry_error_hint(error));
    g_assert_cmpint(json_object_size(ferry_error_details(error)), ==, 2);
    g_assert_cmpint(json_object_size(ferry_error_details(copy)), ==, 1);
    g_assert_cmpstr(ferry_error_hint(error), ==, "remove or rename it");
}

static void
test_set_error_without_a_place(void)
{
    ferry_set_error(/* error= */ NULL, FERRY_ERROR_INTERNAL, /* hint= */ NULL, "lost");
    g_autoptr(GError) error = NULL;
    ferry_set_error(&error, FERRY_ERROR_INTERNAL, /* hint= */ NULL, "%d%%", 5);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL);
    g_assert_cmpstr(error->message, ==, "5%");
    g_assert_null(ferry_error_hint(error));
    g_assert_null(ferry_error_details(error));
}

static void
test_foreign_domain(void)
{
    g_autoptr(GError) error = g_error_new(G_IO_ERROR, G_IO_ERROR_FAILED, "no \xff disk");

    g_assert_null(ferry_error_hint(error));
    g_assert_null(ferry_error_details(error));
    g_assert_cmpstr(ferry_error_name(error), ==, "InternalError");
    g_autoptr(FerryJson) object = ferry_error_to_json(error);
    g_assert_cmpstr(ferry_json_get_string(object, "code"), ==, "InternalError");
    g_assert_cmpstr(ferry_json_get_string(object, "message"), ==, "no \357\277\275 disk");
    g_assert_true(json_is_null(json_object_get(object, "hint")));
    g_assert_true(json_is_object(json_object_get(object, "details")));
}

static void
test_json_there_and_back(void)
{
    g_autoptr(GError) error = disk_exists();
    g_autoptr(FerryJson) object = ferry_error_to_json(error);
    g_autoptr(GError) back = ferry_error_from_json(object);

    g_assert_error(back, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    g_assert_cmpstr(back->message, ==, error->message);
    g_assert_cmpstr(ferry_error_hint(back), ==, ferry_error_hint(error));
    g_assert_true(json_equal(ferry_error_details(back), ferry_error_details(error)));
}

static void
test_json_of_a_stranger(void)
{
    static const char *const texts[] = {
        "null", "[]", "{}", "{\"code\": 7, \"message\": [], \"hint\": {}, \"details\": \"x\"}"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(FerryJson) object = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        g_autoptr(GError) error = ferry_error_from_json(object);

        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_REMOTE);
        g_assert_cmpstr(error->message, !=, "");
        g_assert_null(ferry_error_hint(error));
    }
    g_autoptr(GError) nothing = ferry_error_from_json(NULL);
    g_assert_error(nothing, FERRY_ERROR, FERRY_ERROR_REMOTE);
}

static void
test_json_of_an_unknown_class(void)
{
    g_autoptr(FerryJson) object =
        json_pack("{s:s,s:s}", "code", "InstanceFaultRollback", "message", "100% \xe2\x98\x83 %s");
    g_autoptr(GError) error = ferry_error_from_json(object);

    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_REMOTE);
    g_assert_cmpstr(error->message, ==, "100% \xe2\x98\x83 %s");
    g_assert_cmpstr(ferry_json_get_string(ferry_error_details(error), "class"), ==,
                    "InstanceFaultRollback");
}

/* However long the names that an error quotes: message and hint end, between two characters. */
static void
test_length(void)
{
    g_autoptr(GString) name = g_string_new("x");

    while (name->len < 100000)
        g_string_append(name, "\xe2\x98\x83");
    g_autoptr(GError) error =
        ferry_error_new(FERRY_ERROR_INTERNAL, name->str, "No pool '%s'", name->str);
    g_autoptr(FerryJson) plain = ferry_error_to_json(error);

    g_assert_cmpuint(strlen(error->message), <=, 1024);
    g_assert_cmpuint(strlen(error->message), >, 1020);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    g_assert_true(g_str_has_suffix(error->message, "\xe2\x80\xa6"));
    g_assert_cmpuint(strlen(ferry_error_hint(error)), <=, 1024);
    g_prefix_error(&error, "%s", name->str);
    g_autoptr(FerryJson) prefixed = ferry_error_to_json(error);
    g_assert_cmpuint(strlen(ferry_json_get_string(prefixed, "message")), <=, 1024);
    g_assert_nonnull(plain);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/names", test_every_code_has_a_name_of_its_own);
    g_test_add_func("/error/modules", test_modules);
    g_test_add_func("/error/copy-and-prefix", test_copy_and_prefix_keep_everything);
    g_test_add_func("/error/copy-is-independent", test_a_detail_added_later_is_not_in_the_copy);
    g_test_add_func("/error/no-place", test_set_error_without_a_place);
    g_test_add_func("/error/foreign-domain", test_foreign_domain);
    g_test_add_func("/error/json", test_json_there_and_back);
    g_test_add_func("/error/json-stranger", test_json_of_a_stranger);
    g_test_add_func("/error/json-unknown-class", test_json_of_an_unknown_class);
    g_test_add_func("/error/length", test_length);
    return g_test_run();
}
