#include "config.h"

#include "envelope.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <gio/gio.h>

#include <string.h>

#define VERSION_KEY "oslo.version"
#define MESSAGE_KEY "oslo.message"
#define ENVELOPE_VERSION "2.0"

#define INFLATE_STEP 65536

/* A tree of values takes many times the memory of its text: "[]," becomes 100 bytes and more. */
#define VALUES_MAX 100000
#define OBJECT_VALUES 4 /* an object takes as much as so many other values */
#define DEPTH_MAX 64

static bool
set_invalid(GError **error, const char *reason)
{
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL, "%s", reason);
    return false;
}

/* Returns: the closing quote of the string that begins at @from, or NULL. */
static const char *
string_end(const char *from, const char *end)
{
    for (const char *at = from + 1; at < end; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            return at;
    }
    return NULL;
}

/* Counts brackets and commas outside strings, before anything is made of them. What is no JSON is
 * left to the parser, which stops at the first fault. */
static bool
is_bearable(const char *text, gsize length)
{
    const char *end = text + length;
    gsize values = 1;
    gsize depth = 0;

    for (const char *at = text; at < end && values <= VALUES_MAX && depth <= DEPTH_MAX; at++) {
        if (*at == '"') {
            at = string_end(at, end);
            if (!at)
                return true;
        } else if (*at == ',') {
            values++;
        } else if (*at == '[' || *at == '{') {
            values += *at == '{' ? OBJECT_VALUES : 1;
            depth++;
        } else if (*at == ']' || *at == '}') {
            depth -= depth > 0 ? 1 : 0;
        }
    }
    return values <= VALUES_MAX && depth <= DEPTH_MAX;
}

/* NUL inside texts stays forbidden: whoever reads such a text as a C string would read less than
 * the sender wrote. */
static json_t *
load(const char *text, gsize length, const char *what, GError **error)
{
    json_error_t where;

    if (!is_bearable(text, length)) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                        "%s has more than %d values, or more than %d of them in one another", what,
                        VALUES_MAX, DEPTH_MAX);
        return NULL;
    }
    json_t *value = json_loadb(text, length, JSON_DECODE_ANY, &where);

    if (!value) {
        /* Not with where.text, which quotes the document. */
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                        "%s is not JSON that can be read, from byte %d on", what, where.position);
    }
    return value;
}

static bool
check_version(const json_t *version, GError **error)
{
    const char *text = json_string_value(version);

    if (text && (g_str_equal(text, ENVELOPE_VERSION) || g_str_equal(text, ENVELOPE_VERSION ".0")))
        return true;
    return set_invalid(error, "The envelope's version is not " ENVELOPE_VERSION);
}

static json_t *
open_inner(const json_t *outer, GError **error)
{
    const json_t *text = json_object_get(outer, MESSAGE_KEY);

    if (!check_version(json_object_get(outer, VERSION_KEY), error))
        return NULL;
    if (!json_is_string(text)) {
        set_invalid(error, "The envelope's message is not a string");
        return NULL;
    }
    return load(json_string_value(text), json_string_length(text), "The message", error);
}

static bool
has_envelope(const json_t *outer)
{
    return json_object_get(outer, VERSION_KEY) && json_object_get(outer, MESSAGE_KEY);
}

json_t *
ferry_envelope_open(const char *body, gsize length, bool *ret_enveloped, GError **error)
{
    *ret_enveloped = false;
    if (length > FERRY_ENVELOPE_MAX_BYTES) {
        set_invalid(error, "The body is too long");
        return NULL;
    }
    g_autoptr(FerryJson) outer = load(body, length, "The body", error);
    if (!outer)
        return NULL;
    bool enveloped = has_envelope(outer);
    g_autoptr(FerryJson) message = enveloped ? open_inner(outer, error) : json_incref(outer);
    if (!message)
        return NULL;
    if (!json_is_object(message)) {
        set_invalid(error, "The message is not an object");
        return NULL;
    }
    *ret_enveloped = enveloped;
    return g_steal_pointer(&message);
}

