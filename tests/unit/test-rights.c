#include "config.h"

#include "files/rights.h"

#include <errno.h>
#include <stdbool.h>

/* The unit's sandbox is no matter of owners and modes. */
static void
test_sandbox(void)
{
    g_autofree char *hint = ferry_rights_hint("/srv/images", EROFS, "rwx");

    g_assert_nonnull(g_strstr_len(hint, -1, "'systemctl edit virt-ferryd'"));
    g_assert_nonnull(g_strstr_len(hint, -1, "\"[Service]\" and \"ReadWritePaths=/srv/images\""));
}

static void
test_rights(void)
{
    g_autofree char *write = ferry_rights_hint("/srv/my images", EACCES, "rwx");
    g_autofree char *search = ferry_rights_hint("/var/lib/libvirt/images", EACCES, "x");
    g_autofree char *expected =
        g_strdup_printf("setfacl -m u:%s:rwx '/srv/my images'", g_get_user_name());
    g_autofree char *searching =
        g_strdup_printf("setfacl -m u:%s:x '/var/lib/libvirt/images'", g_get_user_name());

    g_assert_null(ferry_rights_hint("/srv/images", ENOENT, "x"));
    /* In front of it may stand what installs the program. */
    g_assert_true(g_str_has_suffix(write, expected));
    g_assert_true(g_str_has_suffix(search, searching));
}

/* Debian's package would take an ACL away again. */
static void
test_folder_of_a_package(void)
{
    g_autofree char *hint = ferry_rights_hint("/var/lib/libvirt/images", EACCES, "rwx");
    bool debian = g_file_test("/usr/bin/dpkg-statoverride", G_FILE_TEST_IS_EXECUTABLE);

    g_assert_true(g_str_has_prefix(hint, debian ? "dpkg-statoverride --force-statoverride-add "
                                                : "setfacl -m u:"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rights/sandbox", test_sandbox);
    g_test_add_func("/rights/rights", test_rights);
    g_test_add_func("/rights/folder-of-a-package", test_folder_of_a_package);
    return g_test_run();
}
