/* Volumes, pools and capabilities in libvirt's XML. */
#include "config.h"

#include "target.h"

#include "xml/host.h"
#include "xml/volume.h"

static void
read_volume(const char *xml)
{
    g_auto(FerryVolumeInfo) info = {0};

    if (!ferry_volxml_parse(xml, &info, NULL))
        return;
    g_assert_nonnull(info.format);
}

static void
read_pool(const char *xml)
{
    g_autofree char *name = NULL;
    g_autofree char *type = NULL;
    g_autofree char *path = NULL;

    if (!ferry_poolxml_parse(xml, &name, &type, &path, NULL))
        return;
    g_assert_nonnull(name);
    g_assert_nonnull(type);
}

static void
read_host(const char *xml)
{
    g_autoptr(FerryHostCapabilities) host = ferry_host_capabilities_parse(xml, NULL);
    g_autoptr(FerryDomainCapabilities) domain G_GNUC_UNUSED =
        ferry_domain_capabilities_parse(xml, NULL);

    if (host)
        (void)ferry_host_capabilities_has_machine(host, "x86_64", "pc");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = g_strndup((const char *)data, size);

    read_volume(xml);
    read_pool(xml);
    read_host(xml);
    return 0;
}
