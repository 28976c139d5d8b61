#include "config.h"

#include "xml/domain.h"

#include "ferry/error.h"
#include "xml/document.h"
#include "xml/domain-firmware.h"
#include "xml/domain-folder.h"

#include <string.h>

#define MAX_BYTES (1024 * 1024)

static bool
refuse(GError **error, const char *reason)
{
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST,
                    "Send the document as virsh dumpxml prints it", "Domain XML refused: %s",
                    reason);
    return false;
}

G_GNUC_PRINTF(4, 5)
static void
block(FerryInstance *instance, const char *name, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    ferry_instance_add_obstacle(instance, name, message, hint);
}

/* --- disks ------------------------------------------------------------------------------------ */

static char *
join_source(const char *left, char separator, const char *right)
{
    return g_strdup_printf("%s%c%s", left ? left : "", separator, right ? right : "");
}

/* The path or name that <source> gives for a disk of @type; NULL for an empty drive. */
static char *
source_name(const xmlNode *source, const char *type)
{
    if (!source)
        return NULL;
    if (g_strcmp0(type, "block") == 0)
        return ferry_xml_attribute(source, "dev");
    if (g_strcmp0(type, "dir") == 0)
        return ferry_xml_attribute(source, "dir");
    if (g_strcmp0(type, "network") == 0) {
        g_autofree char *protocol = ferry_xml_attribute(source, "protocol");
        g_autofree char *name = ferry_xml_attribute(source, "name");
        return join_source(protocol, ':', name);
    }
    if (g_strcmp0(type, "volume") == 0) {
        g_autofree char *pool = ferry_xml_attribute(source, "pool");
        g_autofree char *volume = ferry_xml_attribute(source, "volume");
        return join_source(pool, '/', volume);
    }
    if (g_strcmp0(type, "nvme") == 0) {
        g_autofree char *namespace = ferry_xml_attribute(source, "namespace");
        return join_source("nvme", ':', namespace);
    }
    if (g_strcmp0(type, "vhostuser") == 0 || g_strcmp0(type, "vhostvdpa") == 0)
        return ferry_xml_attribute(source, g_strcmp0(type, "vhostuser") == 0 ? "path" : "dev");
    return ferry_xml_attribute(source, "file");
}

static char *
attribute_or(const xmlNode *node, const char *name, const char *fallback)
{
    char *value = ferry_xml_attribute(node, name);
    return value ? value : g_strdup(fallback);
}

static FerryLayer *
read_layer(const xmlNode *store)
{
    FerryLayer *layer = ferry_layer_new();
    layer->type = attribute_or(store, "type", "file");
    layer->path = source_name(ferry_xml_child(store, "source"), layer->type);
    layer->format = attribute_or(ferry_xml_child(store, "format"), "type", "raw");
    return layer;
}

/* Each <backingStore> holds the next; an empty one says that the chain ends there. */
static void
read_backing_chain(FerryDisk *disk, const xmlNode *node)
{
    g_autoptr(GStrvBuilder) chain = g_strv_builder_new();
    for (const xmlNode *store = ferry_xml_child(node, "backingStore"); store != NULL;
         store = ferry_xml_child(store, "backingStore")) {
        g_autoptr(FerryLayer) layer = read_layer(store);
        if (!layer->path)
            continue;
        g_strv_builder_add(chain, layer->path);
        g_ptr_array_add(disk->layers, g_steal_pointer(&layer));
    }
    disk->chain_told = ferry_xml_child(node, "backingStore") != NULL;
    g_strfreev(disk->backing_chain);
    disk->backing_chain = g_strv_builder_end(chain);
}

/* libvirt's older definitions have it in the disk, the newer ones in its source. */
static void
read_encryption(FerryDisk *disk, const xmlNode *encryption)
{
    if (!encryption)
        return;
    disk->encrypted = true;
    if (!ferry_xml_attribute_is(encryption, "format", "luks"))
        return;
    g_autofree char *uuid = ferry_xml_attribute(ferry_xml_child(encryption, "secret"), "uuid");
    if (!uuid || !g_uuid_string_is_valid(uuid))
        return;
    g_free(disk->secret_uuid);
    disk->secret_uuid = g_steal_pointer(&uuid);
}

static FerryDisk *
read_disk(const xmlNode *node)
{
    g_autoptr(FerryDisk) disk = ferry_disk_new();
    const xmlNode *target = ferry_xml_child(node, "target");
    const xmlNode *source = ferry_xml_child(node, "source");
    const xmlNode *driver = ferry_xml_child(node, "driver");
    disk->type = attribute_or(node, "type", "file");
    disk->device = attribute_or(node, "device", "disk");
    disk->target = ferry_xml_attribute(target, "dev");
    disk->bus = ferry_xml_attribute(target, "bus");
    disk->format = attribute_or(driver, "type", "raw");
    disk->source = source_name(source, disk->type);
    if (g_strcmp0(disk->type, "volume") == 0) {
        disk->volume_pool = ferry_xml_attribute(source, "pool");
        disk->volume_name = ferry_xml_attribute(source, "volume");
    }
    disk->readonly = ferry_xml_child(node, "readonly") != NULL;
    disk->shareable = ferry_xml_child(node, "shareable") != NULL;
    disk->transient = ferry_xml_child(node, "transient") != NULL;
    disk->startup_policy = ferry_xml_attribute(source, "startupPolicy");
    read_encryption(disk, ferry_xml_child(node, "encryption"));
    read_encryption(disk, ferry_xml_child(source, "encryption"));
    read_backing_chain(disk, node);
    return g_steal_pointer(&disk);
}

