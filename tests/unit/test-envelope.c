#include "config.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "rpc/envelope.h"

#include <gio/gio.h>

#include <string.h>

static json_t *
open_text(const char *body, bool *ret_enveloped, GError **error)
{
    return ferry_envelope_open(body, strlen(body), ret_enveloped, error);
}

static void
test_round_trip(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) message =
        json_pack("{s:s, s:[i, f, n]}", "t", "\u2603 \U0001f600 \"\\\n", "list", 1, 1.5);
    bool enveloped = false;
    g_autofree char *body = ferry_envelope_seal(message);

    g_assert_true(g_str_is_ascii(body));
    g_autoptr(FerryJson) opened = open_text(body, &enveloped, &error);
    g_assert_no_error(error);
    g_assert_true(enveloped);
    g_assert_true(json_equal(message, opened));
}

static void
test_as_captured(void)
{
    const char *body = "{\"oslo.version\": \"2.0\", \"oslo.message\": \"{\\\"method\\\": "
                       "\\\"none\\\", \\\"args\\\": {}}\"}";
    g_autoptr(GError) error = NULL;
    bool enveloped = false;
    g_autoptr(FerryJson) message = open_text(body, &enveloped, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(message, "method"), ==, "none");
    g_autofree char *again = ferry_envelope_seal(message);
    g_assert_cmpstr(again, ==, body);
}

static void
test_bare(void)
{
    const char *const bodies[] = {"{\"method\": \"m\"}", "{\"oslo.version\": \"9\"}",
                                  "{\"oslo.message\": 5}", NULL};

    for (guint i = 0; bodies[i]; i++) {
        g_autoptr(GError) error = NULL;
        bool enveloped = true;

        g_autoptr(FerryJson) message G_GNUC_UNUSED = open_text(bodies[i], &enveloped, &error);
        g_assert_no_error(error);
        g_assert_false(enveloped);
    }
}

static void
test_refused(void)
{
    const char *const bodies[] = {
        "",
        "not json",
        "[1]",
        "\"\"",
        "null",
        "{",
        "{\"secret\": nope}",
        "\xff",
        "{\"oslo.version\": \"1.0\", \"oslo.message\": \"{}\"}",
        "{\"oslo.version\": \"2.1\", \"oslo.message\": \"{}\"}",
        "{\"oslo.version\": \"3.0\", \"oslo.message\": \"{}\"}",
        "{\"oslo.version\": \"2\", \"oslo.message\": \"{}\"}",
        "{\"oslo.version\": 2.0, \"oslo.message\": \"{}\"}",
        "{\"oslo.version\": \"2.0\", \"oslo.message\": {}}",
        "{\"oslo.version\": \"2.0\", \"oslo.message\": \"[1]\"}",
        "{\"oslo.version\": \"2.0\", \"oslo.message\": \"{bad\"}",
        "{\"oslo.version\": \"2.0\", \"oslo.message\": \"{\\\"a\\\": NaN}\"}",
        "{\"a\": \"\\u0000\"}",
        NULL,
    };

    for (guint i = 0; bodies[i]; i++) {
        g_autoptr(GError) error = NULL;
        bool enveloped = false;

        g_test_message("%s", bodies[i]);
        g_assert_null(open_text(bodies[i], &enveloped, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        g_assert_null(strstr(error->message, "nope"));
    }
}

static void
test_accepted_versions(void)
{
    g_autoptr(GError) error = NULL;
    bool enveloped = false;

    g_autoptr(FerryJson) message G_GNUC_UNUSED = open_text(
        "{\"oslo.version\": \"2.0.0\", \"oslo.message\": \"{}\", \"x\": 1}", &enveloped, &error);
    g_assert_no_error(error);
    g_assert_true(enveloped);
}

static void
test_bounds(void)
{
    g_autoptr(GError) depth = NULL;
    g_autoptr(GError) size = NULL;
    bool enveloped = false;
    g_autofree char *deep = g_malloc(200001);

    memset(deep, '[', 200000);
    deep[200000] = '\0';
    g_assert_null(open_text(deep, &enveloped, &depth));
    g_assert_error(depth, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    g_assert_null(ferry_envelope_salvage(deep, 200000));

    gsize length = FERRY_ENVELOPE_MAX_BYTES + 1;
    g_autofree char *long_body = g_malloc(length);
    memset(long_body, ' ', length);
    g_assert_null(ferry_envelope_open(long_body, length, &enveloped, &size));
    g_assert_error(size, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    g_assert_null(ferry_envelope_salvage(long_body, length));
}

typedef struct {
    const char *inner;
    const char *msg_id; /* NULL: nothing to be found */
    const char *reply_q;
} Salvage;

static const Salvage salvages[] = {
    {"{\"a\": NaN, \"_msg_id\": \"m\", \"_reply_q\": \"q\"}", "m", "q"},
    {"{\"_msg_id\":\"m\",\"args\":{\"_reply_q\":\"no\"},\"a\":-Infinity,\"_reply_q\":\"q\"}", "m",
     "q"},
    {"{\"args\": {\"x\": \"\\\"_msg_id\\\": \\\"no\\\"\", \"n\": NaN}, \"_msg_id\" : \"m\"}", "m",
     NULL},
    {"{\"_msg_id\": \"first\", \"_msg_id\": \"last\", \"a\": NaN}", "last", NULL},
    {"{\"a\": [\"_msg_id\", \"m\"], \"b\": NaN}", NULL, NULL},
    {"{\"a\": {\"_msg_id\": \"m\"}, \"b\": NaN}", NULL, NULL},
    {"{\"_msg_id\": 5, \"b\": NaN}", NULL, NULL},
    {"{\"_msg_id\": \"esc\\\\u0061ped\", \"b\": NaN}", NULL, NULL},
    {"{\"_msg_id\": \"unfinished", NULL, NULL},
    {"{\"_msg_id\":", NULL, NULL},
    {"{\"_msg_id\"", NULL, NULL},
    {"}}}]]{\"_msg_id\": \"m\"", "m", NULL},
    {"\\", NULL, NULL},
    {"\"", NULL, NULL},
    {"", NULL, NULL},
};

static void
test_salvage(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(salvages); i++) {
        g_autoptr(FerryJson) outer =
            json_pack("{s:s, s:s}", "oslo.version", "2.0", "oslo.message", salvages[i].inner);
        g_autofree char *body = json_dumps(outer, 0);
        g_autoptr(FerryJson) sealed = ferry_envelope_salvage(body, strlen(body));
        /* The same document without its envelope. */
        g_autoptr(FerryJson) bare =
            ferry_envelope_salvage(salvages[i].inner, strlen(salvages[i].inner));

        g_test_message("%s", salvages[i].inner);
        g_assert_cmpstr(ferry_json_get_string(sealed, "_msg_id"), ==, salvages[i].msg_id);
        g_assert_cmpstr(ferry_json_get_string(sealed, "_reply_q"), ==, salvages[i].reply_q);
        g_assert_cmpstr(ferry_json_get_string(bare, "_msg_id"), ==, salvages[i].msg_id);
    }
}

static void
test_salvage_refuses_other_versions(void)
{
    const char *body = "{\"oslo.version\": \"3.0\", \"oslo.message\": \"{\\\"_msg_id\\\": "
                       "\\\"m\\\"}\"}";

    g_assert_null(ferry_envelope_salvage(body, strlen(body)));
}

static GBytes *
deflated(const void *data, gsize length)
{
    g_autoptr(GZlibCompressor) zlib = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 9);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) packed = g_converter_output_stream_new(memory, G_CONVERTER(zlib));

    g_assert_true(g_output_stream_write_all(packed, data, length, NULL, NULL, NULL));
    g_assert_true(g_output_stream_close(packed, NULL, NULL));
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}

static void
test_inflate(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) packed = deflated("{\"a\": 1}", 8);
    g_autoptr(GBytes) plain = ferry_envelope_inflate(packed, "application/x-gzip", &error);

    g_assert_no_error(error);
    g_assert_cmpmem(g_bytes_get_data(plain, NULL), g_bytes_get_size(plain), "{\"a\": 1}", 8);
}

