#include "config.h"

#include "ferry/json.h"

json_t *
ferry_json_text(const char *text)
{
    if (!text)
        return json_null();
    g_autofree char *valid = g_utf8_make_valid(text, /* len= */ -1);
    return json_string(valid);
}

const char *
ferry_json_get_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

gint64
ferry_json_get_int(const json_t *object, const char *key, gint64 fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool
ferry_json_get_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

char *
ferry_json_dump(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);

    /* It fails only without memory or for no value: jansson holds neither NaN nor invalid UTF-8. */
    return text ? text : g_strdup("null");
}
