#include "config.h"

#include "xml/domain.h"

#include "ferry/error.h"

#include <string.h>

/* libvirt 9.0 printed the files of data/xml: a guest that runs, the same with its secrets, and a
 * definition with everything that stands in the way. */
static char *
load(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "unit", "data", "xml", name, NULL);
    g_autoptr(GError) error = NULL;
    char *contents = NULL;
    g_file_get_contents(path, &contents, NULL, &error);
    g_assert_no_error(error);
    return contents;
}

static FerryInstance *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    FerryInstance *instance = ferry_domxml_parse(xml, &error);
    g_assert_no_error(error);
    g_assert_nonnull(instance);
    return instance;
}

static FerryInstance *
parse_file(const char *name)
{
    g_autofree char *xml = load(name);
    return parse(xml);
}

/* A small domain with @devices, and @others beside <devices>. */
static char *
domain(const char *others, const char *devices)
{
    return g_strdup_printf("<domain type='kvm'><name>web01</name>"
                           "<uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid>"
                           "<memory unit='KiB'>262144</memory><vcpu>1</vcpu>%s"
                           "<devices>%s</devices></domain>",
                           others, devices);
}

static FerryInstance *
parse_parts(const char *others, const char *devices)
{
    g_autofree char *xml = domain(others, devices);
    return parse(xml);
}

static const FerryDisk *
disk_at(const FerryInstance *instance, guint index)
{
    g_assert_cmpuint(index, <, instance->disks->len);
    return g_ptr_array_index(instance->disks, index);
}

static const FerryInterface *
interface_at(const FerryInstance *instance, guint index)
{
    g_assert_cmpuint(index, <, instance->interfaces->len);
    return g_ptr_array_index(instance->interfaces, index);
}

static guint
count_obstacles(const FerryInstance *instance, const char *name)
{
    guint count = 0;
    for (guint i = 0; i < instance->obstacles->len; i++) {
        const FerryObstacle *obstacle = g_ptr_array_index(instance->obstacles, i);
        g_assert_nonnull(obstacle->message);
        g_assert_nonnull(obstacle->hint);
        count += strcmp(obstacle->name, name) == 0 ? 1 : 0;
    }
    return count;
}

static void
test_live_domain(void)
{
    g_autoptr(FerryInstance) instance = parse_file("domain-live.xml");
    g_assert_cmpstr(instance->name, ==, "web01");
    g_assert_cmpstr(instance->uuid, ==, "4dea22b3-1d52-d8f3-2516-782e98ab3fa0");
    g_assert_cmpstr(instance->virt_type, ==, "qemu");
    g_assert_cmpstr(instance->arch, ==, "x86_64");
    g_assert_cmpstr(instance->machine, ==, "pc-i440fx-7.2");
    g_assert_cmpstr(instance->emulator, ==, "/usr/bin/qemu-system-x86_64");
    g_assert_cmpuint(instance->vcpus, ==, 1);
    g_assert_cmpuint(instance->memory_bytes, ==, 256 * 1024 * 1024);
    g_assert_true(g_str_has_prefix(instance->cpu_xml, "<cpu mode=\"custom\""));
    g_assert_nonnull(strstr(instance->cpu_xml, "<feature policy=\"require\" name=\"lahf_lm\"/>"));
    g_assert_true(g_str_has_suffix(instance->cpu_xml, "</cpu>"));
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_cmpuint(instance->interfaces->len, ==, 1);
    g_assert_cmpstr(interface_at(instance, 0)->type, ==, "user");
    g_assert_cmpstr(interface_at(instance, 0)->mac, ==, "52:54:00:12:34:56");
    g_assert_cmpstr(interface_at(instance, 0)->model, ==, "virtio");
    g_assert_null(interface_at(instance, 0)->source);
    /* The caller's to fill. */
    g_assert_null(instance->state);
    g_assert_null(instance->domain_xml);
}

