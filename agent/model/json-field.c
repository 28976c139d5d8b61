#include "config.h"

#include "model/json-field.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

/* What a person needs to recognise the value, not the value in full. */
#define SHOWN_CHARS 60
#define MAX_NAME_BYTES 256

static char *
describe_string(const json_t *value)
{
    g_autofree char *valid =
        g_utf8_make_valid(json_string_value(value), (gssize)json_string_length(value));
    g_autofree char *shown = g_strescape(valid, NULL);
    if (strlen(shown) <= SHOWN_CHARS)
        return g_strdup_printf("\"%s\"", shown);
    return g_strdup_printf("a string of %zu bytes", json_string_length(value));
}

static char *
describe(const json_t *value)
{
    if (!value)
        return g_strdup("nothing");
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return g_strdup("an object");
    case JSON_ARRAY:
        return g_strdup_printf("a list of %zu", json_array_size(value));
    case JSON_STRING:
        return describe_string(value);
    case JSON_INTEGER:
        return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL:
        return g_strdup_printf("the fraction %g", json_real_value(value));
    case JSON_TRUE:
        return g_strdup("true");
    case JSON_FALSE:
        return g_strdup("false");
    case JSON_NULL:
        return g_strdup("null");
    }
    return g_strdup("nothing");
}

bool
ferry_field_refuse(const FerryFieldScope *scope,
                   const char *key,
                   const json_t *value,
                   const char *expected,
                   GError **error)
{
    g_autofree char *found = describe(value);
    g_autofree char *path =
        key ? g_strdup_printf("%s.%s", scope->path, key) : g_strdup(scope->path);
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "Correct the field and send it again",
                    "Field \"%s\": found %s, expected %s", path, found, expected);
    return false;
}

bool
ferry_field_check_object(const FerryFieldScope *scope, GError **error)
{
    if (json_is_object(scope->object))
        return true;
    return ferry_field_refuse(scope, NULL, scope->object, "an object", error);
}

/* NULL for absent and for null: both mean "use the default". */
static const json_t *
lookup(const FerryFieldScope *scope, const char *key)
{
    const json_t *value = json_object_get(scope->object, key);
    return json_is_null(value) ? NULL : value;
}

static bool
characters_allowed(const json_t *value, FerryFieldText kind)
{
    const char *text = json_string_value(value);
    gsize length = json_string_length(value);
    if (!g_utf8_validate_len(text, length, NULL))
        return false;
    for (const char *at = text; at < text + length; at = g_utf8_next_char(at)) {
        bool line_break = *at == '\n' || *at == '\t' || *at == '\r';
        if (line_break && kind == FERRY_FIELD_LINES)
            continue;
        if (g_unichar_iscntrl(g_utf8_get_char(at)))
            return false;
    }
    return true;
}

static bool
check_text(const FerryFieldScope *scope,
           const char *key,
           const json_t *value,
           FerryFieldText kind,
           gsize max_bytes,
           GError **error)
{
    if (!json_is_string(value))
        return ferry_field_refuse(scope, key, value, "a string", error);
    if (json_string_length(value) > max_bytes) {
        g_autofree char *expected = g_strdup_printf("at most %zu bytes", max_bytes);
        return ferry_field_refuse(scope, key, value, expected, error);
    }
    if (!characters_allowed(value, kind))
        return ferry_field_refuse(scope, key, value, "text without control characters", error);
    return true;
}

bool
ferry_field_text(const FerryFieldScope *scope,
                 const char *key,
                 FerryFieldText kind,
                 gsize max_bytes,
                 char **value,
                 GError **error)
{
    const json_t *found = lookup(scope, key);
    if (!found)
        return true;
    if (!check_text(scope, key, found, kind, max_bytes, error))
        return false;
    g_free(*value);
    *value = g_strdup(json_string_value(found));
    return true;
}

bool
ferry_field_bool(const FerryFieldScope *scope, const char *key, bool *value, GError **error)
{
    const json_t *found = lookup(scope, key);
    if (!found)
        return true;
    if (!json_is_boolean(found))
        return ferry_field_refuse(scope, key, found, "true or false", error);
    *value = json_is_true(found);
    return true;
}

