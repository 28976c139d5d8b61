#include "config.h"

#include "xml/domain-edit.h"

#include "ferry/error.h"
#include "ferry/json.h"

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
    "<disk type='volume' device='disk'><source pool='fast' volume='d' mode='host'/>"               \
    "<target dev='vdd' bus='virtio'/></disk>"                                                      \
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
                                    .unmap = true,
                                    .detect_zeroes = true}};
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
                                    .unmap = true,
                                    .detect_zeroes = true}};
    g_autofree char *xml = edit(edits, 1, 1);
    assert_has(xml, "<source dev=\"/dev/vg1/c\"/>");
    assert_lacks(xml, "/dev/vg0/c");
}

/* The destination has no such pool: it is named by its path there. */
static void
test_volume_of_a_pool(void)
{
    FerryDiskEdit edits[] = {{.target = "vdd",
                              .from = "/srv/fast/d",
                              .pool = "fast",
                              .volume = "d",
                              .path = "/srv/fast/d",
                              .format = "raw"}};
    g_autofree char *xml = edit(edits, 1, 1);
    assert_has(xml, "<source file=\"/srv/fast/d\"/>");
    assert_lacks(xml, "type=\"volume\"");
    assert_lacks(xml, "pool=");
    assert_lacks(xml, "mode=");
    edits[0].volume = "e";
    g_autofree char *other = edit(edits, 1, 0);
    assert_has(other, "pool=\"fast\"");
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

static char *
move(const char *devices)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) addresses =
        json_pack("{s:s, s:s}", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2");
    g_autofree char *xml =
        g_strdup_printf("<domain><name>192.0.2.1</name><devices>%s</devices></domain>", devices);
    char *moved = ferry_domxml_move_listeners(xml, addresses, &error);

    g_assert_no_error(error);
    return moved;
}

/* Both places where libvirt prints a display's address; the password and all else stays. */
static void
test_displays_move(void)
{
    g_autofree char *xml =
        move("<graphics type='vnc' listen='192.0.2.1' passwd='secret'>"
             "<listen type='address' address='192.0.2.1'/></graphics>"
             "<graphics type='spice' listen='2001:db8::1'>"
             "<listen type='address' address='2001:db8::1'/></graphics>"
             "<graphics type='vnc'><listen type='network' network='n' address='192.0.2.1'/>"
             "</graphics>");

    assert_has(xml, "<graphics type=\"vnc\" listen=\"192.0.2.2\" passwd=\"secret\">");
    assert_has(xml, "<listen type=\"address\" address=\"192.0.2.2\"/>");
    assert_has(xml, "<listen type=\"address\" address=\"2001:db8::2\"/>");
    assert_has(xml, "network=\"n\" address=\"192.0.2.1\"");
    assert_has(xml, "<name>192.0.2.1</name>");
}

/* Who connects to the source goes on connecting to it. */
static void
test_ports_move(void)
{
    g_autofree char *xml =
        move("<serial type='tcp'><source mode='bind' host='192.0.2.1' service='4555'/></serial>"
             "<channel type='udp'><source mode='bind' host='192.0.2.1' service='1'/>"
             "<source mode='connect' host='192.0.2.1' service='2'/></channel>"
             "<disk type='network'><source protocol='nbd'><host name='192.0.2.1'/></source></disk>"
             "<serial type='tcp'><source mode='bind' host='0.0.0.0' service='4556'/></serial>");

    assert_has(xml, "<source mode=\"bind\" host=\"192.0.2.2\" service=\"4555\"/>");
    assert_has(xml, "<source mode=\"bind\" host=\"192.0.2.2\" service=\"1\"/>");
    assert_has(xml, "<source mode=\"connect\" host=\"192.0.2.1\" service=\"2\"/>");
    assert_has(xml, "<host name=\"192.0.2.1\"/>");
    assert_has(xml, "host=\"0.0.0.0\"");
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
    g_test_add_func("/domxml-edit/volume-of-a-pool", test_volume_of_a_pool);
    g_test_add_func("/domxml-edit/others-stay", test_others_stay);
    g_test_add_func("/domxml-edit/displays-move", test_displays_move);
    g_test_add_func("/domxml-edit/ports-move", test_ports_move);
    g_test_add_func("/domxml-edit/not-a-domain", test_not_a_domain);
    g_test_add_func("/domxml-edit/any-drive", test_any_drive);
    g_test_add_func("/domxml-edit/iothreads", test_iothreads);
    return g_test_run();
}
