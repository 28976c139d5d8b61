#include "config.h"

#include "model/paths.h"

#include "ferry/error.h"

#include <glib/gstdio.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder of its own, removed with what the tests put in. */
typedef struct {
    char *root;
    char *images;  /* the allowed one */
    char *outside; /* beside it */
    const char *allowed[2];
} Fixture;

static void
make_image_folder(const char *images)
{
    g_autofree char *inner = g_build_filename(images, "inner", NULL);
    g_assert_cmpint(g_mkdir(inner, 0700), ==, 0);
    g_autofree char *file = g_build_filename(images, "a.qcow2", NULL);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
}

static char *
make_folder(const char *parent, const char *name)
{
    char *path = g_build_filename(parent, name, NULL);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    return path;
}

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *made = g_dir_make_tmp("ferry-paths-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->root = realpath(made, NULL);
    fixture->images = make_folder(fixture->root, "images");
    fixture->outside = make_folder(fixture->root, "outside");
    make_image_folder(fixture->images);
    fixture->allowed[0] = fixture->images;
    fixture->allowed[1] = NULL;
}

static void
remove_tree(const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
        g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
        for (const char *name = g_dir_read_name(folder); name != NULL;
             name = g_dir_read_name(folder)) {
            g_autofree char *child = g_build_filename(path, name, NULL);
            remove_tree(child);
        }
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    remove_tree(fixture->root);
    free(fixture->root);
    g_free(fixture->images);
    g_free(fixture->outside);
}

static void
make_link(const char *target, const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_cmpint(symlink(target, path), ==, 0);
}