static void
block_disk(FerryInstance *instance, const FerryDisk *disk, const xmlNode *node)
{
    if (g_strcmp0(disk->type, "vhostuser") == 0 || g_strcmp0(disk->type, "vhostvdpa") == 0)
        block(instance, "vhost-user", "Detach it first",
              "Disk \"%s\" is served by a process of this host (%s)", disk->target, disk->type);
}

static bool
read_disks(FerryInstance *instance, const xmlNode *devices, GError **error)
{
    for (const xmlNode *node = ferry_xml_child(devices, "disk"); node != NULL;
         node = ferry_xml_next(node)) {
        g_autoptr(FerryDisk) disk = read_disk(node);
        if (!disk->target)
            return refuse(error, "a disk has no target");
        if (ferry_instance_find_disk(instance, disk->target))
            return refuse(error, "two disks have the same target");
        block_disk(instance, disk, node);
        g_ptr_array_add(instance->disks, g_steal_pointer(&disk));
    }
    return true;
}

/* --- interfaces ------------------------------------------------------------------------------- */

/* Which attribute names the far end depends on the type; at most one of them is there. */
static char *
interface_source(const xmlNode *source)
{
    static const char *const names[] = {"network", "bridge", "dev", "path", "name", "address"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *value = ferry_xml_attribute(source, names[i]);
        if (value)
            return g_steal_pointer(&value);
    }
    return NULL;
}

static void
block_interface(FerryInstance *instance, const FerryInterface *interface)
{
    const char *mac = interface->mac ? interface->mac : "without address";
    if (g_strcmp0(interface->type, "hostdev") == 0 || g_strcmp0(interface->type, "vdpa") == 0)
        block(instance, "host-device", "Detach it first: virsh detach-interface",
              "Interface %s is a device of this host (%s)", mac, interface->type);
    if (g_strcmp0(interface->type, "vhostuser") == 0)
        block(instance, "vhost-user", "Detach it first: virsh detach-interface",
              "Interface %s is served by a process of this host", mac);
}

static void
read_interfaces(FerryInstance *instance, const xmlNode *devices)
{
    for (const xmlNode *node = ferry_xml_child(devices, "interface"); node != NULL;
         node = ferry_xml_next(node)) {
        FerryInterface *interface = g_new0(FerryInterface, 1);
        g_ptr_array_add(instance->interfaces, interface);
        interface->type = ferry_xml_attribute(node, "type");
        interface->mac = ferry_xml_attribute(ferry_xml_child(node, "mac"), "address");
        interface->source = interface_source(ferry_xml_child(node, "source"));
        interface->model = ferry_xml_attribute(ferry_xml_child(node, "model"), "type");
        interface->target = ferry_xml_attribute(ferry_xml_child(node, "target"), "dev");
        block_interface(instance, interface);
    }
}

/* --- what cannot be carried ------------------------------------------------------------------- */

/* Elements of <devices> that tie the guest to this host; one obstacle for each element. */
static const struct {
    const char *element;
    const char *name;
    const char *message;
    const char *hint;
} blocking_devices[] = {
    {"shmem", "shared-memory", "The instance has memory shared with processes of this host",
     "Detach the <shmem> first"},
};

/* QEMU carries a 9p device as long as the guest has not mounted it, which the check of QEMU's own
 * reasons finds out; whether its folder is there is asked at the destination. */
static void
block_filesystems(FerryInstance *instance, const xmlNode *devices)
{
    for (const xmlNode *node = ferry_xml_child(devices, "filesystem"); node;
         node = ferry_xml_next(node)) {
        if (!ferry_domxml_is_9p(node))
            ferry_instance_add_obstacle(instance, "filesystem",
                                        "The instance shares a folder of this host by other means "
                                        "than 9p",
                                        "Detach the <filesystem> first");
    }
}

static void
block_devices(FerryInstance *instance, const xmlNode *devices)
{
    for (gsize i = 0; i < G_N_ELEMENTS(blocking_devices); i++) {
        for (const xmlNode *node = ferry_xml_child(devices, blocking_devices[i].element); node;
             node = ferry_xml_next(node))
            ferry_instance_add_obstacle(instance, blocking_devices[i].name,
                                        blocking_devices[i].message, blocking_devices[i].hint);
    }
}

