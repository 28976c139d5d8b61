#include "config.h"

#include "xml/domain-needs.h"

#include "xml/document.h"
#include "xml/domain-folder.h"

#define MAX_BYTES (1024 * 1024)

/* --- values ----------------------------------------------------------------------------------- */

static void
listen_free(gpointer data)
{
    FerryListenNeed *listen = data;

    g_free(listen->type);
    g_free(listen->address);
    g_free(listen);
}

static void
link_free(gpointer data)
{
    FerryLinkNeed *link = data;

    g_free(link->name);
    g_free(link->user);
    g_free(link);
}

static void
secret_free(gpointer data)
{
    FerrySecretNeed *secret = data;

    g_free(secret->uuid);
    g_free(secret->usage);
    g_free(secret->type);
    g_free(secret->user);
    g_free(secret);
}

static void
folder_free(gpointer data)
{
    FerryFolderNeed *folder = data;

    g_free(folder->path);
    g_free(folder->tag);
    g_free(folder);
}

static FerryGuestNeeds *
needs_new(void)
{
    FerryGuestNeeds *needs = g_new0(FerryGuestNeeds, 1);

    needs->listens = g_ptr_array_new_with_free_func(listen_free);
    needs->links = g_ptr_array_new_with_free_func(link_free);
    needs->secrets = g_ptr_array_new_with_free_func(secret_free);
    needs->folders = g_ptr_array_new_with_free_func(folder_free);
    needs->huge_pages = g_array_new(FALSE, FALSE, sizeof(guint64));
    return needs;
}

void
ferry_guest_needs_free(FerryGuestNeeds *needs)
{
    if (!needs)
        return;
    g_ptr_array_unref(needs->listens);
    g_ptr_array_unref(needs->links);
    g_ptr_array_unref(needs->secrets);
    g_ptr_array_unref(needs->folders);
    g_array_unref(needs->huge_pages);
    g_free(needs);
}

/* --- displays --------------------------------------------------------------------------------- */

/* A port that the XML fixes; what libvirt chooses shows as -1 or with autoport. */
static guint
fixed_port(const xmlNode *graphics)
{
    g_autofree char *text = ferry_xml_attribute(graphics, "port");
    guint64 port = 0;

    if (!text || ferry_xml_attribute_is(graphics, "autoport", "yes") ||
        !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &port, NULL))
        return 0;
    return (guint)port;
}

static void
add_link(FerryGuestNeeds *needs, FerryLinkKind kind, char *name, char *user)
{
    FerryLinkNeed *link = g_new0(FerryLinkNeed, 1);

    link->kind = kind;
    link->name = name;
    link->user = user;
    g_ptr_array_add(needs->links, link);
}

static void
read_listen(FerryGuestNeeds *needs, const xmlNode *graphics, const xmlNode *listen)
{
    g_autofree char *type = ferry_xml_attribute(graphics, "type");
    g_autofree char *address = ferry_xml_attribute(listen, "address");
    char *network = ferry_xml_attribute(listen, "network");

    /* The address of a network's listen is that of the source's end of it. */
    if (network) {
        add_link(needs, FERRY_LINK_NETWORK, network,
                 g_strdup_printf("%s display", type ? type : "a"));
        return;
    }
    if (!address)
        return;

    FerryListenNeed *need = g_new0(FerryListenNeed, 1);

    need->is_display = true;
    need->type = g_steal_pointer(&type);
    need->address = g_steal_pointer(&address);
    need->port = fixed_port(graphics);
    g_ptr_array_add(needs->listens, need);
}

static void
read_displays(FerryGuestNeeds *needs, const xmlNode *devices)
{
    for (const xmlNode *graphics = ferry_xml_child(devices, "graphics"); graphics;
         graphics = ferry_xml_next(graphics))
        for (const xmlNode *listen = ferry_xml_child(graphics, "listen"); listen;
             listen = ferry_xml_next(listen))
            read_listen(needs, graphics, listen);
}

/* --- serial ports and their kin --------------------------------------------------------------- */

static guint
port_of(const xmlNode *device, const xmlNode *source)
{
    g_autofree char *text = ferry_xml_attribute(source, "service");
    guint64 port = 0;

    return text && ferry_xml_attribute_is(device, "type", "tcp") &&
                   g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &port, NULL)
               ? (guint)port
               : 0;
}

/* A console is often the first serial port once more. */
static bool
is_known(const FerryGuestNeeds *needs, const char *address, guint port)
{
    for (guint i = 0; i < needs->listens->len; i++) {
        const FerryListenNeed *need = g_ptr_array_index(needs->listens, i);

        if (!need->is_display && need->port == port && g_strcmp0(need->address, address) == 0)
            return true;
    }
    return false;
}

static void
read_ports(FerryGuestNeeds *needs, const xmlNode *device)
{
    for (const xmlNode *source = ferry_xml_child(device, "source"); source;
         source = ferry_xml_next(source)) {
        g_autofree char *address = ferry_xml_attribute_is(source, "mode", "bind")
                                       ? ferry_xml_attribute(source, "host")
                                       : NULL;
        guint port = port_of(device, source);

        if (!address || is_known(needs, address, port))
            continue;

        FerryListenNeed *need = g_new0(FerryListenNeed, 1);

        need->type = g_strdup((const char *)device->name);
        need->address = g_steal_pointer(&address);
        need->port = port;
        g_ptr_array_add(needs->listens, need);
    }
}

/* --- interfaces ------------------------------------------------------------------------------- */

