#include "config.h"

#include "xml/domain-edit.h"

#include "xml/document.h"

#include <string.h>

#define MAX_BYTES (1024 * 1024)

static const char *
place_attribute(const xmlNode *disk)
{
    return ferry_xml_attribute_is(disk, "type", "block") ? "dev" : "file";
}

static bool
is_volume(const xmlNode *disk)
{
    return ferry_xml_attribute_is(disk, "type", "volume");
}

static bool
has_place(const xmlNode *disk, const FerryDiskEdit *edit)
{
    const xmlNode *source = ferry_xml_child(disk, "source");
    if (!is_volume(disk))
        return ferry_xml_attribute_is(source, place_attribute(disk), edit->from);
    return edit->volume && ferry_xml_attribute_is(source, "pool", edit->pool) &&
           ferry_xml_attribute_is(source, "volume", edit->volume);
}

static bool
is_meant(const xmlNode *disk, const FerryDiskEdit *edit)
{
    return (!edit->target ||
            ferry_xml_attribute_is(ferry_xml_child(disk, "target"), "dev", edit->target)) &&
           has_place(disk, edit);
}

static void
name_by_path(xmlNode *disk, const char *path)
{
    xmlNode *source = ferry_xml_child(disk, "source");
    ferry_xml_set(disk, "type", g_str_has_prefix(path, "/dev/") ? "block" : "file");
    ferry_xml_set(source, "pool", NULL);
    ferry_xml_set(source, "volume", NULL);
    ferry_xml_set(source, "mode", NULL);
    ferry_xml_set(source, place_attribute(disk), path);
}

static void
remove_child(xmlNode *node, const char *name)
{
    xmlNode *child = ferry_xml_child(node, name);
    if (child)
        ferry_xml_remove(child);
}

/* Where the XML says nothing the format is raw, and the attributes need an element to be in. */
static xmlNode *
ensure_driver(xmlNode *disk)
{
    xmlNode *driver = ferry_xml_child(disk, "driver");
    if (driver)
        return driver;
    driver = ferry_xml_add(disk, "driver", NULL);
    ferry_xml_set(driver, "name", "qemu");
    ferry_xml_set(driver, "type", "raw");
    return driver;
}

static void
set_format(xmlNode *disk, const char *format)
{
    xmlNode *driver = ensure_driver(disk);
    if (ferry_xml_attribute_is(driver, "type", format))
        return;
    ferry_xml_set(driver, "type", format);
    /* A cache of qcow2's tables: libvirt refuses it with any other format. */
    remove_child(driver, "metadata_cache");
}

static void
edit_disk(xmlNode *disk, const FerryDiskEdit *edit)
{
    if (is_volume(disk))
        name_by_path(disk, edit->path);
    if (strcmp(edit->path, edit->from) != 0) {
        ferry_xml_set(ferry_xml_child(disk, "source"), place_attribute(disk), edit->path);
        remove_child(disk, "backingStore");
    }
    set_format(disk, edit->format);
    if (edit->unmap)
        ferry_xml_set(ensure_driver(disk), "discard", "unmap");
    if (edit->detect_zeroes)
        ferry_xml_set(ensure_driver(disk), "detect_zeroes", "unmap");
}

char *
ferry_domxml_edit(
    const char *xml, const FerryDiskEdit *edits, guint count, guint *ret_edited, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, error);
    if (!document)
        return NULL;
    xmlNode *domain = xmlDocGetRootElement(document);
    const xmlNode *devices = ferry_xml_child(domain, "devices");
    guint edited = 0;
    for (xmlNode *disk = ferry_xml_child(devices, "disk"); disk != NULL;
         disk = ferry_xml_next(disk)) {
        for (guint i = 0; i < count; i++) {
            if (!is_meant(disk, &edits[i]))
                continue;
            edit_disk(disk, &edits[i]);
            edited++;
            break;
        }
    }
    if (ret_edited)
        *ret_edited = edited;
    return ferry_xml_dump(domain);
}

char *
ferry_domxml_name_volumes_by_path(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, error);
    if (!document)
        return NULL;
    xmlNode *domain = xmlDocGetRootElement(document);
    const xmlNode *devices = ferry_xml_child(domain, "devices");
    for (xmlNode *disk = ferry_xml_child(devices, "disk"); disk != NULL;
         disk = ferry_xml_next(disk)) {
        const xmlNode *source = ferry_xml_child(disk, "source");
        g_autofree char *volume = ferry_xml_attribute(source, "volume");
        g_autofree char *path = volume ? g_strconcat("/", volume, NULL) : NULL;
        if (is_volume(disk) && path)
            name_by_path(disk, path);
    }
    return ferry_xml_dump(domain);
}

/* --- listeners -------------------------------------------------------------------------------- */

static void
move(xmlNode *node, const char *attribute, const json_t *addresses)
{
    g_autofree char *address = ferry_xml_attribute(node, attribute);
    const char *to = address ? json_string_value(json_object_get(addresses, address)) : NULL;

    if (to)
        ferry_xml_set(node, attribute, to);
}

static void
move_display(xmlNode *graphics, const json_t *addresses)
{
    move(graphics, "listen", addresses);
    for (xmlNode *listen = ferry_xml_child(graphics, "listen"); listen;
         listen = ferry_xml_next(listen))
        if (ferry_xml_attribute_is(listen, "type", "address"))
            move(listen, "address", addresses);
}

/* Serial ports and their kin: any device whose source binds. */
static void
move_port(xmlNode *device, const json_t *addresses)
{
    for (xmlNode *source = ferry_xml_child(device, "source"); source;
         source = ferry_xml_next(source))
        if (ferry_xml_attribute_is(source, "mode", "bind"))
            move(source, "host", addresses);
}

char *
ferry_domxml_move_listeners(const char *xml, const json_t *addresses, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, error);

    if (!document)
        return NULL;

    xmlNode *domain = xmlDocGetRootElement(document);
    xmlNode *devices = ferry_xml_child(domain, "devices");

    for (xmlNode *device = devices ? devices->children : NULL; device; device = device->next) {
        move_display(device, addresses);
        move_port(device, addresses);
    }
    return ferry_xml_dump(domain);
}

char *
ferry_domxml_leave_scsi_iothreads(const char *xml, guint *ret_left, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, error);
    if (!document)
        return NULL;
    xmlNode *domain = xmlDocGetRootElement(document);
    const xmlNode *devices = ferry_xml_child(domain, "devices");
    *ret_left = 0;
    for (xmlNode *controller = ferry_xml_child(devices, "controller"); controller;
         controller = ferry_xml_next(controller)) {
        xmlNode *driver = ferry_xml_child(controller, "driver");
        if (!ferry_xml_attribute_is(controller, "type", "scsi") || !driver ||
            xmlUnsetProp(driver, BAD_CAST "iothread") != 0)
            continue;
        /* QEMU's default, and what an iothread needs: the guest sees no difference. Without any
         * attribute libvirt would lose the element on the way, and then take the two documents for
         * different machines. */
        ferry_xml_set(driver, "ioeventfd", "on");
        (*ret_left)++;
    }
    return ferry_xml_dump(domain);
}