static void
assert_refused_as(const Fixture *fixture, const char *path, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *resolved = NULL;
    g_assert_false(ferry_path_check(path, fixture->allowed, &resolved, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED);
    g_assert_nonnull(strstr(ferry_error_hint(error), "[storage] allowed_paths"));
    if (strstr(error->message, reason) == NULL)
        g_error("'%s' does not say '%s'", error->message, reason);
    g_assert_null(resolved);
}

static void
assert_refused_below(const Fixture *fixture, const char *below, const char *reason)
{
    g_autofree char *path = g_strdup_printf("%s/%s", fixture->root, below);
    assert_refused_as(fixture, path, reason);
}

static void
assert_resolves(const Fixture *fixture, const char *below, const char *expected_below)
{
    g_autofree char *path = g_strdup_printf("%s/%s", fixture->root, below);
    g_autofree char *expected = g_strdup_printf("%s/%s", fixture->root, expected_below);
    g_autoptr(GError) error = NULL;
    g_autofree char *resolved = NULL;
    bool allowed = ferry_path_check(path, fixture->allowed, &resolved, &error);
    g_assert_no_error(error);
    g_assert_true(allowed);
    g_assert_cmpstr(resolved, ==, expected);
}

static void
test_inside(Fixture *fixture, gconstpointer user_data)
{
    assert_resolves(fixture, "images/a.qcow2", "images/a.qcow2");
    assert_resolves(fixture, "images/new.qcow2", "images/new.qcow2");
    assert_resolves(fixture, "images/not/yet/there.qcow2", "images/not/yet/there.qcow2");
    assert_resolves(fixture, "images/./inner//..///b c.qcow2", "images/b c.qcow2");
    assert_resolves(fixture, "outside/../images/b.qcow2", "images/b.qcow2");
    assert_resolves(fixture, "images/\xc3\xa4.qcow2", "images/\xc3\xa4.qcow2");
    g_autofree char *path = g_build_filename(fixture->images, "x", NULL);
    g_assert_true(ferry_path_check(path, fixture->allowed, /* ret_resolved= */ NULL, NULL));
}

static void
test_outside(Fixture *fixture, gconstpointer user_data)
{
    assert_refused_below(fixture, "outside/a.qcow2", "outside the allowed");
    assert_refused_below(fixture, "images/../outside/a.qcow2", "outside the allowed");
    assert_refused_below(fixture, "images/not/there/../../../outside/a", "outside the allowed");
    assert_refused_below(fixture, "images-of-others/a.qcow2", "outside the allowed");
    assert_refused_below(fixture, "image", "outside the allowed");
    assert_refused_as(fixture, "/etc/passwd", "outside the allowed");
    assert_refused_as(fixture, "/", "outside the allowed");
    assert_refused_as(fixture, "/../../..", "outside the allowed");
}

static void
test_malformed(Fixture *fixture, gconstpointer user_data)
{
    assert_refused_as(fixture, "", "not absolute");
    assert_refused_as(fixture, "images/a.qcow2", "not absolute");
    assert_refused_below(fixture, "images/a\n.qcow2", "characters");
    assert_refused_below(fixture, "images/a\x1b[2J.qcow2", "characters");
    assert_refused_below(fixture, "images/a\x7f", "characters");
    assert_refused_below(fixture, "images/\xff\xfe", "characters");
    g_autofree char *filler = g_strnfill(PATH_MAX, 'a');
    assert_refused_below(fixture, filler, "too long");
    g_autofree char *component = g_strnfill(NAME_MAX + 1, 'a');
    g_autofree char *below = g_strdup_printf("images/%s", component);
    assert_refused_below(fixture, below, "cannot be looked at");
    assert_refused_below(fixture, "images/a.qcow2/below-a-file", "cannot be looked at");
}

static void
test_symbolic_links(Fixture *fixture, gconstpointer user_data)
{
    make_link("/etc/passwd", fixture->images, "secret");
    assert_refused_below(fixture, "images/secret", "outside the allowed");
    make_link(fixture->outside, fixture->images, "way-out");
    assert_refused_below(fixture, "images/way-out", "outside the allowed");
    assert_refused_below(fixture, "images/way-out/", "outside the allowed");
    assert_refused_below(fixture, "images/way-out/a.qcow2", "outside the allowed");
    make_link("inner", fixture->images, "way-in");
    assert_resolves(fixture, "images/way-in/a.qcow2", "images/inner/a.qcow2");
    make_link(fixture->images, fixture->outside, "images");
    assert_resolves(fixture, "outside/images/a.qcow2", "images/a.qcow2");
    /* As OpenNebula's disk.0; what it leads to may be gone. */
    make_link("inner/./../a.qcow2", fixture->images, "disk.0");
    assert_resolves(fixture, "images/disk.0", "images/a.qcow2");
    make_link("disk.0", fixture->images, "link-to-a-link");
    assert_resolves(fixture, "images/link-to-a-link", "images/a.qcow2");
    make_link("nowhere/0", fixture->images, "dangling");
    assert_resolves(fixture, "images/dangling", "images/nowhere/0");
    make_link("../outside/nothing", fixture->images, "dangling-out");
    assert_refused_below(fixture, "images/dangling-out", "outside the allowed");
    make_link("loop", fixture->images, "loop");
    assert_refused_below(fixture, "images/loop/a.qcow2", "leads nowhere");
    /* `..` behind a link is the parent of where the link leads, not of where it lies. */
    g_autofree char *deep = make_folder(fixture->outside, "deep");
    make_link(deep, fixture->images, "deep");
    assert_refused_below(fixture, "images/deep/../a.qcow2", "outside the allowed");
}

static void
test_allowed_folders_are_resolved_too(Fixture *fixture, gconstpointer user_data)
{
    make_link(fixture->images, fixture->root, "pool");
    g_autofree char *link = g_build_filename(fixture->root, "pool", NULL);
    g_autofree char *slash = g_strconcat(fixture->outside, "/", NULL);
    g_autofree char *image = g_build_filename(fixture->images, "a.qcow2", NULL);
    g_autofree char *other = g_build_filename(fixture->outside, "a.qcow2", NULL);
    const char *const by_link[] = {link, NULL};
    g_assert_true(ferry_path_check(image, by_link, NULL, NULL));
    g_assert_false(ferry_path_check(other, by_link, NULL, NULL));
    const char *const several[] = {"relative", "/does/not/exist", link, slash, NULL};
    g_assert_true(ferry_path_check(other, several, NULL, NULL));
    const char *const none[] = {NULL};
    g_assert_false(ferry_path_check(image, none, NULL, NULL));
    const char *const everything[] = {fixture->root, NULL};
    g_assert_true(ferry_path_check(other, everything, NULL, NULL));
}

static void
test_an_allowed_folder_is_no_file(Fixture *fixture, gconstpointer user_data)
{
    const char *const allowed[] = {fixture->images, NULL};

    g_assert_false(ferry_path_check(fixture->images, allowed, NULL, NULL));
    g_assert_true(ferry_path_check_folder(fixture->images, allowed, NULL, NULL));
    g_assert_false(ferry_path_check_folder(fixture->outside, allowed, NULL, NULL));
}

static void
test_folders_of_everybody(Fixture *fixture, gconstpointer user_data)
{
    g_autofree char *folder = make_folder(fixture->images, "open");
    g_autofree char *deep = make_folder(folder, "deep");

    g_assert_cmpint(chmod(folder, 01777), ==, 0);
    assert_refused_below(fixture, "images/open/a.qcow2", "Everybody may write");
    assert_refused_below(fixture, "images/open/deep/a.qcow2", "open\"");
    assert_refused_below(fixture, "images/open/none/a.qcow2", "Everybody may write");
    g_assert_cmpint(chmod(folder, 0775), ==, 0);
    assert_resolves(fixture, "images/open/deep/a.qcow2", "images/open/deep/a.qcow2");
    g_assert_cmpint(chmod(fixture->images, 0777), ==, 0);
    assert_refused_below(fixture, "images/open/deep/a.qcow2", "images\"");
}

/* Whoever may write there can lead it to another file, once it was looked at. */
static void
test_link_in_a_folder_of_everybody(Fixture *fixture, gconstpointer user_data)
{
    g_autofree char *folder = make_folder(fixture->images, "open");

    make_link("../a.qcow2", folder, "disk.0");
    assert_resolves(fixture, "images/open/disk.0", "images/a.qcow2");
    g_assert_cmpint(chmod(folder, 01777), ==, 0);
    assert_refused_below(fixture, "images/open/disk.0", "open\"");
}

static void
give(const char *path, uid_t uid)
{
    g_assert_cmpint(lchown(path, uid, (gid_t)-1), ==, 0);
}

/* What a tenant can put into a folder must not lead into another one's. */
static void
test_links_of_tenants(Fixture *fixture, gconstpointer user_data)
{
    static const char *const into_others[] = {"../other", "../other/a.img", "../other/no/a.img",
                                              "../inner", "../new.img"};
    g_autofree char *own = make_folder(fixture->images, "tenant");
    g_autofree char *other = make_folder(fixture->images, "other");
    g_autofree char *link = g_build_filename(own, "disk.0", NULL);
    enum { TENANT = 64001, OTHER = 64002 };

    if (geteuid() != 0) {
        g_test_skip("only root can make links of other users");
        return;
    }
    give(own, TENANT);
    give(other, OTHER);
    for (gsize i = 0; i < G_N_ELEMENTS(into_others); i++) {
        make_link(into_others[i], own, "disk.0");
        give(link, TENANT);
        g_autoptr(GError) error = NULL;
        g_assert_false(ferry_path_check(link, fixture->allowed, NULL, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED);
        g_assert_nonnull(strstr(error->message, "tenant/disk.0\" of user '64001' leads into"));
        g_assert_nonnull(strstr(ferry_error_hint(error), "chown -h root"));
        give(link, 0);
        g_assert_true(ferry_path_check(link, fixture->allowed, NULL, NULL));
        g_assert_cmpint(unlink(link), ==, 0);
    }
    /* One's own folder, also by the link of another: OpenNebula's disk.0, an images folder that is
     * a link. */
    make_link("snap/0", own, "disk.0");
    give(link, TENANT);
    assert_resolves(fixture, "images/tenant/disk.0", "images/tenant/snap/0");
    make_link("tenant", fixture->images, "vm");
    assert_resolves(fixture, "images/vm/disk.0", "images/tenant/snap/0");
}

static void
test_same(Fixture *fixture, gconstpointer user_data)
{
    g_autofree char *file = g_build_filename(fixture->images, "a.qcow2", NULL);
    g_autofree char *link = g_build_filename(fixture->root, "pool", "a.qcow2", NULL);
    g_autofree char *absent = g_build_filename(fixture->images, "absent", NULL);

    g_assert_false(ferry_path_is_same(file, link));
    make_link(fixture->images, fixture->root, "pool");
    g_assert_true(ferry_path_is_same(file, link));
    g_assert_true(ferry_path_is_same(absent, absent));
    g_assert_false(ferry_path_is_same(file, absent));
    g_assert_false(ferry_path_is_same(NULL, file));
    g_assert_false(ferry_path_is_same(file, fixture->images));
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

/* What only root can put there, whoever runs this test. */
static void
test_roots(Fixture *fixture, gconstpointer user_data)
{
    g_autofree char *file = g_build_filename(fixture->images, "a.qcow2", NULL);
    g_autofree char *absent = g_build_filename(fixture->images, "absent", NULL);

    g_assert_true(ferry_path_is_roots("/usr/bin/env"));
    g_assert_true(ferry_path_is_roots("/usr/bin/no-such-program"));
    g_assert_true(ferry_path_is_roots("/no-such-folder/program"));
    /* Anybody may make it the next moment. */
    g_assert_false(ferry_path_is_roots("/tmp/no-such-program"));
    g_assert_cmpint(g_chmod(file, 0777), ==, 0);
    g_assert_false(ferry_path_is_roots(file));
    g_assert_cmpint(g_chmod(fixture->images, 0777), ==, 0);
    g_assert_false(ferry_path_is_roots(file));
    g_assert_false(ferry_path_is_roots(absent));
    g_assert_false(ferry_path_is_roots("/usr/bin/../bin/env"));
    g_assert_false(ferry_path_is_roots("/usr//bin/env"));
    g_assert_false(ferry_path_is_roots("env"));
    g_assert_false(ferry_path_is_roots(""));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/paths/inside", test_inside);
    add("/paths/outside", test_outside);
    add("/paths/malformed", test_malformed);
    add("/paths/symbolic-links", test_symbolic_links);
    add("/paths/allowed-folder", test_an_allowed_folder_is_no_file);
    add("/paths/folders-of-everybody", test_folders_of_everybody);
    add("/paths/link-in-a-folder-of-everybody", test_link_in_a_folder_of_everybody);
    add("/paths/links-of-tenants", test_links_of_tenants);
    add("/paths/same", test_same);
    add("/paths/roots", test_roots);
    add("/paths/allowed-folders", test_allowed_folders_are_resolved_too);
    return g_test_run();
}
