#include "config.h"

#include "xml/domain-firmware.h"

#include "xml/document.h"

static void
block_nvram(FerryInstance *instance, const char *message)
{
    ferry_instance_add_obstacle(instance, "nvram", message,
                                "Use firmware whose variables lie in a file of their own");
}

/* libvirt's older form is the path as text, the newer one has a <source> as disks do. */
static char *
nvram_path(const xmlNode *nvram)
{
    g_autofree char *type = ferry_xml_attribute(nvram, "type");
    if (!type)
        return ferry_xml_text(nvram);
    return g_strcmp0(type, "file") == 0
               ? ferry_xml_attribute(ferry_xml_child(nvram, "source"), "file")
               : NULL;
}

/* A pflash loader brings a variable store with it unless it says that it is stateless, and so does
 * firmware that libvirt is asked to choose; the <nvram> may be missing before the first start. */
static void
read_nvram(FerryInstance *instance, const xmlNode *os)
{
    const xmlNode *loader = ferry_xml_child(os, "loader");
    const xmlNode *nvram = ferry_xml_child(os, "nvram");
    bool stateless = ferry_xml_attribute_is(loader, "stateless", "yes");
    bool has_store = nvram || ferry_xml_child(os, "varstore") ||
                     ferry_xml_attribute_is(os, "firmware", "efi") ||
                     ferry_xml_attribute_is(loader, "type", "pflash");
    if (!has_store || (stateless && !nvram))
        return;
    instance->nvram = nvram ? nvram_path(nvram) : NULL;
    if (instance->nvram)
        return;
    block_nvram(instance, nvram ? "The firmware's variables (NVRAM) are not in a file of the host"
                                : "The file of the firmware's variables (NVRAM) is not known");
}

static void
read_tpm(FerryInstance *instance, const xmlNode *tpm)
{
    const xmlNode *backend = ferry_xml_child(tpm, "backend");
    g_autofree char *type = ferry_xml_attribute(backend, "type");
    if (g_strcmp0(type, "emulator") == 0) {
        instance->tpm = true;
        return;
    }
    g_autofree char *message = g_strdup_printf(
        "The instance has a TPM of type \"%s\", which is tied to this host", type ? type : "none");
    ferry_instance_add_obstacle(instance, "tpm", message,
                                "Only an emulated TPM moves; remove it, or change its type");
}

void
ferry_domxml_read_firmware(FerryInstance *instance, const xmlNode *domain)
{
    const xmlNode *os = ferry_xml_child(domain, "os");
    const xmlNode *devices = ferry_xml_child(domain, "devices");
    instance->loader = ferry_xml_text(ferry_xml_child(os, "loader"));
    read_nvram(instance, os);
    for (const xmlNode *tpm = ferry_xml_child(devices, "tpm"); tpm != NULL;
         tpm = ferry_xml_next(tpm))
        read_tpm(instance, tpm);
}
