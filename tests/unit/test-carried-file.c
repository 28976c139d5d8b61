#include "config.h"

#include "model/carried-file.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

#define DIGEST "ferry1-sha256:af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc"

static json_t *
sound(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:i}", "kind", "base", "path",
                     "/images/base.qcow2", "format", "qcow2", "pool", "default", "file_bytes",
                     (json_int_t)1000, "data_bytes", (json_int_t)500, "digest", DIGEST, "mode",
                     0640);
}

static void
test_there_and_back(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) json = sound();
    g_autoptr(FerryCarriedFile) file = ferry_carried_file_from_json(json, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(file->path, ==, "/images/base.qcow2");
    g_assert_cmpuint(file->file_bytes, ==, 1000);
    g_assert_cmpuint(file->data_bytes, ==, 500);

    g_autoptr(FerryJson) again = ferry_carried_file_to_json(file);

    g_assert_true(json_equal(json, again));
}

static void
test_bad_fields(void)
{
    static const struct {
        const char *key;
        const char *text; /* NULL: left out */
    } bad[] = {
        {"kind", NULL},
        {"kind", "\"disk\""},
        {"path", NULL},
        {"path", "\"base\""},
        {"path", "\"/a\\nb\""},
        {"format", "\"vmdk\""},
        {"format", NULL},
        {"file_bytes", "-1"},
        {"file_bytes", "1.5"},
        {"data_bytes", "\"1\""},
        {"digest", NULL},
        {"digest", "null"},
        {"digest", "\"ferry1-sha256:00\""},
        {"digest", "\"../../etc\""},
        {"pool", "1"},
        {"mode", "-1"},
        {"mode", "4096"},
        {"mode", "\"0644\""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryJson) json = sound();

        if (bad[i].text)
            json_object_set_new(json, bad[i].key, json_loads(bad[i].text, JSON_DECODE_ANY, NULL));
        else
            json_object_del(json, bad[i].key);
        g_assert_null(ferry_carried_file_from_json(json, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        g_assert_nonnull(strstr(error->message, bad[i].key));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/carried-file/there-and-back", test_there_and_back);
    g_test_add_func("/carried-file/bad-fields", test_bad_fields);
    return g_test_run();
}