static void
test_live_disks(void)
{
    g_autoptr(FerryInstance) instance = parse_file("domain-live.xml");
    g_assert_cmpuint(instance->disks->len, ==, 5);
    const FerryDisk *plain = disk_at(instance, 0);
    g_assert_cmpstr(plain->target, ==, "vda");
    g_assert_cmpstr(plain->bus, ==, "virtio");
    g_assert_cmpstr(plain->device, ==, "disk");
    g_assert_cmpstr(plain->type, ==, "file");
    g_assert_cmpstr(plain->format, ==, "qcow2");
    g_assert_cmpstr(plain->source, ==, "/var/lib/libvirt/images/plain.qcow2");
    g_assert_cmpuint(g_strv_length(plain->backing_chain), ==, 0);
    g_assert_true(plain->chain_told);
    g_assert_false(plain->readonly || plain->shareable || plain->transient || plain->encrypted);

    const FerryDisk *startup_policy = disk_at(instance, 1);
    g_assert_cmpstr(startup_policy->source, ==, "/var/lib/libvirt/images/data.raw");
    g_assert_cmpstr(startup_policy->format, ==, "raw");

    const FerryDisk *chained = disk_at(instance, 2);
    g_assert_cmpuint(g_strv_length(chained->backing_chain), ==, 2);
    g_assert_true(chained->chain_told);
    g_assert_cmpstr(chained->backing_chain[0], ==, "/var/lib/libvirt/images/mid.qcow2");
    g_assert_cmpstr(chained->backing_chain[1], ==, "/var/lib/libvirt/images/base.raw");
    g_assert_cmpuint(chained->layers->len, ==, 2);

    const FerryLayer *middle = g_ptr_array_index(chained->layers, 0);
    const FerryLayer *base = g_ptr_array_index(chained->layers, 1);

    g_assert_cmpstr(middle->path, ==, chained->backing_chain[0]);
    g_assert_cmpstr(middle->format, ==, "qcow2");
    g_assert_cmpstr(base->type, ==, "file");
    g_assert_cmpstr(base->format, ==, "raw");

    const FerryDisk *empty = disk_at(instance, 3);
    g_assert_cmpstr(empty->device, ==, "cdrom");
    g_assert_null(empty->source);
    g_assert_true(empty->readonly);
    g_assert_cmpstr(empty->format, ==, "raw");
    g_assert_cmpstr(disk_at(instance, 4)->source, ==, "/var/lib/libvirt/images/cd.iso");
}

static void
test_obstacles_of_a_definition(void)
{
    g_autoptr(FerryInstance) instance = parse_file("domain-obstacles.xml");
    g_assert_cmpstr(instance->name, ==, "bound & tied");
    g_assert_cmpuint(instance->vcpus, ==, 4);
    g_assert_cmpuint(count_obstacles(instance, "nvram"), ==, 0);
    g_assert_cmpstr(instance->loader, ==, "/usr/share/OVMF/OVMF_CODE_4M.fd");
    g_assert_cmpstr(instance->nvram, ==, "/var/lib/libvirt/qemu/nvram/bound_VARS.fd");
    g_assert_false(instance->tpm);
    g_assert_cmpuint(count_obstacles(instance, "tpm"), ==, 1);
    g_assert_cmpuint(count_obstacles(instance, "filesystem"), ==, 1);
    g_assert_cmpuint(count_obstacles(instance, "shared-memory"), ==, 1);
    g_assert_cmpuint(count_obstacles(instance, "vhost-user"), ==, 2);
    /* Three <hostdev>, one interface, one input device. */
    g_assert_cmpuint(count_obstacles(instance, "host-device"), ==, 5);
    g_assert_cmpuint(instance->obstacles->len, ==, 10);
}