/* --- salvage ---------------------------------------------------------------------------------- */

static const char *
skip_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* Adds the pair whose key lies between the quotes @open and @close to @found, if the key is one of
 * @wanted and its value a text without escapes. */
static void
take_pair(const char *open, const char *close, const char *end, json_t *found)
{
    static const char *const wanted[] = {"_msg_id", "_reply_q", "_unique_id", NULL};
    g_autofree char *key = g_strndup(open + 1, (gsize)(close - open - 1));
    const char *at = skip_blank(close + 1, end);

    if (at == end || *at != ':' || !g_strv_contains(wanted, key))
        return;
    at = skip_blank(at + 1, end);
    const char *value_end = at < end && *at == '"' ? string_end(at, end) : NULL;
    if (!value_end || memchr(at, '\\', (gsize)(value_end - at)))
        return;
    /* NULL for broken UTF-8, which json_object_set_new() refuses. */
    (void)json_object_set_new(found, key, json_stringn(at + 1, (gsize)(value_end - at - 1)));
}

/* Walks over strings and brackets, without recursion, and takes nothing else for granted. */
static json_t *
scan(const char *text, gsize length)
{
    json_t *found = json_object();
    const char *end = text + length;
    gsize depth = 0;

    for (const char *at = text; at < end; at++) {
        if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            depth -= depth > 0 ? 1 : 0;
        } else if (*at == '"') {
            const char *close = string_end(at, end);

            if (!close)
                break;
            if (depth == 1)
                take_pair(at, close, end, found);
            at = close;
        }
    }
    return found;
}

json_t *
ferry_envelope_salvage(const char *body, gsize length)
{
    if (length > FERRY_ENVELOPE_MAX_BYTES)
        return NULL;
    g_autoptr(FerryJson) outer = load(body, length, "The body", NULL);
    const json_t *inner = json_object_get(outer, MESSAGE_KEY);
    if (outer &&
        (!json_is_string(inner) || !check_version(json_object_get(outer, VERSION_KEY), NULL)))
        return NULL;
    g_autoptr(FerryJson) found =
        inner ? scan(json_string_value(inner), json_string_length(inner)) : scan(body, length);
    return ferry_json_get_string(found, "_msg_id") ? g_steal_pointer(&found) : NULL;
}

/* --- sealing ---------------------------------------------------------------------------------- */

char *
ferry_envelope_seal(const json_t *message)
{
    g_autofree char *inner = json_dumps(message, JSON_ENSURE_ASCII);
    g_autoptr(FerryJson) outer =
        json_pack("{s:s, s:s}", VERSION_KEY, ENVELOPE_VERSION, MESSAGE_KEY, inner);

    return json_dumps(outer, JSON_ENSURE_ASCII);
}

/* --- compression ------------------------------------------------------------------------------ */

GBytes *
ferry_envelope_inflate(GBytes *body, const char *compression, GError **error)
{
    if (!g_str_equal(compression, "application/x-gzip")) {
        set_invalid(error, "The body is compressed in a way that is not supported");
        return NULL;
    }
    /* The name says gzip, Python's zlib makes a bare zlib stream. */
    g_autoptr(GZlibDecompressor) zlib = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB);
    g_autoptr(GInputStream) packed = g_memory_input_stream_new_from_bytes(body);
    g_autoptr(GInputStream) plain = g_converter_input_stream_new(packed, G_CONVERTER(zlib));
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autofree guint8 *step = g_malloc(INFLATE_STEP);
    gssize got = g_input_stream_read(plain, step, INFLATE_STEP, NULL, NULL);
    while (got > 0 && all->len + (gsize)got <= FERRY_ENVELOPE_MAX_BYTES) {
        g_byte_array_append(all, step, (guint)got);
        got = g_input_stream_read(plain, step, INFLATE_STEP, NULL, NULL);
    }
    if (got != 0) {
        set_invalid(error, got < 0 ? "The compressed body is broken" : "The body is too long");
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&all));
}