static void
read_interface(FerryGuestNeeds *needs, const xmlNode *interface)
{
    static const struct {
        const char *type;
        const char *attribute;
        FerryLinkKind kind;
    } kinds[] = {{"network", "network", FERRY_LINK_NETWORK},
                 {"bridge", "bridge", FERRY_LINK_BRIDGE},
                 {"direct", "dev", FERRY_LINK_DEVICE}};
    const xmlNode *source = ferry_xml_child(interface, "source");
    g_autofree char *mac = ferry_xml_attribute(ferry_xml_child(interface, "mac"), "address");

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        char *name = ferry_xml_attribute_is(interface, "type", kinds[i].type)
                         ? ferry_xml_attribute(source, kinds[i].attribute)
                         : NULL;

        if (name)
            add_link(needs, kinds[i].kind, name,
                     g_strdup_printf("interface %s", mac ? mac : "without address"));
    }
}

/* --- secrets ---------------------------------------------------------------------------------- */

static void
add_secret(FerryGuestNeeds *needs, const xmlNode *node, const char *type, const char *user)
{
    g_autofree char *uuid = ferry_xml_attribute(node, "uuid");
    g_autofree char *usage = ferry_xml_attribute(node, "usage");

    if (!uuid && !usage)
        return;

    FerrySecretNeed *secret = g_new0(FerrySecretNeed, 1);

    secret->uuid = g_steal_pointer(&uuid);
    secret->usage = g_steal_pointer(&usage);
    secret->type = g_strdup(type);
    secret->user = g_strdup(user);
    g_ptr_array_add(needs->secrets, secret);
}

/* <encryption> and <auth> stand in a disk, in its <source>, and in each of its backing files. */
static void
read_disk_secrets(FerryGuestNeeds *needs, const xmlNode *parent, const char *user)
{
    const xmlNode *encryption = ferry_xml_child(parent, "encryption");
    const xmlNode *secret = ferry_xml_child(ferry_xml_child(parent, "auth"), "secret");
    g_autofree char *type = ferry_xml_attribute(secret, "type");

    for (const xmlNode *each = ferry_xml_child(encryption, "secret"); each;
         each = ferry_xml_next(each))
        add_secret(needs, each, "volume", user);
    add_secret(needs, secret, type, user);
}

static void
read_disk(FerryGuestNeeds *needs, const xmlNode *disk)
{
    g_autofree char *target = ferry_xml_attribute(ferry_xml_child(disk, "target"), "dev");
    g_autofree char *user = g_strdup_printf("disk %s", target ? target : "without target");

    for (const xmlNode *image = disk; image; image = ferry_xml_child(image, "backingStore")) {
        read_disk_secrets(needs, image, user);
        read_disk_secrets(needs, ferry_xml_child(image, "source"), user);
    }
}

static void
read_tpm(FerryGuestNeeds *needs, const xmlNode *tpm)
{
    const xmlNode *backend = ferry_xml_child(tpm, "backend");
    const xmlNode *encryption = ferry_xml_child(backend, "encryption");
    g_autofree char *uuid = ferry_xml_attribute(encryption, "secret");

    if (!uuid)
        return;

    FerrySecretNeed *secret = g_new0(FerrySecretNeed, 1);

    secret->uuid = g_steal_pointer(&uuid);
    secret->type = g_strdup("vtpm");
    secret->user = g_strdup("the TPM");
    g_ptr_array_add(needs->secrets, secret);
}

/* --- folders ---------------------------------------------------------------------------------- */

static void
read_folder(FerryGuestNeeds *needs, const xmlNode *filesystem)
{
    g_autofree char *path = ferry_xml_attribute(ferry_xml_child(filesystem, "source"), "dir");

    if (!path || !ferry_domxml_is_9p(filesystem))
        return;

    FerryFolderNeed *folder = g_new0(FerryFolderNeed, 1);

    folder->path = g_steal_pointer(&path);
    folder->tag = ferry_xml_attribute(ferry_xml_child(filesystem, "target"), "dir");
    g_ptr_array_add(needs->folders, folder);
}

/* --- memory ----------------------------------------------------------------------------------- */

static bool
read_huge_pages(FerryGuestNeeds *needs, const xmlNode *domain, GError **error)
{
    const xmlNode *huge = ferry_xml_child(ferry_xml_child(domain, "memoryBacking"), "hugepages");
    const xmlNode *page = ferry_xml_child(huge, "page");
    guint64 size = 0;

    if (huge && !page)
        g_array_append_val(needs->huge_pages, size);
    for (; page; page = ferry_xml_next(page)) {
        if (!ferry_xml_attribute_bytes(page, "size", "KiB", &size, error))
            return false;
        g_array_append_val(needs->huge_pages, size);
    }
    return true;
}

/* --- all -------------------------------------------------------------------------------------- */

FerryGuestNeeds *
ferry_guest_needs_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml ? ferry_xml_parse(xml, "domain", MAX_BYTES, error) : NULL;

    if (!document)
        return xml ? NULL : needs_new();

    g_autoptr(FerryGuestNeeds) needs = needs_new();
    const xmlNode *domain = xmlDocGetRootElement(document);
    const xmlNode *devices = ferry_xml_child(domain, "devices");

    read_displays(needs, devices);
    for (const xmlNode *node = devices ? devices->children : NULL; node; node = node->next)
        read_ports(needs, node);
    for (const xmlNode *node = ferry_xml_child(devices, "interface"); node;
         node = ferry_xml_next(node))
        read_interface(needs, node);
    for (const xmlNode *node = ferry_xml_child(devices, "disk"); node; node = ferry_xml_next(node))
        read_disk(needs, node);
    for (const xmlNode *node = ferry_xml_child(devices, "tpm"); node; node = ferry_xml_next(node))
        read_tpm(needs, node);
    for (const xmlNode *node = ferry_xml_child(devices, "filesystem"); node;
         node = ferry_xml_next(node))
        read_folder(needs, node);
    return read_huge_pages(needs, domain, error) ? g_steal_pointer(&needs) : NULL;
}