static void
test_disks_of_a_definition(void)
{
    g_autoptr(FerryInstance) instance = parse_file("domain-obstacles.xml");
    static const struct {
        const char *target;
        const char *type;
        const char *source;
    } expected[] = {
        {"vda", "block", "/dev/vg0/bound"},
        {"vdb", "network", "rbd:volumes/volume-1"},
        {"vdc", "volume", "default/shared.raw"},
        {"vdd", "file", "/var/lib/libvirt/images/secret.qcow2"},
        {"vde", "file", "/var/lib/libvirt/images/scratch.qcow2"},
        {"vdf", "vhostuser", "/tmp/vhost-blk.sock"},
        {"vdg", "nvme", "nvme:1"},
        {"fda", "file", "/var/lib/libvirt/images/floppy.img"},
    };
    g_assert_cmpuint(instance->disks->len, ==, G_N_ELEMENTS(expected));
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        const FerryDisk *disk = ferry_instance_find_disk(instance, expected[i].target);
        g_assert_nonnull(disk);
        g_assert_cmpstr(disk->type, ==, expected[i].type);
        g_assert_cmpstr(disk->source, ==, expected[i].source);
        g_assert_true(disk->shareable == (strcmp(disk->target, "vdc") == 0));
        g_assert_true(disk->encrypted == (strcmp(disk->target, "vdd") == 0));
        g_assert_true(disk->transient == (strcmp(disk->target, "vde") == 0));
    }
    g_assert_cmpstr(ferry_instance_find_disk(instance, "fda")->device, ==, "floppy");
}

static void
test_interfaces(void)
{
    g_autoptr(FerryInstance) instance = parse_file("domain-obstacles.xml");
    static const struct {
        const char *type;
        const char *source;
    } expected[] = {
        {"hostdev", NULL},  {"vhostuser", "/tmp/vhost1.sock"},
        {"bridge", "br0"},  {"network", "default"},
        {"direct", "eth0"},
    };
    g_assert_cmpuint(instance->interfaces->len, ==, G_N_ELEMENTS(expected));
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmpstr(interface_at(instance, (guint)i)->type, ==, expected[i].type);
        g_assert_cmpstr(interface_at(instance, (guint)i)->source, ==, expected[i].source);
    }
}

static void
test_one_obstacle_each(void)
{
    static const struct {
        const char *name; /* NULL: none */
        const char *others;
        const char *devices;
    } cases[] = {
        {NULL, "<os><type>hvm</type><loader type='rom'>/usr/share/seabios/bios.bin</loader></os>",
         ""},
        {NULL, "<os><loader readonly='yes' type='pflash' stateless='yes'>/x.fd</loader></os>", ""},
        {NULL, "<os firmware='efi'><loader stateless='yes'/></os>", ""},
        {NULL, "<os firmware='bios'><type>hvm</type></os>", ""},
        {"nvram", "<os firmware='efi'><type>hvm</type></os>", ""},
        {"nvram", "<os><loader type='pflash'>/x.fd</loader></os>", ""},
        {"nvram", "<os><loader readonly='yes' type='pflash'>/x.fd</loader></os>", ""},
        {NULL, "<os><nvram>/x_VARS.fd</nvram></os>", ""},
        {NULL, "<os><nvram type='file'><source file='/x_VARS.fd'/></nvram></os>", ""},
        {"nvram", "<os><nvram type='network'><source protocol='nbd' name='x'/></nvram></os>", ""},
        {"nvram", "<os><nvram type='file'/></os>", ""},
        {"nvram", "<os><nvram/></os>", ""},
        {"nvram", "<os><varstore path='/x.json'/></os>", ""},
        {NULL, "", "<tpm><backend type='emulator' version='2.0'/></tpm>"},
        {"tpm", "", "<tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>"},
        {"tpm", "", "<tpm/>"},
        {"launch-security", "<launchSecurity type='sev'><policy>0x0</policy></launchSecurity>", ""},
        {"host-device", "", "<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>"},
        {"memory-file", "", "<memory model='nvdimm'><source><path>/x</path></source></memory>"},
        {NULL, "", "<memory model='dimm'><target><size unit='KiB'>1</size></target></memory>"},
        /* libvirt is asked for jobs (virt/domain.h), it knows of more than the XML shows. */
        {NULL, "",
         "<disk type='file'><source file='/a'/><mirror type='file' job='copy'/>"
         "<target dev='vda'/></disk>"},
        {"vhost-user", "",
         "<disk type='vhostvdpa'><source dev='/dev/vhost-vdpa-0'/><target dev='vda'/></disk>"},
        {NULL, "", "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"},
        {NULL, "", "<tpm xmlns='urn:other'/><x:tpm xmlns:x='urn:other'/>"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FerryInstance) instance = parse_parts(cases[i].others, cases[i].devices);
        guint expected = cases[i].name != NULL ? 1 : 0;
        if (instance->obstacles->len != expected)
            g_error("case %zu: %u obstacles", i, instance->obstacles->len);
        if (cases[i].name != NULL)
            g_assert_cmpuint(count_obstacles(instance, cases[i].name), ==, 1);
    }
}