bool
ferry_field_uint64(const FerryFieldScope *scope,
                   const char *key,
                   guint64 min,
                   guint64 max,
                   guint64 *value,
                   GError **error)
{
    const json_t *found = lookup(scope, key);
    if (!found)
        return true;
    json_int_t number = json_integer_value(found);
    if (!json_is_integer(found) || number < 0 || (guint64)number < min || (guint64)number > max) {
        g_autofree char *expected = g_strdup_printf(
            "an integer from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, min, max);
        return ferry_field_refuse(scope, key, found, expected, error);
    }
    *value = (guint64)number;
    return true;
}

bool
ferry_field_uint(const FerryFieldScope *scope,
                 const char *key,
                 guint min,
                 guint max,
                 guint *value,
                 GError **error)
{
    guint64 wide = *value;
    if (!ferry_field_uint64(scope, key, min, max, &wide, error))
        return false;
    *value = (guint)wide;
    return true;
}

bool
ferry_field_list(const FerryFieldScope *scope,
                 const char *key,
                 gsize max_count,
                 const json_t **ret_list,
                 GError **error)
{
    const json_t *found = lookup(scope, key);
    if (found && !json_is_array(found))
        return ferry_field_refuse(scope, key, found, "a list", error);
    if (found && json_array_size(found) > max_count) {
        g_autofree char *expected = g_strdup_printf("at most %zu entries", max_count);
        return ferry_field_refuse(scope, key, found, expected, error);
    }
    *ret_list = found;
    return true;
}

bool
ferry_field_texts(const FerryFieldScope *scope,
                  const char *key,
                  gsize max_count,
                  gsize max_bytes,
                  char ***value,
                  GError **error)
{
    const json_t *list = NULL;
    if (!ferry_field_list(scope, key, max_count, &list, error))
        return false;
    if (!list)
        return true;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        g_autofree char *item_key = g_strdup_printf("%s[%zu]", key, i);
        if (!check_text(scope, item_key, item, FERRY_FIELD_LINE, max_bytes, error))
            return false;
        g_strv_builder_add(builder, json_string_value(item));
    }
    g_strfreev(*value);
    *value = g_strv_builder_end(builder);
    return true;
}

static bool
check_entry(const FerryFieldScope *scope, const char *key, gsize max_bytes, GError **error)
{
    g_autoptr(FerryJson) name = ferry_json_text(key);
    const json_t *value = json_object_get(scope->object, key);
    if (*key == '\0' || !characters_allowed(name, FERRY_FIELD_LINE) || strlen(key) > max_bytes)
        return ferry_field_refuse(scope, NULL, name, "a key that is a name", error);
    if (!check_text(scope, key, value, FERRY_FIELD_LINE, max_bytes, error))
        return false;
    return json_string_length(value) > 0 ||
           ferry_field_refuse(scope, key, value, "a string that is not empty", error);
}

bool
ferry_field_map(const FerryFieldScope *scope,
                const char *key,
                gsize max_count,
                gsize max_bytes,
                json_t **value,
                GError **error)
{
    const json_t *found = lookup(scope, key);
    g_autofree char *path = g_strdup_printf("%s.%s", scope->path, key);
    const FerryFieldScope map = {found, path};
    const char *entry = NULL;
    json_t *ignored = NULL;
    if (!found)
        return true;
    if (!ferry_field_check_object(&map, error))
        return false;
    if (json_object_size(found) > max_count) {
        g_autofree char *expected = g_strdup_printf("at most %zu entries", max_count);
        return ferry_field_refuse(scope, key, found, expected, error);
    }
    json_object_foreach((json_t *)found, entry, ignored) {
        if (!check_entry(&map, entry, max_bytes, error))
            return false;
    }
    json_decref(*value);
    *value = json_copy((json_t *)found);
    return true;
}

bool
ferry_field_optional_name(const FerryFieldScope *scope,
                          const char *key,
                          const char **value,
                          GError **error)
{
    const json_t *found = lookup(scope, key);

    if (!found)
        return true;
    if (!check_text(scope, key, found, FERRY_FIELD_LINE, MAX_NAME_BYTES, error))
        return false;
    if (json_string_length(found) == 0)
        return ferry_field_refuse(scope, key, found, "a string that is not empty", error);
    *value = json_string_value(found);
    return true;
}

const char *
ferry_field_name(const FerryFieldScope *scope, const char *key, GError **error)
{
    const char *name = NULL;

    if (ferry_field_optional_name(scope, key, &name, error) && !name)
        (void)ferry_field_refuse(scope, key, json_object_get(scope->object, key), "a string",
                                 error);
    return name;
}

char *
ferry_field_uuid(const FerryFieldScope *scope, const char *key, GError **error)
{
    const char *text = ferry_field_name(scope, key, error);

    if (!text)
        return NULL;
    if (g_uuid_string_is_valid(text))
        return g_ascii_strdown(text, -1);
    (void)ferry_field_refuse(scope, key, json_object_get(scope->object, key),
                             "a UUID, such as uuidgen makes", error);
    return NULL;
}

json_t *
ferry_field_object(const FerryFieldScope *scope, const char *key, GError **error)
{
    json_t *value = json_object_get(scope->object, key);

    if (json_is_object(value))
        return value;
    (void)ferry_field_refuse(scope, key, value, "an object", error);
    return NULL;
}
