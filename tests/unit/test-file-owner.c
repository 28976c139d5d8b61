#include "config.h"

#include "model/file-owner.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "scratch-folder.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
read_back(json_t *owner, FerryFileOwner *ret, GError **error)
{
    g_autoptr(FerryJson) object = json_pack("{s:o}", "owner", owner);
    const FerryFieldScope scope = {object, "disk"};

    return ferry_file_owner_from_json(&scope, "owner", ret, error);
}

static void
test_there_and_back(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = ferry_scratch_make();
    g_autofree char *path = g_build_filename(folder, "image", NULL);
    FerryFileOwner read = {0};

    g_assert_false(ferry_file_owner_of(path).known);
    g_assert_true(g_file_set_contents(path, "", -1, NULL));
    g_assert_cmpint(g_chmod(path, 04664), ==, 0);

    const FerryFileOwner owner = ferry_file_owner_of(path);
    uid_t uid = 0;
    gid_t gid = 0;

    g_assert_true(owner.known);
    g_assert_cmpuint(owner.mode, ==, 0664);
    g_assert_true(read_back(ferry_file_owner_to_json(&owner), &read, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(&read, sizeof read, &owner, sizeof owner);
    ferry_file_owner_here(&read, &uid, &gid);
    g_assert_cmpuint(uid, ==, geteuid());
    g_assert_true(ferry_file_owner_can_be_given(&read));
    ferry_scratch_remove(folder);
}

/* A folder's group and sticky bit go along, an image's bits never. */
static void
test_special_bits(void)
{
    char *folder = ferry_scratch_make();
    g_autofree char *path = g_build_filename(folder, "image", NULL);
    FerryFileOwner read = {0};

    g_assert_cmpint(g_chmod(folder, 03770), ==, 0);

    const FerryFileOwner owner = ferry_file_owner_of(folder);
    g_autoptr(FerryJson) json = ferry_file_owner_to_json(&owner);
    int fd = -1;

    g_assert_cmpuint(owner.mode, ==, 0770);
    g_assert_cmpuint(owner.special, ==, 03000);
    /* An agent of before refuses more than permissions there. */
    g_assert_cmpint(json_integer_value(json_object_get(json, "mode")), ==, 0770);
    g_assert_true(read_back(json_incref(json), &read, NULL));
    g_assert_cmpuint(read.special, ==, 03000);
    g_assert_cmpint(g_chmod(folder, 0750), ==, 0);
    fd = open(folder, O_RDONLY | O_DIRECTORY);
    g_assert_true(ferry_file_owner_give_special(&read, fd));
    close(fd);
    g_assert_cmpuint(ferry_file_owner_of(folder).special, ==, 03000);
    g_assert_cmpuint(ferry_file_owner_of(folder).mode, ==, 0750);

    g_assert_true(g_file_set_contents(path, "", -1, NULL));
    g_assert_cmpint(g_chmod(path, 07775), ==, 0);
    g_assert_cmpuint(ferry_file_owner_of(path).special, ==, 0);
    g_assert_cmpuint(ferry_file_owner_image_mode(07775), ==, 0664);
    ferry_scratch_remove(folder);
}

/* Numbers of one name differ from host to host; what has no name here keeps its number. */
static void
test_names_count(void)
{
    FerryFileOwner owner = {.known = true, .uid = 4711, .gid = 4712};
    uid_t uid = 1;
    gid_t gid = 1;

    g_strlcpy(owner.user, "root", sizeof owner.user);
    g_strlcpy(owner.group, "no-such-group", sizeof owner.group);
    ferry_file_owner_here(&owner, &uid, &gid);
    g_assert_cmpuint(uid, ==, 0);
    g_assert_cmpuint(gid, ==, 4712);
}

static void
test_from_a_stranger(void)
{
    FerryFileOwner read = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(read_back(json_null(), &read, &error));
    g_assert_false(read.known);
    g_assert_false(read_back(json_pack("{s:i}", "mode", 04777), &read, NULL));
    g_assert_false(read_back(json_pack("{s:i}", "special", 04000), &read, NULL));
    g_assert_false(read_back(json_pack("{s:I}", "uid", (json_int_t)G_MAXUINT), &read, NULL));
    g_assert_false(read_back(json_pack("{s:s}", "user", "a\nb"), &read, NULL));
    g_assert_false(read_back(json_string("root"), &read, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    g_assert_false(read.known);
}

/* What an agent that is not root writes into a folder that libvirt made for it. */
static void
test_for_a_group(void)
{
    const FerryFileOwner folder = {.known = true,
                                   .mode = 0750,
                                   .special = S_ISGID,
                                   .uid = 1000,
                                   .gid = 1000,
                                   .user = "nova",
                                   .group = "nova"};
    FerryFileOwner given = ferry_file_owner_for_group(&folder, 990);

    g_assert_cmpuint(given.mode, ==, 0771);
    g_assert_cmpuint(given.uid, ==, 1000);
    g_assert_cmpstr(given.user, ==, "nova");
    g_assert_cmpuint(given.gid, ==, 990);
    g_assert_cmpstr(given.group, ==, "");
    given = ferry_file_owner_for_group(NULL, 990);
    g_assert_true(given.known);
    g_assert_cmpuint(given.mode, ==, 0771);
    g_assert_cmpuint(given.uid, ==, 0);
    g_assert_cmpuint(given.gid, ==, 990);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-owner/there-and-back", test_there_and_back);
    g_test_add_func("/file-owner/special-bits", test_special_bits);
    g_test_add_func("/file-owner/for-a-group", test_for_a_group);
    g_test_add_func("/file-owner/names-count", test_names_count);
    g_test_add_func("/file-owner/from-a-stranger", test_from_a_stranger);
    return g_test_run();
}