/* Both of libvirt's forms for the file of the variables. */
static void
test_firmware(void)
{
    static const char *const forms[] = {
        "<nvram template='/t.fd'>/x_VARS.fd</nvram>",
        "<nvram type='file'><source file='/x_VARS.fd'/></nvram>",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autofree char *os = g_strdup_printf(
            "<os><loader readonly='yes' type='pflash'>/x.fd</loader>%s</os>", forms[i]);
        g_autoptr(FerryInstance) instance =
            parse_parts(os, "<tpm><backend type='emulator'/></tpm>");
        g_assert_cmpstr(instance->loader, ==, "/x.fd");
        g_assert_cmpstr(instance->nvram, ==, "/x_VARS.fd");
        g_assert_true(instance->tpm);
        g_assert_cmpuint(instance->obstacles->len, ==, 0);
    }
}

static void
test_lesser_forms(void)
{
    g_autoptr(FerryInstance) instance = parse_parts(
        "", "<disk><source file='/a'/><target dev='sda'/></disk>"
            "<disk type='file'><driver type='qcow2'/><source startupPolicy='optional'/>"
            "<target dev='sdb'/></disk>"
            "<disk type='file'><source file='/c'/><encryption format='qcow'/>"
            "<target dev='sdc'/></disk>"
            "<disk type='file'><source file=\"/a&amp;b&#x20;c&quot;\"/><target dev='sdd'/></disk>"
            "<disk type='file'><source file='/d'/><target dev='sde'/><backingStore type='block'>"
            "<format type='raw'/><source dev='/dev/vg/base'/></backingStore></disk>");
    const FerryDisk *bare = disk_at(instance, 0);
    g_assert_cmpstr(bare->type, ==, "file");
    g_assert_cmpstr(bare->device, ==, "disk");
    g_assert_cmpstr(bare->format, ==, "raw");
    g_assert_null(bare->bus);
    g_assert_null(disk_at(instance, 1)->source);
    g_assert_cmpstr(disk_at(instance, 1)->format, ==, "qcow2");
    g_assert_true(disk_at(instance, 2)->encrypted);
    g_assert_cmpstr(disk_at(instance, 3)->source, ==, "/a&b c\"");
    g_assert_cmpstr(disk_at(instance, 4)->backing_chain[0], ==, "/dev/vg/base");
    g_assert_true(disk_at(instance, 4)->chain_told);
    g_assert_false(disk_at(instance, 0)->chain_told);

    g_autoptr(FerryInstance) cdata =
        parse("<?xml version='1.0' encoding='ISO-8859-1'?><!-- c --><domain type='kvm'>"
              "<name><![CDATA[a<b>&c]]></name><uuid>4DEA22B3-1D52-D8F3-2516-782E98AB3FA0</uuid>"
              "<memory unit='G'>1</memory><vcpu>3</vcpu></domain>");
    g_assert_cmpstr(cdata->name, ==, "a<b>&c");
    g_assert_cmpstr(cdata->uuid, ==, "4dea22b3-1d52-d8f3-2516-782e98ab3fa0");
    g_assert_cmpuint(cdata->memory_bytes, ==, 1024 * 1024 * 1024);
    g_assert_cmpuint(cdata->vcpus, ==, 3);
    g_assert_null(cdata->cpu_xml);
    g_assert_cmpuint(cdata->disks->len, ==, 0);
}

