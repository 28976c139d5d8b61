/* What a definition's devices ask of a host. */
#include "config.h"

#include "xml/domain-devices.h"

#include "ferry/error.h"
#include "model/qemu-fault.h"
#include "model/refusal.h"

#include <string.h>

#define DEVICES                                                                                    \
    "<disk type='file'><target dev='vda' bus='virtio'/></disk>"                                    \
    "<disk type='file'><target dev='vdb' bus='virtio'/></disk>"                                    \
    "<disk type='file'><target dev='xvda' bus='xen'/></disk>"                                      \
    "<graphics type='spice'/><video><model type='qxl'/></video><panic model='isa'/>"               \
    "<tpm model='tpm-crb'><backend type='emulator'/></tpm>"                                        \
    "<channel type='spicevmc'/>"                                                                   \
    "<channel type='unix'><source mode='bind' path='/run/own/a'/></channel>"                       \
    "<channel type='unix'><source mode='connect' path='/run/own/b'/></channel>"                    \
    "<channel type='unix'><source mode='bind' "                                                    \
    "path='/run/libvirt/qemu/channel/1-vm/org.qemu.guest_agent.0'/></channel>"                     \
    "<serial type='file'><source path='/var/log/c'/></serial>"                                     \
    "<console type='file'><source path='/var/log/c'/></console>"                                   \
    "<serial type='pty'><source path='/dev/pts/3'/><log file='/var/log/d'/></serial>"              \
    "<serial type='dev'><source path='/dev/ttyS0'/></serial>"                                      \
    "<interface type='bridge'><filterref filter='own'/></interface>"                               \
    "<interface type='bridge'><filterref filter='own'/></interface>"                               \
    "<controller type='virtio-serial'><driver iothread='1'/></controller>"

static FerryDeviceNeeds *
parse(const char *devices)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml =
        g_strdup_printf("<domain type='kvm'><os><nvram template='/t'>/v</nvram></os>"
                        "<devices>%s</devices></domain>",
                        devices);
    FerryDeviceNeeds *needs = ferry_device_needs_parse(xml, &error);

    g_assert_no_error(error);
    return needs;
}

static void
test_kinds(void)
{
    static const char *const expected[] = {"graphics/type spice",   "video/modelType qxl",
                                           "channel/type spicevmc", "panic/model isa",
                                           "tpm/model tpm-crb",     "disk/bus virtio"};
    g_autoptr(FerryDeviceNeeds) needs = parse(DEVICES);

    g_assert_cmpuint(needs->kinds->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < needs->kinds->len; i++) {
        const FerryDeviceKind *kind = g_ptr_array_index(needs->kinds, i);
        g_autofree char *text = g_strdup_printf("%s/%s %s", kind->element, kind->list, kind->value);

        g_assert_cmpstr(text, ==, expected[i]);
    }
}

static void
test_paths(void)
{
    static const struct {
        const char *path;
        bool itself;
        const char *user;
    } expected[] = {{"/var/log/c", false, "a serial"},
                    {"/var/log/d", false, "the log of a serial"},
                    {"/dev/ttyS0", true, "a serial"},
                    {"/run/own/a", false, "a channel"},
                    {"/run/own/b", true, "a channel"}};
    g_autoptr(FerryDeviceNeeds) needs = parse(DEVICES);

    g_assert_cmpuint(needs->paths->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < needs->paths->len; i++) {
        const FerryDevicePath *path = g_ptr_array_index(needs->paths, i);

        g_assert_cmpstr(path->path, ==, expected[i].path);
        g_assert_cmpint(path->itself, ==, expected[i].itself);
        g_assert_cmpstr(path->user, ==, expected[i].user);
    }
}

static void
test_others(void)
{
    g_autoptr(FerryDeviceNeeds) needs = parse(DEVICES);
    g_autoptr(FerryDeviceNeeds) scsi =
        parse("<controller type='scsi'><driver iothread='1'/></controller>");
    g_autoptr(FerryDeviceNeeds) none = ferry_device_needs_parse(NULL, NULL);

    g_assert_cmpuint(needs->filters->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(needs->filters, 0), ==, "own");
    g_assert_cmpstr(needs->nvram_template, ==, "/t");
    g_assert_false(needs->scsi_iothread);
    g_assert_true(scsi->scsi_iothread);
    g_assert_cmpuint(none->kinds->len + none->paths->len + none->filters->len, ==, 0);
}

static void
test_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ferry_device_needs_parse("<!DOCTYPE domain><domain/>", &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

static void
test_iothread_fault(void)
{
    g_assert_true(ferry_qemu_fault_scsi_iothread("7.2.22"));
    g_assert_false(ferry_qemu_fault_scsi_iothread("7.20.0"));
    g_assert_false(ferry_qemu_fault_scsi_iothread("10.0.2"));
    g_assert_false(ferry_qemu_fault_scsi_iothread(NULL));
}

static void
test_refusals(void)
{
    static const struct {
        const char *sentence;
        const char *word;
    } known[] = {
        {"Cannot get interface MTU on 'br7': No such device", "bridge"},
        {"unable to open /var/x: Permission denied", "qemu.conf"},
        {"unsupported configuration: spice graphics are not supported with this QEMU",
         "virsh edit"},
        {"internal error: process exited while connecting to monitor: 2026 qemu-system-x86_64: "
         "-chardev socket: Failed to bind socket: Address already in use",
         "Free that port"},
        {"internal error: process exited while connecting to monitor: bad",
         "/var/log/libvirt/qemu"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        const char *hint = ferry_refusal_hint(known[i].sentence);

        g_assert_nonnull(hint);
        g_assert_nonnull(strstr(hint, known[i].word));
    }
    g_assert_null(ferry_refusal_hint("operation aborted: canceled by client"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domxml-devices/kinds", test_kinds);
    g_test_add_func("/domxml-devices/paths", test_paths);
    g_test_add_func("/domxml-devices/others", test_others);
    g_test_add_func("/domxml-devices/refused", test_refused);
    g_test_add_func("/qemu-fault/scsi-iothread", test_iothread_fault);
    g_test_add_func("/refusal/hints", test_refusals);
    return g_test_run();
}
