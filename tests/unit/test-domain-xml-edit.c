#include "config.h"

#include "xml/domain-edit.h"

#include "ferry/error.h"

#include <string.h>

#define DOMAIN                                                                                     \
    "<domain type='kvm' "                                                                          \
    "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>web01</name>"                   \
    "<devices>"                                                                                    \
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'>"               \
    "<metadata_cache><max_size unit='bytes'>1048576</max_size></metadata_cache></driver>"          \
    "<source file='/srv/a.qcow2'/><backingStore type='file'><format type='raw'/>"                  \
    "<source file='/srv/base'/></backingStore><target dev='vda' bus='virtio'/></disk>"             \
    "<disk type='file' device='disk'><source file='/srv/b&amp;b'/>"                                \
    "<target dev='vdb' bus='virtio'/></disk>"                                                      \
    "<disk type='block' device='disk'><source dev='/dev/vg0/c'/>"                                  \
    "<target dev='vdc' bus='virtio'/></disk>"                                                      \
    "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>"                       \
    "<graphics type='vnc' passwd='secret'/></devices>"                                             \
    "<qemu:commandline><qemu:arg value='-S'/></qemu:commandline></domain>"

static char *
edit(const FerryDiskEdit *edits, guint count, guint expected)
{
    g_autoptr(GError) error = NULL;
    guint edited = 99;
    char *xml = ferry_domxml_edit(DOMAIN, edits, count, &edited, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(edited, ==, expected);
    return xml;
}

static void
assert_has(const char *xml, const char *piece)
{
    if (strstr(xml, piece) == NULL)
        g_error("'%s' is missing in %s", piece, xml);
}

static void
assert_lacks(const char *xml, const char *piece)
{
    if (strstr(xml, piece) != NULL)
        g_error("'%s' is in %s", piece, xml);
}

/* The file goes elsewhere and its chain is read anew; all else stays, secrets and QEMU's too. */
static void
test_path(void)
{
    const FerryDiskEdit edits[] = {
        {.target = "vda", .from = "/srv/a.qcow2", .path = "/new/<a>.qcow2", .format = "qcow2"}};
    g_autofree char *xml = edit(edits, 1, 1);
    assert_has(xml, "<source file=\"/new/&lt;a&gt;.qcow2\"/>");
    assert_has(xml, "<driver name=\"qemu\" type=\"qcow2\" cache=\"none\">");
    assert_has(xml, "metadata_cache");
    assert_has(xml, "passwd=\"secret\"");
    assert_has(xml, "<qemu:arg value=\"-S\"/>");
    assert_has(xml, "<source file=\"/srv/b&amp;b\"/>");
    assert_lacks(xml, "backingStore");
    assert_lacks(xml, "/srv/a.qcow2");
}

static void
test_format(void)
{
    const FerryDiskEdit edits[] = {
        {.target = "vda", .from = "/srv/a.qcow2", .path = "/srv/a.raw", .format = "raw"},
        {.target = "vdb", .from = "/srv/b&b", .path = "/srv/b&b", .format = "qcow2"}};
    g_autofree char *xml = edit(edits, 2, 2);
    assert_has(xml, "<driver name=\"qemu\" type=\"raw\" cache=\"none\"");
    assert_lacks(xml, "metadata_cache");
    assert_has(xml, "<driver name=\"qemu\" type=\"qcow2\"/>");
    assert_has(xml, "<source file=\"/srv/b&amp;b\"/>");
}

static void
test_unmap(void)
{
    const FerryDiskEdit edits[] = {{.target = "vda",
                                    .from = "/srv/a.qcow2",
                                    .path = "/srv/a.qcow2",
                                    .format = "qcow2",
                                    .unmap_zeroes = true}};
    g_autofree char *xml = edit(edits, 1, 1);
    assert_has(xml, "discard=\"unmap\" detect_zeroes=\"unmap\"");
    assert_has(xml, "backingStore");
}

static void
test_block_volume(void)
{
    const FerryDiskEdit edits[] = {{.target = "vdc",
                                    .from = "/dev/vg0/c",
                                    .path = "/dev/vg1/c",
                                    .format = "raw",
                                    .unmap_zeroes = true}};
    g_autofree char *xml = edit(edits, 1, 1);
    assert_has(xml, "<source dev=\"/dev/vg1/c\"/>");
    assert_lacks(xml, "/dev/vg0/c");
}

/* Another file under the same target is not what the destination made room for. */
static void
test_others_stay(void)
{
    const FerryDiskEdit edits[] = {
        {.target = "vda", .from = "/srv/c", .path = "/new/c", .format = "raw"},
        {.target = "vdz", .from = "/srv/a.qcow2", .path = "/new/a", .format = "raw"},
        {.target = "sda", .from = "/srv/a.qcow2", .path = "/new/a", .format = "raw"}};
    g_autofree char *xml = edit(edits, 3, 0);
    assert_lacks(xml, "/new/");
}

static void
test_not_a_domain(void)
{
    static const char *const documents[] = {"", "<domain", "<pool/>",
                                            "<!DOCTYPE d [<!ENTITY e 'x'>]><domain>&e;</domain>"};
    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ferry_domxml_edit(documents[i], NULL, 0, NULL, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    }
}

/* The drive may have another name in the other definition. */
static void
test_any_drive(void)
{
    const FerryDiskEdit edits[] = {
        {.from = "/srv/a.qcow2", .path = "/new/a.qcow2", .format = "qcow2"}};
    g_autofree char *xml = edit(edits, 1, 1);
    assert_has(xml, "<source file=\"/new/a.qcow2\"/>");
}

/* The queues, which the guest sees, stay; libvirt loses an element without attributes. */
static void
test_iothreads(void)
{
    guint left = 99;
    g_autofree char *xml = ferry_domxml_leave_scsi_iothreads(
        "<domain><devices>"
        "<controller type='scsi' index='0'><driver iothread='1'/></controller>"
        "<controller type='scsi' index='1'><driver queues='4' iothread='2'/></controller>"
        "<controller type='scsi' index='2'/>"
        "<controller type='virtio-serial'><driver iothread='1'/></controller>"
        "<disk><driver name='qemu' iothread='1'/></disk></devices></domain>",
        &left, NULL);
    g_assert_cmpuint(left, ==, 2);
    assert_has(xml, "index=\"0\">\n      <driver ioeventfd=\"on\"/>");
    assert_has(xml, "<driver queues=\"4\" ioeventfd=\"on\"/>");
    assert_has(xml, "<driver name=\"qemu\" iothread=\"1\"/>");
    assert_lacks(xml, "iothread=\"2\"");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domxml-edit/path", test_path);
    g_test_add_func("/domxml-edit/format", test_format);
    g_test_add_func("/domxml-edit/unmap", test_unmap);
    g_test_add_func("/domxml-edit/block-volume", test_block_volume);
    g_test_add_func("/domxml-edit/others-stay", test_others_stay);
    g_test_add_func("/domxml-edit/not-a-domain", test_not_a_domain);
    g_test_add_func("/domxml-edit/any-drive", test_any_drive);
    g_test_add_func("/domxml-edit/iothreads", test_iothreads);
    return g_test_run();
}
