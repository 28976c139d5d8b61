/* libvirt is asked what its QEMU can do when it is there, and again when QEMU is another one. */
#include "config.h"

#include "virt/warm-up.h"

#include "fake-libvirt.h"
#include "runtime/detached-call.h"

#include <glib/gstdio.h>

#define QUESTION "virConnectGetDomainCapabilities"

static void
write_emulator(const char *path, const char *content)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);

    g_file_set_contents(fresh, content, -1, &error);
    g_assert_no_error(error);
    /* As a package does it: another file in its place. */
    g_assert_cmpint(g_rename(fresh, path), ==, 0);
}

static void
assert_asked(guint count)
{
    g_assert_true(ferry_detached_calls_await_none(10000));
    g_assert_cmpuint(fake_call_count(QUESTION), ==, count);
}

static void
test_emulator_changes(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("ferry-emulator-XXXXXX", &error);
    g_autofree char *emulator = g_build_filename(folder, "qemu-system-x86_64", NULL);
    g_autoptr(FerryWarmUp) warm_up = ferry_warm_up_new("fake:///system");

    g_assert_no_error(error);
    fake_libvirt_reset();
    write_emulator(emulator, "7.2");
    fake_host_set_emulator(emulator);
    ferry_warm_up_look(warm_up);
    assert_asked(0);
    ferry_warm_up_begin(warm_up);
    assert_asked(1);
    ferry_warm_up_look(warm_up);
    ferry_warm_up_look(warm_up);
    assert_asked(1);
    write_emulator(emulator, "10.0");
    ferry_warm_up_look(warm_up);
    assert_asked(2);
    ferry_warm_up_look(warm_up);
    assert_asked(2);
    g_unlink(emulator);
    g_rmdir(folder);
}

/* One that is under way is enough, and one that hangs is left behind. */
static void
test_one_at_a_time(void)
{
    FerryWarmUp *warm_up = ferry_warm_up_new("fake:///system");

    fake_libvirt_reset();
    fake_call_block(QUESTION);
    ferry_warm_up_begin(warm_up);
    fake_call_await(QUESTION, 1);
    ferry_warm_up_begin(warm_up);
    ferry_warm_up_free(warm_up);
    fake_call_release(QUESTION);
    assert_asked(1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/warm-up/emulator-changes", test_emulator_changes);
    g_test_add_func("/warm-up/one-at-a-time", test_one_at_a_time);
    return g_test_run();
}
