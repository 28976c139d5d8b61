#include "config.h"

#include "xml/domain-needs.h"

#include "ferry/error.h"
#include "xml/domain-logs.h"

static FerryGuestNeeds *
parse(const char *others, const char *devices)
{
    g_autofree char *xml = g_strdup_printf("<domain type='kvm'><name>web01</name>%s"
                                           "<devices>%s</devices></domain>",
                                           others, devices);
    g_autoptr(GError) error = NULL;
    FerryGuestNeeds *needs = ferry_guest_needs_parse(xml, &error);

    g_assert_no_error(error);
    return needs;
}

static void
test_nothing(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryGuestNeeds) none = ferry_guest_needs_parse(NULL, &error);
    g_autoptr(FerryGuestNeeds) plain = parse("", "");

    g_assert_no_error(error);
    g_assert_cmpuint(none->links->len + none->listens->len + none->secrets->len, ==, 0);
    g_assert_cmpuint(plain->links->len + plain->listens->len + plain->secrets->len, ==, 0);
    g_assert_cmpuint(plain->huge_pages->len, ==, 0);
}

static void
test_displays(void)
{
    g_autoptr(FerryGuestNeeds) needs =
        parse("", "<graphics type='vnc' port='-1' autoport='yes' listen='192.0.2.1'>"
                  "<listen type='address' address='192.0.2.1'/></graphics>"
                  "<graphics type='spice' port='5999' autoport='no'>"
                  "<listen type='address' address='::'/></graphics>"
                  "<graphics type='vnc' port='5905'>"
                  "<listen type='network' network='mgmt' address='10.0.0.1'/></graphics>"
                  "<graphics type='vnc'><listen type='socket'/></graphics>");
    const FerryListenNeed *chosen = g_ptr_array_index(needs->listens, 0);
    const FerryListenNeed *fixed = g_ptr_array_index(needs->listens, 1);
    const FerryLinkNeed *network = g_ptr_array_index(needs->links, 0);

    g_assert_cmpuint(needs->listens->len, ==, 2);
    g_assert_true(chosen->is_display);
    g_assert_cmpstr(chosen->type, ==, "vnc");
    g_assert_cmpstr(chosen->address, ==, "192.0.2.1");
    g_assert_cmpuint(chosen->port, ==, 0);
    g_assert_cmpstr(fixed->address, ==, "::");
    g_assert_cmpuint(fixed->port, ==, 5999);
    g_assert_cmpuint(needs->links->len, ==, 1);
    g_assert_cmpint(network->kind, ==, FERRY_LINK_NETWORK);
    g_assert_cmpstr(network->name, ==, "mgmt");
    g_assert_cmpstr(network->user, ==, "vnc display");
}

static void
test_serial_ports(void)
{
    g_autoptr(FerryGuestNeeds) needs =
        parse("", "<serial type='tcp'><source mode='bind' host='192.0.2.1' service='4555'/>"
                  "<target port='0'/></serial>"
                  "<console type='tcp'><source mode='bind' host='192.0.2.1' service='4555'/>"
                  "<target type='serial' port='0'/></console>"
                  "<serial type='tcp'><source mode='connect' host='192.0.2.9' service='4556'/>"
                  "</serial>"
                  "<channel type='udp'><source mode='bind' host='192.0.2.2' service='4557'/>"
                  "<source mode='connect' host='192.0.2.9' service='4558'/></channel>"
                  "<serial type='pty'/>");
    const FerryListenNeed *serial = g_ptr_array_index(needs->listens, 0);
    const FerryListenNeed *channel = g_ptr_array_index(needs->listens, 1);

    g_assert_cmpuint(needs->listens->len, ==, 2);
    g_assert_false(serial->is_display);
    g_assert_cmpstr(serial->type, ==, "serial");
    g_assert_cmpstr(serial->address, ==, "192.0.2.1");
    g_assert_cmpuint(serial->port, ==, 4555);
    /* Whether a port of UDP is free is not tried. */
    g_assert_cmpstr(channel->address, ==, "192.0.2.2");
    g_assert_cmpuint(channel->port, ==, 0);
}

static void
test_interfaces(void)
{
    g_autoptr(FerryGuestNeeds) needs =
        parse("", "<interface type='network'><mac address='52:54:00:00:00:01'/>"
                  "<source network='default' bridge='virbr0'/></interface>"
                  "<interface type='bridge'><source bridge='br0'/></interface>"
                  "<interface type='direct'><source dev='eth0' mode='bridge'/></interface>"
                  "<interface type='user'/>"
                  "<interface type='ethernet'><source dev='x'/></interface>");
    static const struct {
        FerryLinkKind kind;
        const char *name;
        const char *user;
    } expected[] = {
        {FERRY_LINK_NETWORK, "default", "interface 52:54:00:00:00:01"},
        {FERRY_LINK_BRIDGE, "br0", "interface without address"},
        {FERRY_LINK_DEVICE, "eth0", "interface without address"},
    };

    g_assert_cmpuint(needs->links->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < needs->links->len; i++) {
        const FerryLinkNeed *link = g_ptr_array_index(needs->links, i);

        g_assert_cmpint(link->kind, ==, expected[i].kind);
        g_assert_cmpstr(link->name, ==, expected[i].name);
        g_assert_cmpstr(link->user, ==, expected[i].user);
    }
}

