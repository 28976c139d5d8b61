#include "config.h"

#include "files/held-file.h"

#include "ferry/error.h"
#include "scratch-folder.h"

#include <glib/gstdio.h>

#include <sys/stat.h>
#include <unistd.h>

#define ID "75443254-89c7-4995-9e0d-0a8d491452ed"

typedef struct {
    char *folder;
    char *path;
    char *held_path;
    FerryHeldFile file;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fixture->folder = ferry_scratch_make();
    fixture->path = g_build_filename(fixture->folder, "vm1.qcow2", NULL);
    fixture->held_path = ferry_held_file_name(fixture->path, ID);
    g_assert_true(g_file_set_contents(fixture->path, "data", 4, NULL));
    g_assert_cmpint(g_chmod(fixture->path, 0644), ==, 0);
    g_assert_true(ferry_held_file_info(fixture->path, &fixture->file, &error));
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    ferry_scratch_remove(fixture->folder);
    g_free(fixture->path);
    g_free(fixture->held_path);
}

static bool
is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static bool
hold(Fixture *fixture, GError **error)
{
    return ferry_held_file_move(fixture->path, fixture->held_path, fixture->file.inode, 0400,
                                error);
}

static guint
mode_of(const char *path)
{
    FerryHeldFile file = {0};

    g_assert_true(ferry_held_file_info(path, &file, NULL));
    return file.mode;
}

static void
test_look(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *link = g_build_filename(fixture->folder, "link", NULL);
    FerryHeldFile file = {0};

    g_assert_cmpuint(fixture->file.mode, ==, 0644);
    g_assert_cmpuint(fixture->file.allocation_bytes, >, 0);
    /* Nothing there is no error. */
    g_assert_false(ferry_held_file_info(fixture->held_path, &file, &error));
    g_assert_no_error(error);
    g_assert_cmpint(symlink(fixture->path, link), ==, 0);
    g_assert_false(ferry_held_file_info(link, &file, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

static void
test_there_and_back(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_str_has_prefix(fixture->held_path, fixture->path));
    g_assert_true(g_str_has_suffix(fixture->held_path, ID));
    g_assert_true(hold(fixture, &error));
    g_assert_false(is_there(fixture->path));
    g_assert_cmpuint(mode_of(fixture->held_path), ==, 0400);
    /* As after a crash: it is done already. */
    g_assert_true(hold(fixture, &error));
    g_assert_true(ferry_held_file_move(fixture->held_path, fixture->path, fixture->file.inode,
                                       fixture->file.mode, &error));
    g_assert_no_error(error);
    g_assert_false(is_there(fixture->held_path));
    g_assert_cmpuint(mode_of(fixture->path), ==, 0644);
}

static void
test_replaces_nothing(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(fixture->held_path, "other", 5, NULL));
    g_assert_false(hold(fixture, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_DISK_EXISTS);
    g_assert_cmpuint(mode_of(fixture->path), ==, 0644);
}

static void
test_another_file(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fixture->file.inode++;
    g_assert_false(hold(fixture, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_clear_error(&error);
    g_assert_false(ferry_held_file_delete(fixture->path, fixture->file.inode, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_true(is_there(fixture->path));
}

static void
test_gone(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_held_file_delete(fixture->path, fixture->file.inode, &error));
    g_assert_false(is_there(fixture->path));
    g_assert_true(ferry_held_file_delete(fixture->path, fixture->file.inode, &error));
    g_assert_no_error(error);
    g_assert_false(hold(fixture, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("/held-file/look", test_look);
    ADD("/held-file/there-and-back", test_there_and_back);
    ADD("/held-file/replaces-nothing", test_replaces_nothing);
    ADD("/held-file/another-file", test_another_file);
    ADD("/held-file/gone", test_gone);
    return g_test_run();
}
