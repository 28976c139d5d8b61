#include "config.h"

#include "xml/host.h"

#include "ferry/error.h"

/* libvirt 9.0 printed the files of data/xml for QEMU 7.2. */
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

static FerryHostCapabilities *
parse_host(const char *xml)
{
    g_autoptr(GError) error = NULL;
    FerryHostCapabilities *host = ferry_host_capabilities_parse(xml, &error);
    g_assert_no_error(error);
    g_assert_nonnull(host);
    return host;
}

static void
test_host(void)
{
    g_autofree char *xml = load("capabilities.xml");
    g_autoptr(FerryHostCapabilities) host = parse_host(xml);
    g_assert_cmpstr(ferry_host_capabilities_uuid(host), ==, "8c3f0a52-6b1d-4e27-9d75-0f2b6c1a9e34");
    g_assert_cmpstr(ferry_host_capabilities_arch(host), ==, "x86_64");
    g_assert_cmpstr(ferry_host_capabilities_cpu_model(host), ==, "kvm64");
    g_assert_cmpstr(ferry_host_capabilities_cpu_vendor(host), ==, "AMD");
}

static void
test_guests(void)
{
    g_autofree char *xml = load("capabilities.xml");
    g_autoptr(FerryHostCapabilities) host = parse_host(xml);
    g_assert_true(ferry_host_capabilities_has_machine(host, "x86_64", "pc-i440fx-7.2"));
    g_assert_true(ferry_host_capabilities_has_machine(host, "x86_64", "pc"));
    g_assert_true(ferry_host_capabilities_has_machine(host, "i686", "pc-q35-2.6"));
    g_assert_false(ferry_host_capabilities_has_machine(host, "x86_64", "pc-i440fx-99.0"));
    g_assert_false(ferry_host_capabilities_has_machine(host, "aarch64", "pc"));
    g_assert_false(ferry_host_capabilities_has_machine(host, "x86_64", NULL));
    g_assert_true(
        ferry_host_capabilities_has_emulator(host, "x86_64", "/usr/bin/qemu-system-x86_64"));
    g_assert_false(
        ferry_host_capabilities_has_emulator(host, "i686", "/usr/bin/qemu-system-x86_64"));
    g_assert_false(ferry_host_capabilities_has_emulator(host, "x86_64", "/usr/libexec/qemu-kvm"));
    g_assert_true(ferry_host_capabilities_has_virt_type(host, "x86_64", "qemu"));
    g_assert_true(ferry_host_capabilities_has_virt_type(host, "x86_64", "kvm"));
    g_assert_false(ferry_host_capabilities_has_virt_type(host, "x86_64", "xen"));
}

/* A virt type may have an emulator and machines of its own. */
static void
test_guest_of_one_virt_type(void)
{
    g_autoptr(FerryHostCapabilities) host = parse_host(
        "<capabilities><host><cpu><arch>aarch64</arch></cpu></host><guest><os_type>hvm</os_type>"
        "<arch name='aarch64'><emulator>/a</emulator><machine canonical='virt-7.2'>virt</machine>"
        "<domain type='qemu'/><domain type='kvm'><emulator>/b</emulator>"
        "<machine>special</machine></domain></arch></guest><guest/></capabilities>");
    g_assert_null(ferry_host_capabilities_uuid(host));
    g_assert_null(ferry_host_capabilities_cpu_model(host));
    g_assert_true(ferry_host_capabilities_has_emulator(host, "aarch64", "/b"));
    g_assert_true(ferry_host_capabilities_has_machine(host, "aarch64", "special"));
    g_assert_true(ferry_host_capabilities_has_machine(host, "aarch64", "virt-7.2"));
}

static void
test_domain_capabilities(void)
{
    g_autofree char *xml = load("domain-capabilities.xml");
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryDomainCapabilities) domain = ferry_domain_capabilities_parse(xml, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(domain->emulator, ==, "/usr/bin/qemu-system-x86_64");
    g_assert_cmpstr(domain->virt_type, ==, "kvm");
    g_assert_cmpstr(domain->machine, ==, "pc-i440fx-7.2");
    g_assert_cmpstr(domain->arch, ==, "x86_64");
    g_assert_cmpuint(domain->max_vcpus, ==, 255);
    g_assert_true(domain->host_passthrough && domain->host_model && domain->custom);
    g_assert_false(domain->tpm_emulator);
    g_assert_cmpstr(domain->host_model_name, ==, "kvm64");
    g_assert_true(g_strv_contains((const char *const *)domain->known_models, "qemu64"));
    g_assert_false(g_strv_contains((const char *const *)domain->usable_models, "qemu64"));
    g_assert_true(g_strv_contains((const char *const *)domain->usable_models, "pentium3"));
    g_assert_cmpuint(g_strv_length(domain->known_models), >, g_strv_length(domain->usable_models));
}

static void
test_sparse_domain_capabilities(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryDomainCapabilities) domain = ferry_domain_capabilities_parse(
        "<domainCapabilities><vcpu max='lots'/><cpu><mode name='host-passthrough' supported='no'/>"
        "</cpu></domainCapabilities>",
        &error);
    g_assert_no_error(error);
    g_assert_null(domain->machine);
    g_assert_cmpuint(domain->max_vcpus, ==, 0);
    g_assert_false(domain->host_passthrough || domain->host_model || domain->custom);
    g_assert_cmpuint(g_strv_length(domain->known_models), ==, 0);
}

static void
test_tpm(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryDomainCapabilities) domain = ferry_domain_capabilities_parse(
        "<domainCapabilities><devices><tpm supported='yes'>"
        "<enum name='model'><value>tpm-crb</value></enum><enum name='backendModel'>"
        "<value>passthrough</value><value>emulator</value></enum></tpm></devices>"
        "</domainCapabilities>",
        &error);
    g_assert_no_error(error);
    g_assert_true(domain->tpm_emulator);
}

static void
test_refused(void)
{
    static const char *const documents[] = {"", "<domain/>", "<capabilities>",
                                            "<!DOCTYPE capabilities><capabilities/>"};
    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ferry_host_capabilities_parse(documents[i], &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        g_autoptr(GError) other = NULL;
        g_assert_null(ferry_domain_capabilities_parse(documents[i], &other));
        g_assert_error(other, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    }
}

static void
test_devices(void)
{
    g_autoptr(FerryDomainCapabilities) able = ferry_domain_capabilities_parse(
        "<domainCapabilities><devices><video supported='yes'><enum name='modelType'>"
        "<value>vga</value><value>virtio</value></enum></video>"
        "<graphics supported='no'><enum name='type'/></graphics></devices></domainCapabilities>",
        NULL);
    const char *const *models = ferry_domain_capabilities_values(able, "video", "modelType");
    g_assert_true(g_strv_contains(models, "virtio"));
    g_assert_false(g_strv_contains(models, "qxl"));
    g_assert_null(ferry_domain_capabilities_values(able, "graphics", "type")[0]);
    g_assert_null(ferry_domain_capabilities_values(able, "panic", "model"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hostxml/host", test_host);
    g_test_add_func("/hostxml/guests", test_guests);
    g_test_add_func("/hostxml/guest-of-one-virt-type", test_guest_of_one_virt_type);
    g_test_add_func("/hostxml/domain-capabilities", test_domain_capabilities);
    g_test_add_func("/hostxml/sparse-domain-capabilities", test_sparse_domain_capabilities);
    g_test_add_func("/hostxml/refused", test_refused);
    g_test_add_func("/hostxml/tpm", test_tpm);
    g_test_add_func("/hostxml/devices", test_devices);
    return g_test_run();
}