static void
test_memory_units(void)
{
    static const struct {
        const char *element;
        guint64 bytes;
    } units[] = {
        {"<memory>1024</memory>", 1024 * 1024},        {"<memory unit='b'>7</memory>", 7},
        {"<memory unit='bytes'>7</memory>", 7},        {"<memory unit='k'>7</memory>", 7 * 1024},
        {"<memory unit='KB'>7</memory>", 7 * 1000},    {"<memory unit='MiB'>7</memory>", 7 << 20},
        {"<memory unit='MB'>7</memory>", 7000000},     {"<memory unit='M'> 7 </memory>", 7 << 20},
        {"<memory unit='TiB'>1</memory>", 1ULL << 40},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain><name>a</name><uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
                            "</uuid>%s</domain>",
                            units[i].element);
        g_autoptr(FerryInstance) instance = parse(xml);
        g_assert_cmpuint(instance->memory_bytes, ==, units[i].bytes);
    }
}

static void
assert_refused(const char *xml, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryInstance) instance = ferry_domxml_parse(xml, &error);
    if (instance != NULL)
        g_error("accepted: %.300s", xml);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    g_assert_nonnull(ferry_error_hint(error));
    g_assert_cmpuint(strlen(error->message), <, 1000);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    if (strstr(error->message, reason) == NULL)
        g_error("'%s' does not say '%s'", error->message, reason);
}

#define IDENTITY "<name>a</name><uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid>"

