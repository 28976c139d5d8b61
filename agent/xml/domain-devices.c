#include "config.h"

#include "xml/domain-devices.h"

#include "xml/document.h"

#include <string.h>

#define MAX_BYTES (1024 * 1024)

/* --- values ----------------------------------------------------------------------------------- */

static void
kind_free(gpointer data)
{
    FerryDeviceKind *kind = data;

    g_free(kind->value);
    g_free(kind);
}

static void
path_free(gpointer data)
{
    FerryDevicePath *path = data;

    g_free(path->path);
    g_free(path->user);
    g_free(path);
}

void
ferry_device_needs_free(FerryDeviceNeeds *needs)
{
    if (!needs)
        return;
    g_ptr_array_unref(needs->kinds);
    g_ptr_array_unref(needs->paths);
    g_ptr_array_unref(needs->filters);
    g_free(needs->nvram_template);
    g_free(needs);
}

/* --- kinds ------------------------------------------------------------------------------------ */

static bool
is_one_of(const char *const *known, const char *value)
{
    return !known || g_strv_contains(known, value);
}

static void
add_kind(FerryDeviceNeeds *needs, const char *element, const char *list, char *value)
{
    for (guint i = 0; i < needs->kinds->len; i++) {
        const FerryDeviceKind *known = g_ptr_array_index(needs->kinds, i);

        if (strcmp(known->element, element) == 0 && strcmp(known->value, value) == 0) {
            g_free(value);
            return;
        }
    }

    FerryDeviceKind *kind = g_new0(FerryDeviceKind, 1);

    kind->element = element;
    kind->list = list;
    kind->value = value;
    g_ptr_array_add(needs->kinds, kind);
}

/* libvirt's lists of channels and buses leave out some that every QEMU has. */
static const char *const told_channels[] = {"spicevmc", "qemu-vdagent", "dbus", NULL};
static const char *const told_buses[] = {"fdc", "ide", "sata", "scsi", "usb", "virtio", NULL};

static void
read_kinds(FerryDeviceNeeds *needs, const xmlNode *devices)
{
    static const struct {
        const char *element;
        const char *child; /* NULL: the attribute is the element's own */
        const char *attribute;
        const char *list;
        const char *const *told; /* the values that the list is complete for; NULL: all */
    } table[] = {
        {"graphics", NULL, "type", "type", NULL},
        {"video", "model", "type", "modelType", NULL},
        {"channel", NULL, "type", "type", told_channels},
        {"panic", NULL, "model", "model", NULL},
        {"tpm", NULL, "model", "model", NULL},
        {"disk", "target", "bus", "bus", told_buses},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        for (const xmlNode *node = ferry_xml_child(devices, table[i].element); node;
             node = ferry_xml_next(node)) {
            const xmlNode *at = table[i].child ? ferry_xml_child(node, table[i].child) : node;
            g_autofree char *value = ferry_xml_attribute(at, table[i].attribute);

            if (value && is_one_of(table[i].told, value))
                add_kind(needs, table[i].element, table[i].list, g_steal_pointer(&value));
        }
}

/* --- paths ------------------------------------------------------------------------------------ */

/* libvirt names and makes these itself, for each start. */
static bool
is_libvirts_own(const char *path)
{
    return strstr(path, "/libvirt/qemu/channel/") != NULL;
}

static void
add_path(FerryDeviceNeeds *needs, char *path, bool itself, const char *what, const char *element)
{
    bool known = !path || is_libvirts_own(path);

    for (guint i = 0; !known && i < needs->paths->len; i++)
        known = strcmp(((FerryDevicePath *)g_ptr_array_index(needs->paths, i))->path, path) == 0;
    if (known) {
        g_free(path);
        return;
    }

    FerryDevicePath *need = g_new0(FerryDevicePath, 1);

    need->path = path;
    need->itself = itself;
    need->user = g_strconcat(what, element, NULL);
    g_ptr_array_add(needs->paths, need);
}

/* A file or a socket that listens is made; a pipe, a device, a socket of somebody else is there. */
static bool
has_to_be_there(const xmlNode *device, const xmlNode *source)
{
    return ferry_xml_attribute_is(device, "type", "pipe") ||
           ferry_xml_attribute_is(device, "type", "dev") ||
           (ferry_xml_attribute_is(device, "type", "unix") &&
            ferry_xml_attribute_is(source, "mode", "connect"));
}

static void
read_paths(FerryDeviceNeeds *needs, const xmlNode *devices)
{
    static const char *const elements[] = {"serial", "parallel", "console", "channel", "redirdev"};

    for (gsize i = 0; i < G_N_ELEMENTS(elements); i++)
        for (const xmlNode *node = ferry_xml_child(devices, elements[i]); node;
             node = ferry_xml_next(node)) {
            const xmlNode *source = ferry_xml_child(node, "source");
            /* What a terminal was called is no need. */
            bool terminal = ferry_xml_attribute_is(node, "type", "pty");

            if (!terminal)
                add_path(needs, ferry_xml_attribute(source, "path"), has_to_be_there(node, source),
                         "a ", elements[i]);
            add_path(needs, ferry_xml_attribute(ferry_xml_child(node, "log"), "file"), false,
                     "the log of a ", elements[i]);
        }
}

/* --- all -------------------------------------------------------------------------------------- */

static void
read_filters(FerryDeviceNeeds *needs, const xmlNode *devices)
{
    for (const xmlNode *node = ferry_xml_child(devices, "interface"); node;
         node = ferry_xml_next(node)) {
        g_autofree char *name = ferry_xml_attribute(ferry_xml_child(node, "filterref"), "filter");

        if (name && !g_ptr_array_find_with_equal_func(needs->filters, name, g_str_equal, NULL))
            g_ptr_array_add(needs->filters, g_steal_pointer(&name));
    }
}

static bool
has_scsi_iothread(const xmlNode *devices)
{
    for (const xmlNode *node = ferry_xml_child(devices, "controller"); node;
         node = ferry_xml_next(node)) {
        g_autofree char *thread = ferry_xml_attribute(ferry_xml_child(node, "driver"), "iothread");

        if (thread && ferry_xml_attribute_is(node, "type", "scsi"))
            return true;
    }
    return false;
}

FerryDeviceNeeds *
ferry_device_needs_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml ? ferry_xml_parse(xml, "domain", MAX_BYTES, error) : NULL;

    if (!document && xml)
        return NULL;

    const xmlNode *domain = document ? xmlDocGetRootElement(document) : NULL;
    const xmlNode *devices = ferry_xml_child(domain, "devices");
    const xmlNode *nvram = ferry_xml_child(ferry_xml_child(domain, "os"), "nvram");
    FerryDeviceNeeds *needs = g_new0(FerryDeviceNeeds, 1);

    needs->kinds = g_ptr_array_new_with_free_func(kind_free);
    needs->paths = g_ptr_array_new_with_free_func(path_free);
    needs->filters = g_ptr_array_new_with_free_func(g_free);
    needs->nvram_template = ferry_xml_attribute(nvram, "template");
    needs->scsi_iothread = has_scsi_iothread(devices);
    read_kinds(needs, devices);
    read_paths(needs, devices);
    read_filters(needs, devices);
    return needs;
}
