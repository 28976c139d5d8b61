#include "config.h"

#include "../../ferry/ini.h"
#include "ferry/error.h"

#include <glib/gstdio.h>

#include <string.h>
#include <unistd.h>

static bool
note_entry(const FerryIniEntry *entry, gpointer user_data, GError **error)
{
    g_string_append_printf(user_data, "%u [%s] %s=<%s>\n", entry->line, entry->section, entry->key,
                           entry->value);
    return true;
}

static void
assert_reads(const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    GString *notes = g_string_new(NULL);
    bool done = ferry_ini_read_text("f", text, strlen(text), note_entry, notes, &error);

    g_assert_no_error(error);
    g_assert_true(done);
    g_assert_cmpstr(notes->str, ==, expected);
    g_string_free(notes, TRUE);
}

static void
assert_refuses(const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    GString *notes = g_string_new(NULL);

    g_assert_false(ferry_ini_read_text("f", text, strlen(text), note_entry, notes, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, expected);
    g_assert_nonnull(ferry_error_hint(error));
    g_string_free(notes, TRUE);
}

static void
test_assignments(void)
{
    assert_reads("", "");
    assert_reads("[a]\nx=1\ny : 2 \nz = a=b:c\nu: v=w\n[b]\nx=\n",
                 "2 [a] x=<1>\n3 [a] y=<2>\n4 [a] z=<a=b:c>\n5 [a] u=<v=w>\n7 [b] x=<>\n");
    assert_reads("[a]\nx = 1\nx = 2", "2 [a] x=<1>\n3 [a] x=<2>\n");
    assert_reads("\xef\xbb\xbf[a]\r\nx = 1\r\n", "2 [a] x=<1>\n");
}

static void
test_comments(void)
{
    assert_reads("# c\n; d\n[a]\n#x=1\nx = 2 # not a comment\n", "5 [a] x=<2 # not a comment>\n");
}

static void
test_continuation(void)
{
    assert_reads("[a]\nx = 1,\n    2,\n\t 3  \ny=4\n", "2 [a] x=<1,\n2,\n3>\n5 [a] y=<4>\n");
    assert_reads("[a]\nx = 1\n \ny=2\n", "2 [a] x=<1>\n4 [a] y=<2>\n");
    assert_refuses("[a]\nx = 1\n\n 2\n", "f:4: an indented line continues nothing");
    assert_refuses("[a]\nx = 1\n# c\n 2\n", "f:4: an indented line continues nothing");
}

static void
test_quotes(void)
{
    assert_reads("[a]\nx = \" 1 \"\ny = '2'\nz = \"3'\nu = \"\nv = \"\"\n",
                 "2 [a] x=< 1 >\n3 [a] y=<2>\n4 [a] z=<\"3'>\n5 [a] u=<>\n6 [a] v=<>\n");
}

static void
test_bad_lines(void)
{
    assert_refuses("[a\n", "f:1: a section must end with ]");
    assert_refuses("[]\n", "f:1: the section has no name");
    assert_refuses("[a]\nword\n", "f:2: the line has neither = nor :");
    assert_refuses("[a]\n = 1\n", "f:2: an indented line continues nothing");
    assert_refuses("[a]\n=1\n", "f:2: the key is empty");
    assert_refuses("x=1\n", "f:1: a key before the first section");
}

static void
test_not_text(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(ferry_ini_read_text("f", "[a]\nx=\0\n", 8, note_entry, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
}

static void
test_too_large(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("ferry-ini-XXXXXX", &path, &error);

    g_assert_no_error(error);
    g_assert_cmpint(ftruncate(fd, FERRY_INI_MAX_BYTES + 1), ==, 0);
    g_assert_false(ferry_ini_read_file(path, note_entry, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "larger than 1 MiB"));
    close(fd);
    g_unlink(path);
}

static void
test_endless_file(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(ferry_ini_read_file("/dev/zero", note_entry, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
}

static void
test_missing_file(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(ferry_ini_read_file("/nonexistent/x.conf", note_entry, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "'/nonexistent/x.conf'"));
}

static bool
refuse_entry(const FerryIniEntry *entry, gpointer user_data, GError **error)
{
    ++*(int *)user_data;
    ferry_set_error(error, FERRY_ERROR_CONFIG, /* hint= */ NULL, "enough");
    return false;
}

static void
test_reader_stops(void)
{
    g_autoptr(GError) error = NULL;
    int calls = 0;

    g_assert_false(ferry_ini_read_text("f", "[a]\nx=1\ny=2\n", 12, refuse_entry, &calls, &error));
    g_assert_cmpint(calls, ==, 1);
    g_assert_cmpstr(error->message, ==, "enough");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ini/assignments", test_assignments);
    g_test_add_func("/ini/comments", test_comments);
    g_test_add_func("/ini/continuation", test_continuation);
    g_test_add_func("/ini/quotes", test_quotes);
    g_test_add_func("/ini/bad-lines", test_bad_lines);
    g_test_add_func("/ini/not-text", test_not_text);
    g_test_add_func("/ini/too-large", test_too_large);
    g_test_add_func("/ini/endless-file", test_endless_file);
    g_test_add_func("/ini/missing-file", test_missing_file);
    g_test_add_func("/ini/reader-stops", test_reader_stops);
    return g_test_run();
}
