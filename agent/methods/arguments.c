#include "config.h"

#include "methods/arguments.h"

#include "ferry/error.h"

#define MAX_NAME_BYTES 256

static bool
has_control_characters(const char *text)
{
    for (; *text; text++)
        if (g_ascii_iscntrl(*text))
            return true;
    return false;
}

/* Returns: (transfer none): a string argument that is fit to be a name; NULL with @error. */
const char *
ferry_argument_name(json_t *args, const char *key, GError **error)
{
    json_t *value = json_object_get(args, key);
    const char *text = json_string_value(value);

    if (text && text[0] && json_string_length(value) == strlen(text) &&
        strlen(text) <= MAX_NAME_BYTES && !has_control_characters(text))
        return text;
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                    "Argument '%s': expected a string of 1 to %d bytes without control characters",
                    key, MAX_NAME_BYTES);
    return NULL;
}

/* As ferry_argument_name(), for an argument that may be absent or null: *ret_text is NULL then. */
bool
ferry_argument_optional_name(json_t *args, const char *key, const char **ret_text, GError **error)
{
    json_t *value = json_object_get(args, key);

    *ret_text = NULL;
    if (!value || json_is_null(value))
        return true;
    *ret_text = ferry_argument_name(args, key, error);
    return *ret_text != NULL;
}

json_t *
ferry_argument_object(json_t *args, const char *key, GError **error)
{
    json_t *value = json_object_get(args, key);

    if (json_is_object(value))
        return value;
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL, "Argument '%s': expected an object",
                    key);
    return NULL;
}

char *
ferry_argument_id(json_t *args, GError **error)
{
    const char *text = ferry_argument_name(args, "migration_id", error);

    if (!text)
        return NULL;
    if (g_uuid_string_is_valid(text))
        return g_ascii_strdown(text, -1);
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "uuidgen makes one",
                    "Argument 'migration_id': '%s' is not a UUID", text);
    return NULL;
}

/* A UUID that follows from what names the message: a redelivery of an order without a migration_id
 * gets the same one and starts nothing twice. */
static char *
id_from_identity(const char *identity)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 d[32];
    gsize length = sizeof d;

    g_checksum_update(sum, (const guchar *)identity, -1);
    g_checksum_get_digest(sum, d, &length);
    /* RFC 9562, version 8: a UUID of one's own making. */
    d[6] = (guint8)((d[6] & 0x0f) | 0x80);
    d[8] = (guint8)((d[8] & 0x3f) | 0x80);
    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11],
                           d[12], d[13], d[14], d[15]);
}

/* The caller's id, or one of our making. */
char *
ferry_argument_id_or_new(FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    json_t *value = json_object_get(args, "migration_id");
    const char *identity = ferry_request_identity(request);

    if (value && !json_is_null(value))
        return ferry_argument_id(args, error);
    return identity ? id_from_identity(identity) : g_uuid_string_random();
}

json_t *
ferry_argument_order(FerryRequest *request)
{
    return json_pack("{s:s, s:O}", "method", ferry_request_method(request), "args",
                     ferry_request_args(request));
}

json_t *
ferry_answer_named(const char *name, json_t *document)
{
    json_t *answer = document ? json_copy(document) : NULL;

    if (answer)
        json_object_set_new(answer, name, document);
    return answer;
}
