#include "config.h"

#include "model/file-answer.h"

#include "ferry/error.h"
#include "ferry/json.h"

static FerryFileAnswer *
read_answer(const char *text, GError **error)
{
    g_autoptr(FerryJson) object = json_loads(text, 0, NULL);

    g_assert_nonnull(object);
    return ferry_file_answer_from_json(object, error);
}

static void
test_states(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryFileAnswer) present = read_answer("{\"state\": \"present\"}", &error);
    g_autoptr(FerryFileAnswer) wait = read_answer("{\"state\": \"wait\", \"why\": \"x\"}", &error);
    g_autoptr(FerryFileAnswer) copy =
        read_answer("{\"state\": \"copy\", \"path\": \"/a/b\", \"offset_bytes\": 7}", &error);

    g_assert_no_error(error);
    g_assert_cmpint(present->state, ==, FERRY_FILE_PRESENT);
    g_assert_cmpint(wait->state, ==, FERRY_FILE_WAIT);
    g_assert_null(wait->path);
    g_assert_cmpint(copy->state, ==, FERRY_FILE_COPY);
    g_assert_cmpstr(copy->path, ==, "/a/b");
    g_assert_cmpuint(copy->offset_bytes, ==, 7);
}

/* A destination that lies: nothing is sent anywhere, and the migration has an error to end with. */
static void
test_nonsense(void)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"state\": 1}",
        "{\"state\": \"gone\"}",
        "{\"state\": \"copy\"}",
        "{\"state\": \"copy\", \"path\": \"b\", \"offset_bytes\": 0}",
        "{\"state\": \"copy\", \"path\": \"/b\", \"offset_bytes\": -1}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(read_answer(texts[i], &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-answer/states", test_states);
    g_test_add_func("/file-answer/nonsense", test_nonsense);
    return g_test_run();
}