static void
block_host_devices(FerryInstance *instance, const xmlNode *devices)
{
    for (const xmlNode *node = ferry_xml_child(devices, "hostdev"); node != NULL;
         node = ferry_xml_next(node)) {
        g_autofree char *type = attribute_or(node, "type", "unknown");
        block(instance, "host-device", "Detach it first: virsh detach-device",
              "The instance uses a device of this host (%s)", type);
    }
    for (const xmlNode *node = ferry_xml_child(devices, "input"); node != NULL;
         node = ferry_xml_next(node)) {
        if (ferry_xml_attribute_is(node, "type", "passthrough") ||
            ferry_xml_attribute_is(node, "type", "evdev"))
            block(instance, "host-device", "Detach it first: virsh detach-device",
                  "The instance uses an input device of this host");
    }
}

/* Memory that lies in a file of the host: its content would have to travel like a disk's. */
static void
block_memory_files(FerryInstance *instance, const xmlNode *devices)
{
    for (const xmlNode *node = ferry_xml_child(devices, "memory"); node != NULL;
         node = ferry_xml_next(node)) {
        g_autofree char *model = attribute_or(node, "model", "");
        if (g_strcmp0(model, "nvdimm") == 0 || g_strcmp0(model, "virtio-pmem") == 0)
            block(instance, "memory-file", "Detach it first: virsh detach-device",
                  "The instance has memory in a file of this host (%s)", model);
    }
}

static void
block_parts(FerryInstance *instance, const xmlNode *domain, const xmlNode *devices)
{
    ferry_domxml_read_firmware(instance, domain);
    block_host_devices(instance, devices);
    block_memory_files(instance, devices);
    block_devices(instance, devices);
    block_filesystems(instance, devices);
    if (ferry_xml_child(domain, "launchSecurity"))
        block(instance, "launch-security", "Shut it off and define it on the other host by hand",
              "The instance's memory is encrypted with a key of this host's processor");
}

/* --- the domain ------------------------------------------------------------------------------- */

static bool
read_identity(FerryInstance *instance, const xmlNode *domain, GError **error)
{
    instance->name = ferry_xml_text(ferry_xml_child(domain, "name"));
    g_autofree char *uuid = ferry_xml_text(ferry_xml_child(domain, "uuid"));
    if (!instance->name || strpbrk(instance->name, "/\n\r\t"))
        return refuse(error, "it has no name, or one that libvirt does not take");
    if (!uuid || !g_uuid_string_is_valid(uuid))
        return refuse(error, "it has no UUID");
    instance->uuid = g_ascii_strdown(uuid, -1);
    return true;
}

/* How many the guest has now: `current` is there when fewer than the maximum are plugged. */
static bool
read_vcpus(FerryInstance *instance, const xmlNode *domain, GError **error)
{
    const xmlNode *node = ferry_xml_child(domain, "vcpu");
    g_autofree char *current = ferry_xml_attribute(node, "current");
    g_autofree char *maximum = ferry_xml_text(node);
    const char *text = current ? current : maximum;
    guint64 vcpus = 1;
    if (text && !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &vcpus, NULL))
        return refuse(error, "the number of its vcpus is none");
    instance->vcpus = (guint)vcpus;
    return true;
}

static void
read_machine(FerryInstance *instance, const xmlNode *domain, const xmlNode *devices)
{
    const xmlNode *type = ferry_xml_child(ferry_xml_child(domain, "os"), "type");
    instance->virt_type = ferry_xml_attribute(domain, "type");
    instance->arch = ferry_xml_attribute(type, "arch");
    instance->machine = ferry_xml_attribute(type, "machine");
    instance->emulator = ferry_xml_text(ferry_xml_child(devices, "emulator"));
    const xmlNode *cpu = ferry_xml_child(domain, "cpu");
    if (cpu)
        instance->cpu_xml = ferry_xml_dump(cpu);
}

FerryInstance *
ferry_domxml_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, error);
    if (!document)
        return NULL;
    const xmlNode *domain = xmlDocGetRootElement(document);
    const xmlNode *devices = ferry_xml_child(domain, "devices");
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    if (!read_identity(instance, domain, error) || !read_vcpus(instance, domain, error) ||
        !ferry_xml_bytes(ferry_xml_child(domain, "memory"), "KiB", &instance->memory_bytes,
                         error) ||
        !read_disks(instance, devices, error))
        return NULL;
    read_machine(instance, domain, devices);
    read_interfaces(instance, devices);
    block_parts(instance, domain, devices);
    return g_steal_pointer(&instance);
}

/* --- secrets ---------------------------------------------------------------------------------- */

static void
redact(xmlNode *node)
{
    for (xmlAttr *attribute = node->properties; attribute; attribute = attribute->next) {
        if (strcmp((const char *)attribute->name, "passwd") == 0)
            xmlNodeSetContent((xmlNode *)attribute, BAD_CAST "");
    }
    for (xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            redact(child);
    }
}

char *
ferry_domxml_redact(const char *xml)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, /* error= */ NULL);
    if (!document)
        return NULL;
    xmlNode *domain = xmlDocGetRootElement(document);
    redact(domain);
    return ferry_xml_dump(domain);
}