static void
test_secrets(void)
{
    g_autoptr(FerryGuestNeeds) needs = parse(
        "", "<disk type='file'><target dev='vda'/><source file='/a'>"
            "<encryption format='luks'><secret type='passphrase' uuid='U-1'/></encryption></source>"
            "<backingStore type='file'><source file='/b'><encryption format='luks'>"
            "<secret type='passphrase' uuid='U-2'/></encryption></source></backingStore></disk>"
            "<disk type='network'><target dev='vdb'/><source protocol='rbd'><auth username='u'>"
            "<secret type='ceph' usage='pool'/></auth></source></disk>"
            "<disk type='file'><target dev='vdc'/><encryption format='luks'>"
            "<secret type='passphrase' uuid='U-3'/></encryption></disk>"
            "<tpm><backend type='emulator'><encryption secret='U-4'/></backend></tpm>");
    static const char *const expected[][4] = {
        {"U-1", NULL, "volume", "disk vda"}, {"U-2", NULL, "volume", "disk vda"},
        {NULL, "pool", "ceph", "disk vdb"},  {"U-3", NULL, "volume", "disk vdc"},
        {"U-4", NULL, "vtpm", "the TPM"},
    };

    g_assert_cmpuint(needs->secrets->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < needs->secrets->len; i++) {
        const FerrySecretNeed *secret = g_ptr_array_index(needs->secrets, i);

        g_assert_cmpstr(secret->uuid, ==, expected[i][0]);
        g_assert_cmpstr(secret->usage, ==, expected[i][1]);
        g_assert_cmpstr(secret->type, ==, expected[i][2]);
        g_assert_cmpstr(secret->user, ==, expected[i][3]);
    }
}

static void
test_huge_pages(void)
{
    g_autoptr(FerryGuestNeeds) any = parse("<memoryBacking><hugepages/></memoryBacking>", "");
    g_autoptr(FerryGuestNeeds) sizes =
        parse("<memoryBacking><hugepages><page size='2048' unit='KiB' nodeset='0'/>"
              "<page size='1' unit='G' nodeset='1'/></hugepages></memoryBacking>",
              "");

    g_assert_cmpuint(any->huge_pages->len, ==, 1);
    g_assert_cmpuint(g_array_index(any->huge_pages, guint64, 0), ==, 0);
    g_assert_cmpuint(sizes->huge_pages->len, ==, 2);
    g_assert_cmpuint(g_array_index(sizes->huge_pages, guint64, 0), ==, 2 << 20);
    g_assert_cmpuint(g_array_index(sizes->huge_pages, guint64, 1), ==, 1 << 30);
}

static void
assert_refused(const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryGuestNeeds) needs = ferry_guest_needs_parse(xml, &error);

    g_assert_null(needs);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

/* Of 9p; virtiofs is an obstacle on the source. */
static void
test_folders(void)
{
    g_autoptr(FerryGuestNeeds) needs =
        parse("", "<filesystem type='mount' accessmode='mapped'><driver type='path'/>"
                  "<source dir='/srv/a'/><target dir='a'/></filesystem>"
                  "<filesystem><source dir='/srv/b'/></filesystem>"
                  "<filesystem type='mount'><driver type='virtiofs'/><source dir='/srv/c'/>"
                  "<target dir='c'/></filesystem>");
    const FerryFolderNeed *first = g_ptr_array_index(needs->folders, 0);
    const FerryFolderNeed *second = g_ptr_array_index(needs->folders, 1);

    g_assert_cmpuint(needs->folders->len, ==, 2);
    g_assert_cmpstr(first->path, ==, "/srv/a");
    g_assert_cmpstr(first->tag, ==, "a");
    g_assert_cmpstr(second->path, ==, "/srv/b");
    g_assert_null(second->tag);
}

static void
test_refused(void)
{
    assert_refused("");
    assert_refused("<network/>");
    assert_refused("<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><domain>&e;</domain>");
    assert_refused("<domain><memoryBacking><hugepages><page size='many'/></hugepages>"
                   "</memoryBacking></domain>");
    assert_refused("<domain><memoryBacking><hugepages><page size='18446744073709551615' unit='G'/>"
                   "</hugepages></memoryBacking></domain>");
}

static void
test_log_files(void)
{
    static const char xml[] =
        "<domain><devices><serial type='pty'><log file='/i/console.log'/></serial>"
        "<console type='pty'><log file='/i/console.log'/></console>"
        "<serial type='file'><source path='/i/serial.log'/></serial>"
        "<channel type='unix'><source mode='bind' path='/run/agent'/></channel>"
        "<disk type='file'><source file='/i/disk'/></disk></devices></domain>";
    g_auto(GStrv) files = ferry_domxml_log_files(xml);
    const char *const expected[] = {"/i/console.log", "/i/serial.log", NULL};

    g_assert_cmpstrv(files, expected);
    g_assert_null(ferry_domxml_log_files(NULL));
    g_assert_null(ferry_domxml_log_files("<domain>"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domxml-needs/nothing", test_nothing);
    g_test_add_func("/domxml-needs/displays", test_displays);
    g_test_add_func("/domxml-needs/serial-ports", test_serial_ports);
    g_test_add_func("/domxml-needs/interfaces", test_interfaces);
    g_test_add_func("/domxml-needs/secrets", test_secrets);
    g_test_add_func("/domxml-needs/huge-pages", test_huge_pages);
    g_test_add_func("/domxml-needs/folders", test_folders);
    g_test_add_func("/domxml-needs/refused", test_refused);
    g_test_add_func("/domxml-needs/log-files", test_log_files);
    return g_test_run();
}