static void
test_refused(void)
{
    static const struct {
        const char *xml;
        const char *reason;
    } cases[] = {
        {"", "XML of a <domain> refused"},
        {"<domain", "line 1"},
        {"<domain></domains>", "line 1"},
        {"<domain>&amp", "line 1"},
        {"<domain>\xff\xfe</domain>", "line 1"},
        {"<domain>" IDENTITY "</domain><domain/>", "line 1"},
        {"<pool/>", "<pool>"},
        {"<domain xmlns='urn:x'>" IDENTITY "</domain>", "root"},
        {"<domain/>", "no name"},
        {"<domain><name/></domain>", "no name"},
        {"<domain><name>a/b</name></domain>", "no name"},
        {"<domain><name>a\nb</name></domain>", "no name"},
        {"<domain><name>a</name></domain>", "no UUID"},
        {"<domain><name>a</name><uuid>4dea22b3</uuid></domain>", "no UUID"},
        {"<domain>" IDENTITY "<memory>-1</memory></domain>", "<memory>"},
        {"<domain>" IDENTITY "<memory>1e9</memory></domain>", "<memory>"},
        {"<domain>" IDENTITY "<memory/></domain>", "<memory>"},
        {"<domain>" IDENTITY "<memory unit='parsec'>1</memory></domain>", "unit"},
        {"<domain>" IDENTITY "<memory unit=''>1</memory></domain>", "unit"},
        {"<domain>" IDENTITY "<memory unit='EiB'>16</memory></domain>", "too large"},
        {"<domain>" IDENTITY "<vcpu>0</vcpu></domain>", "vcpus"},
        {"<domain>" IDENTITY "<vcpu current='many'>2</vcpu></domain>", "vcpus"},
        {"<domain>" IDENTITY "<devices><disk/></devices></domain>", "no target"},
        {"<domain>" IDENTITY "<devices><disk><target dev='a'/></disk><disk><target dev='a'/>"
         "</disk></devices></domain>",
         "same target"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(cases[i].xml, cases[i].reason);
}

static void
test_entities_and_dtds(void)
{
    assert_refused("<!DOCTYPE domain [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;&lol;'>"
                   "<!ENTITY lol3 '&lol2;&lol2;&lol2;&lol2;'>]>"
                   "<domain><name>&lol3;</name></domain>",
                   "DTD");
    assert_refused("<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
                   "<domain><name>&x;</name></domain>",
                   "DTD");
    assert_refused("<!DOCTYPE domain SYSTEM 'http://127.0.0.1:1/x.dtd'><domain/>", "DTD");
    assert_refused("<!DOCTYPE domain PUBLIC 'x' 'file:///etc/passwd'><domain>" IDENTITY "</domain>",
                   "DTD");
    assert_refused("<!DOCTYPE domain><domain>" IDENTITY "</domain>", "DTD");
    assert_refused("<domain><name>&undeclared;</name></domain>", "undeclared");
}

static void
test_sizes(void)
{
    g_autofree char *filler = g_strnfill(1024 * 1024, ' ');
    g_autofree char *large = g_strdup_printf("<domain>" IDENTITY "%s</domain>", filler);
    assert_refused(large, "limit");
    g_autofree char *fitting =
        g_strdup_printf("<domain>" IDENTITY "%.*s</domain>",
                        1024 * 1024 - (int)strlen("<domain>" IDENTITY "</domain>"), filler);
    g_assert_cmpuint(strlen(fitting), ==, 1024 * 1024);
    g_autoptr(FerryInstance) instance = parse(fitting);
    g_assert_cmpstr(instance->name, ==, "a");

    /* Deeper than any chain, shallower than what would be cut off by size alone. */
    g_autoptr(GString) deep = g_string_new("<domain>" IDENTITY "<devices><disk><target dev='a'/>");
    for (int i = 0; i < 20000; i++)
        g_string_append(deep, "<backingStore>");
    assert_refused(deep->str, "line 1");
}

static void
test_redact(void)
{
    g_autofree char *xml = load("domain-secrets.xml");
    g_assert_nonnull(strstr(xml, "passwd='s3cr3t&amp;&lt;'"));
    g_autofree char *redacted = ferry_domxml_redact(xml);
    g_assert_nonnull(redacted);
    g_assert_null(strstr(redacted, "s3cr3t"));
    g_assert_nonnull(strstr(redacted, "passwd=\"\""));
    g_assert_nonnull(strstr(redacted, "listen=\"127.0.0.1\""));
    g_autoptr(FerryInstance) before = parse(xml);
    g_autoptr(FerryInstance) after = parse(redacted);
    g_assert_cmpstr(before->uuid, ==, after->uuid);
    g_assert_cmpuint(before->disks->len, ==, after->disks->len);

    g_autofree char *everywhere = ferry_domxml_redact(
        "<domain><a passwd='x1'><b c='d' passwd='x2'/></a><q:e xmlns:q='urn:q' q:passwd='x3'/>"
        "</domain>");
    g_assert_nonnull(everywhere);
    g_assert_null(strstr(everywhere, "x1"));
    g_assert_null(strstr(everywhere, "x2"));
    g_assert_null(strstr(everywhere, "x3"));
    g_assert_null(ferry_domxml_redact("<domain"));
    g_assert_null(ferry_domxml_redact("<!DOCTYPE domain><domain/>"));
}

/* Damaged documents: an instance or an error, whatever the bytes; the sanitizers watch. */
static void
test_damaged(void)
{
    g_autofree char *xml = load("domain-obstacles.xml");
    gsize length = strlen(xml);
    for (guint round = 0; round < 1000; round++) {
        g_autofree char *damaged = g_strdup(xml);
        for (gint changes = g_test_rand_int_range(1, 4); changes > 0; changes--)
            damaged[g_test_rand_int_range(0, (gint32)length)] = (char)g_test_rand_int_range(1, 256);
        if (round % 4 == 0)
            damaged[g_test_rand_int_range(0, (gint32)length)] = '\0';
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryInstance) instance = ferry_domxml_parse(damaged, &error);
        g_assert_true((instance == NULL) == (error != NULL));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domxml/live-domain", test_live_domain);
    g_test_add_func("/domxml/live-disks", test_live_disks);
    g_test_add_func("/domxml/obstacles", test_obstacles_of_a_definition);
    g_test_add_func("/domxml/disks", test_disks_of_a_definition);
    g_test_add_func("/domxml/interfaces", test_interfaces);
    g_test_add_func("/domxml/one-obstacle-each", test_one_obstacle_each);
    g_test_add_func("/domxml/lesser-forms", test_lesser_forms);
    g_test_add_func("/domxml/firmware", test_firmware);
    g_test_add_func("/domxml/memory-units", test_memory_units);
    g_test_add_func("/domxml/refused", test_refused);
    g_test_add_func("/domxml/entities", test_entities_and_dtds);
    g_test_add_func("/domxml/sizes", test_sizes);
    g_test_add_func("/domxml/redact", test_redact);
    g_test_add_func("/domxml/damaged", test_damaged);
    return g_test_run();
}
