/* The way down to a file's folder. */
#include "config.h"

#include "files/beneath.h"

#include "ferry/error.h"
#include "scratch-folder.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

typedef struct {
    char *scratch; /* allowed */
    char *folder;  /* a/b in it */
    char *outside;
    char *path;
    const char *allowed[2];
} Fixture;

static char *
make_folder(const char *parent, const char *name)
{
    char *path = g_build_filename(parent, name, NULL);

    g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
    return path;
}

static void
set_up(Fixture *self, gconstpointer user_data)
{
    self->scratch = ferry_scratch_make();
    self->folder = make_folder(self->scratch, "images/a/b");
    self->outside = make_folder(self->scratch, "outside");
    self->path = g_build_filename(self->folder, "x.img", NULL);
    self->allowed[0] = g_build_filename(self->scratch, "images", NULL);
    g_assert_true(g_file_set_contents(self->path, "x", 1, NULL));
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    g_free((char *)self->allowed[0]);
    g_free(self->folder);
    g_free(self->outside);
    g_free(self->path);
    ferry_scratch_remove(self->scratch);
}

/* Returns: a descriptor, or -1. */
static int
go(Fixture *self, GError **error)
{
    int folder = -1;

    return ferry_beneath_open(self->path, self->allowed, &folder, error) ? folder : -1;
}

static void
test_there(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    FerryFileIdentity identity = {0};
    FerryFileIdentity other = {0};
    int folder = go(self, &error);

    g_assert_no_error(error);
    g_assert_cmpint(folder, >=, 0);
    g_assert_cmpint(ferry_beneath_look(folder, "x.img", &identity), ==, FERRY_BENEATH_FILE);
    g_assert_cmpint(ferry_beneath_look(folder, "", &other), ==, FERRY_BENEATH_FOLDER);
    g_assert_false(ferry_file_identity_equal(&identity, &other));
    g_assert_cmpint(ferry_beneath_look(folder, "y.img", &other), ==, FERRY_BENEATH_NOTHING);
    g_assert_true(ferry_beneath_sync(folder));
    close(folder);
}

/* What was opened stays what it is. */
static void
test_swapped_afterwards(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *moved = g_strconcat(self->folder, ".moved", NULL);
    FerryFileIdentity identity = {0};
    int folder = go(self, &error);

    g_assert_cmpint(g_rename(self->folder, moved), ==, 0);
    g_assert_cmpint(symlink(self->outside, self->folder), ==, 0);
    g_assert_cmpint(ferry_beneath_look(folder, "x.img", &identity), ==, FERRY_BENEATH_FILE);
    close(folder);
}

static void
test_link_in_the_middle(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *middle = g_path_get_dirname(self->folder);
    g_autofree char *moved = g_build_filename(self->outside, "a", NULL);

    g_assert_cmpint(g_rename(middle, moved), ==, 0);
    g_assert_cmpint(symlink(moved, middle), ==, 0);
    g_assert_cmpint(go(self, &error), ==, -1);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED);
}

static void
test_link_at_the_end(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    FerryFileIdentity identity = {0};
    int folder = go(self, &error);

    g_assert_cmpint(g_unlink(self->path), ==, 0);
    g_assert_cmpint(symlink("/dev/null", self->path), ==, 0);
    g_assert_cmpint(ferry_beneath_look(folder, "x.img", &identity), ==, FERRY_BENEATH_OTHER);
    close(folder);
}

/* The allowed folder itself may be a link: the administrator's. */
static void
test_root_is_a_link(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *link = g_build_filename(self->scratch, "link", NULL);
    const char *const allowed[] = {link, NULL};
    int folder = -1;

    g_assert_cmpint(symlink(self->allowed[0], link), ==, 0);
    g_assert_true(ferry_beneath_open(self->path, allowed, &folder, &error));
    g_assert_no_error(error);
    g_assert_cmpint(folder, >=, 0);
    close(folder);
}

static void
test_no_folder(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    int folder = 0;

    g_assert_cmpint(g_unlink(self->path), ==, 0);
    g_assert_cmpint(g_rmdir(self->folder), ==, 0);
    g_assert_true(ferry_beneath_open(self->path, self->allowed, &folder, &error));
    g_assert_cmpint(folder, ==, -1);
}

static void
test_folder_of_everybody(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *middle = g_path_get_dirname(self->folder);

    g_assert_cmpint(g_chmod(middle, 01777), ==, 0);
    g_assert_cmpint(go(self, &error), ==, -1);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED);
    g_assert_nonnull(strstr(error->message, middle));
}

static void
test_outside(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_free(self->path);
    self->path = g_build_filename(self->outside, "x.img", NULL);
    g_assert_cmpint(go(self, &error), ==, -1);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED);
}

static void
test_hidden_folder(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    bool is_root = getuid() == 0;

    g_assert_cmpint(g_chmod(self->scratch, 0755), ==, 0);
    g_assert_cmpint(g_chmod(self->folder, 0), ==, 0);
    if (is_root)
        g_assert_cmpint(seteuid(NOBODY), ==, 0);

    /* An O_PATH descriptor is had without rights on the folder itself. */
    int folder = go(self, &error);
    FerryFileIdentity identity = {0};
    FerryBeneath seen = ferry_beneath_look(folder, "x.img", &identity);
    int code = errno;

    if (is_root)
        g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_cmpint(g_chmod(self->folder, 0755), ==, 0);
    g_assert_no_error(error);
    g_assert_cmpint(seen, ==, FERRY_BENEATH_ERROR);
    g_assert_cmpint(code, ==, EACCES);
    close(folder);
}

#define ADD(path, func) g_test_add("/beneath/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("there", test_there);
    ADD("swapped-afterwards", test_swapped_afterwards);
    ADD("link-in-the-middle", test_link_in_the_middle);
    ADD("link-at-the-end", test_link_at_the_end);
    ADD("root-is-a-link", test_root_is_a_link);
    ADD("no-folder", test_no_folder);
    ADD("folder-of-everybody", test_folder_of_everybody);
    ADD("outside", test_outside);
    ADD("hidden-folder", test_hidden_folder);
    return g_test_run();
}
