#include "config.h"

#include "runtime/libvirt-daemons.h"

#include "scratch-folder.h"

#include <string.h>

static void
make_socket(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

/* virtproxyd has libvirtd's socket: that of virtqemud tells. */
static void
test_sockets(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();

    g_assert_false(ferry_libvirt_is_modular(folder));
    make_socket(folder, "libvirt-sock");
    g_assert_false(ferry_libvirt_is_modular(folder));
    make_socket(folder, "virtqemud-sock");
    g_assert_true(ferry_libvirt_is_modular(folder));
}

/* What is of this host names what is there, and nothing else. */
static void
test_hints(void)
{
    for (int fault = 0; fault < FERRY_LIBVIRT_FAULTS; fault++) {
        const char *one = ferry_libvirt_hint_for((FerryLibvirtFault)fault, false);
        const char *many = ferry_libvirt_hint_for((FerryLibvirtFault)fault, true);

        g_assert_nonnull(one);
        g_assert_nonnull(many);
        if (fault < FERRY_LIBVIRT_FAR_IS_AWAY) {
            g_assert_nonnull(strstr(one, "libvirtd"));
            g_assert_null(strstr(one, "virtqemud"));
            g_assert_null(strstr(many, "libvirtd"));
            g_assert_nonnull(strstr(many, "virt"));
        } else {
            g_assert_cmpstr(one, ==, many);
            g_assert_nonnull(strstr(one, "libvirt"));
            g_assert_nonnull(strstr(one, "virtproxyd"));
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt-daemons/sockets", test_sockets);
    g_test_add_func("/libvirt-daemons/hints", test_hints);
    return g_test_run();
}