static void
test_inflate_refused(void)
{
    gsize length = 64 * 1024 * 1024;
    g_autofree char *zeroes = g_malloc0(length);
    g_autoptr(GBytes) bomb = deflated(zeroes, length);
    g_autoptr(GBytes) broken = g_bytes_new_static("\x78\x9c broken", 9);
    GError *errors[3] = {NULL, NULL, NULL};

    g_assert_null(ferry_envelope_inflate(bomb, "application/x-gzip", &errors[0]));
    g_assert_null(ferry_envelope_inflate(broken, "application/x-gzip", &errors[1]));
    g_assert_null(ferry_envelope_inflate(broken, "application/x-bz2", &errors[2]));
    for (guint i = 0; i < G_N_ELEMENTS(errors); i++) {
        g_assert_error(errors[i], FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        g_clear_error(&errors[i]);
    }
}

/* What becomes large in memory is refused by counting, not by making it. */
static void
test_unbearable(void)
{
    static const struct {
        const char *unit;
        guint count;
        const char *wrap;
        bool bearable;
    } bodies[] = {
        {"[],", 49000, "{\"a\": [%s 1]}", true},  {"[],", 51000, "{\"a\": [%s 1]}", false},
        {"1,", 99000, "{\"a\": [%s 1]}", true},   {"1,", 100000, "{\"a\": [%s 1]}", false},
        {"{},", 21000, "{\"a\": [%s 1]}", false}, {"[{,", 200000, "{\"a\": \"\\\"%s\"}", true},
        {"[", 100, "{\"a\": %s 1}", false},
    };

    for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autoptr(GString) units = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        bool enveloped = false;

        for (guint j = 0; j < bodies[i].count; j++)
            g_string_append(units, bodies[i].unit);
        g_auto(GStrv) around = g_strsplit(bodies[i].wrap, "%s", 2);
        g_autofree char *body = g_strconcat(around[0], units->str, around[1], NULL);
        g_autoptr(FerryJson) message = ferry_envelope_open(body, strlen(body), &enveloped, &error);

        g_assert_cmpint(message != NULL, ==, bodies[i].bearable);
        if (!message)
            g_assert_nonnull(strstr(error->message, "100000 values"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/envelope/round-trip", test_round_trip);
    g_test_add_func("/envelope/as-captured", test_as_captured);
    g_test_add_func("/envelope/bare", test_bare);
    g_test_add_func("/envelope/unbearable", test_unbearable);
    g_test_add_func("/envelope/refused", test_refused);
    g_test_add_func("/envelope/accepted-versions", test_accepted_versions);
    g_test_add_func("/envelope/bounds", test_bounds);
    g_test_add_func("/envelope/salvage", test_salvage);
    g_test_add_func("/envelope/salvage-refuses-other-versions",
                    test_salvage_refuses_other_versions);
    g_test_add_func("/envelope/inflate", test_inflate);
    g_test_add_func("/envelope/inflate-refused", test_inflate_refused);
    return g_test_run();
}
