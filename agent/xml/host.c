#include "config.h"

#include "xml/host.h"

#include "xml/document.h"

/* From the local libvirt: big hosts describe each cell and processor. */
#define MAX_BYTES (8 * 1024 * 1024)

/* What guests of one architecture can be made of. */
typedef struct {
    char *arch;
    GHashTable *emulators;
    GHashTable *machines;
    GHashTable *virt_types;
} Guest;

struct FerryHostCapabilities {
    char *uuid;
    char *arch;
    char *cpu_model;
    char *cpu_vendor;
    GPtrArray *guests; /* Guest */
};

static GHashTable *
new_set(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, /* value_destroy= */ NULL);
}

static void
guest_free(gpointer data)
{
    Guest *guest = data;
    g_free(guest->arch);
    g_hash_table_unref(guest->emulators);
    g_hash_table_unref(guest->machines);
    g_hash_table_unref(guest->virt_types);
    g_free(guest);
}

void
ferry_host_capabilities_free(FerryHostCapabilities *capabilities)
{
    if (!capabilities)
        return;
    g_free(capabilities->uuid);
    g_free(capabilities->arch);
    g_free(capabilities->cpu_model);
    g_free(capabilities->cpu_vendor);
    g_ptr_array_unref(capabilities->guests);
    g_free(capabilities);
}

static void
add_to_set(GHashTable *set, char *text)
{
    if (text)
        g_hash_table_add(set, text);
}

/* <emulator> and <machine> stand below <arch>, and again below a <domain> where that virt type
 * has others. */
static void
read_machines(Guest *guest, const xmlNode *parent)
{
    add_to_set(guest->emulators, ferry_xml_text(ferry_xml_child(parent, "emulator")));
    for (const xmlNode *machine = ferry_xml_child(parent, "machine"); machine != NULL;
         machine = ferry_xml_next(machine)) {
        add_to_set(guest->machines, ferry_xml_text(machine));
        add_to_set(guest->machines, ferry_xml_attribute(machine, "canonical"));
    }
}

static Guest *
read_guest(const xmlNode *arch)
{
    Guest *guest = g_new0(Guest, 1);
    guest->arch = ferry_xml_attribute(arch, "name");
    guest->emulators = new_set();
    guest->machines = new_set();
    guest->virt_types = new_set();
    read_machines(guest, arch);
    for (const xmlNode *domain = ferry_xml_child(arch, "domain"); domain != NULL;
         domain = ferry_xml_next(domain)) {
        add_to_set(guest->virt_types, ferry_xml_attribute(domain, "type"));
        read_machines(guest, domain);
    }
    return guest;
}

FerryHostCapabilities *
ferry_host_capabilities_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "capabilities", MAX_BYTES, error);
    if (!document)
        return NULL;
    const xmlNode *root = xmlDocGetRootElement(document);
    const xmlNode *host = ferry_xml_child(root, "host");
    const xmlNode *cpu = ferry_xml_child(host, "cpu");
    FerryHostCapabilities *capabilities = g_new0(FerryHostCapabilities, 1);
    capabilities->uuid = ferry_xml_text(ferry_xml_child(host, "uuid"));
    capabilities->arch = ferry_xml_text(ferry_xml_child(cpu, "arch"));
    capabilities->cpu_model = ferry_xml_text(ferry_xml_child(cpu, "model"));
    capabilities->cpu_vendor = ferry_xml_text(ferry_xml_child(cpu, "vendor"));
    capabilities->guests = g_ptr_array_new_with_free_func(guest_free);
    for (const xmlNode *guest = ferry_xml_child(root, "guest"); guest != NULL;
         guest = ferry_xml_next(guest)) {
        const xmlNode *arch = ferry_xml_child(guest, "arch");
        if (arch)
            g_ptr_array_add(capabilities->guests, read_guest(arch));
    }
    return capabilities;
}

const char *
ferry_host_capabilities_uuid(const FerryHostCapabilities *capabilities)
{
    return capabilities->uuid;
}

const char *
ferry_host_capabilities_arch(const FerryHostCapabilities *capabilities)
{
    return capabilities->arch;
}

const char *
ferry_host_capabilities_cpu_model(const FerryHostCapabilities *capabilities)
{
    return capabilities->cpu_model;
}

const char *
ferry_host_capabilities_cpu_vendor(const FerryHostCapabilities *capabilities)
{
    return capabilities->cpu_vendor;
}

typedef enum { EMULATORS, MACHINES, VIRT_TYPES } SetKind;

static GHashTable *
set_of(const Guest *guest, SetKind kind)
{
    switch (kind) {
    case EMULATORS:
        return guest->emulators;
    case MACHINES:
        return guest->machines;
    case VIRT_TYPES:
        return guest->virt_types;
    }
    g_return_val_if_reached(NULL);
}

/* One architecture may be described by several <guest> elements (os types). */
static bool
contains(const FerryHostCapabilities *capabilities,
         const char *arch,
         SetKind kind,
         const char *value)
{
    for (guint i = 0; value && i < capabilities->guests->len; i++) {
        const Guest *guest = g_ptr_array_index(capabilities->guests, i);
        if (g_strcmp0(guest->arch, arch) == 0 && g_hash_table_contains(set_of(guest, kind), value))
            return true;
    }
    return false;
}

bool
ferry_host_capabilities_has_emulator(const FerryHostCapabilities *capabilities,
                                     const char *arch,
                                     const char *emulator)
{
    return contains(capabilities, arch, EMULATORS, emulator);
}

bool
ferry_host_capabilities_has_machine(const FerryHostCapabilities *capabilities,
                                    const char *arch,
                                    const char *machine)
{
    return contains(capabilities, arch, MACHINES, machine);
}

GStrv
ferry_host_capabilities_machines(const FerryHostCapabilities *capabilities, const char *arch)
{
    g_autoptr(GStrvBuilder) machines = g_strv_builder_new();

    for (guint i = 0; i < capabilities->guests->len; i++) {
        const Guest *guest = g_ptr_array_index(capabilities->guests, i);
        GHashTableIter iter;
        gpointer machine = NULL;

        g_hash_table_iter_init(&iter, guest->machines);
        while (g_strcmp0(guest->arch, arch) == 0 && g_hash_table_iter_next(&iter, &machine, NULL))
            g_strv_builder_add(machines, machine);
    }
    return g_strv_builder_end(machines);
}

bool
ferry_host_capabilities_has_virt_type(const FerryHostCapabilities *capabilities,
                                      const char *arch,
                                      const char *virt_type)
{
    return contains(capabilities, arch, VIRT_TYPES, virt_type);
}

/* --- domain capabilities ---------------------------------------------------------------------- */

static void
read_models(FerryDomainCapabilities *capabilities, const xmlNode *mode)
{
    g_autoptr(GStrvBuilder) usable = g_strv_builder_new();
    g_autoptr(GStrvBuilder) known = g_strv_builder_new();
    for (const xmlNode *model = ferry_xml_child(mode, "model"); model != NULL;
         model = ferry_xml_next(model)) {
        g_autofree char *name = ferry_xml_text(model);
        if (!name)
            continue;
        g_strv_builder_add(known, name);
        if (ferry_xml_attribute_is(model, "usable", "yes"))
            g_strv_builder_add(usable, name);
    }
    capabilities->usable_models = g_strv_builder_end(usable);
    capabilities->known_models = g_strv_builder_end(known);
}

static const xmlNode *
find_mode(const xmlNode *cpu, const char *name)
{
    for (const xmlNode *mode = ferry_xml_child(cpu, "mode"); mode != NULL;
         mode = ferry_xml_next(mode)) {
        if (ferry_xml_attribute_is(mode, "name", name))
            return mode;
    }
    return NULL;
}

static bool
is_supported(const xmlNode *mode)
{
    return ferry_xml_attribute_is(mode, "supported", "yes");
}

static char **
read_values(const xmlNode *list)
{
    g_autoptr(GStrvBuilder) values = g_strv_builder_new();
    for (const xmlNode *value = ferry_xml_child(list, "value"); value != NULL;
         value = ferry_xml_next(value)) {
        g_autofree char *text = ferry_xml_text(value);
        if (text)
            g_strv_builder_add(values, text);
    }
    return g_strv_builder_end(values);
}

static void
free_values(gpointer values)
{
    g_strfreev(values);
}

/* <tpm supported='yes'><enum name='backendModel'><value>emulator</value>. */
static GHashTable *
read_devices(const xmlNode *devices)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_values);
    for (const xmlNode *device = devices ? devices->children : NULL; device;
         device = device->next) {
        for (const xmlNode *list = ferry_xml_child(device, "enum"); list != NULL;
             list = ferry_xml_next(list)) {
            g_autofree char *name = ferry_xml_attribute(list, "name");
            if (name)
                g_hash_table_insert(table, g_strconcat((const char *)device->name, "/", name, NULL),
                                    read_values(list));
        }
    }
    return table;
}

const char *const *
ferry_domain_capabilities_values(const FerryDomainCapabilities *capabilities,
                                 const char *device,
                                 const char *list)
{
    g_autofree char *key = g_strconcat(device, "/", list, NULL);
    return g_hash_table_lookup(capabilities->devices, key);
}

static bool
has_tpm_emulator(const FerryDomainCapabilities *capabilities)
{
    const char *const *models =
        ferry_domain_capabilities_values(capabilities, "tpm", "backendModel");
    return models && g_strv_contains(models, "emulator");
}

FerryDomainCapabilities *
ferry_domain_capabilities_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domainCapabilities", MAX_BYTES, error);
    if (!document)
        return NULL;
    const xmlNode *root = xmlDocGetRootElement(document);
    const xmlNode *cpu = ferry_xml_child(root, "cpu");
    const xmlNode *host_model = find_mode(cpu, "host-model");
    const xmlNode *custom = find_mode(cpu, "custom");
    FerryDomainCapabilities *capabilities = g_new0(FerryDomainCapabilities, 1);
    capabilities->emulator = ferry_xml_text(ferry_xml_child(root, "path"));
    capabilities->virt_type = ferry_xml_text(ferry_xml_child(root, "domain"));
    capabilities->machine = ferry_xml_text(ferry_xml_child(root, "machine"));
    capabilities->arch = ferry_xml_text(ferry_xml_child(root, "arch"));
    g_autofree char *max_vcpus = ferry_xml_attribute(ferry_xml_child(root, "vcpu"), "max");
    guint64 vcpus = 0;
    if (max_vcpus &&
        g_ascii_string_to_unsigned(max_vcpus, 10, 0, G_MAXUINT32, &vcpus, /* error= */ NULL))
        capabilities->max_vcpus = (guint)vcpus;
    capabilities->host_passthrough = is_supported(find_mode(cpu, "host-passthrough"));
    capabilities->host_model = is_supported(host_model);
    capabilities->custom = is_supported(custom);
    capabilities->devices = read_devices(ferry_xml_child(root, "devices"));
    capabilities->tpm_emulator = has_tpm_emulator(capabilities);
    capabilities->host_model_name = ferry_xml_text(ferry_xml_child(host_model, "model"));
    read_models(capabilities, custom);
    return capabilities;
}

void
ferry_domain_capabilities_free(FerryDomainCapabilities *capabilities)
{
    if (!capabilities)
        return;
    g_free(capabilities->emulator);
    g_free(capabilities->virt_type);
    g_free(capabilities->machine);
    g_free(capabilities->arch);
    g_free(capabilities->host_model_name);
    g_strfreev(capabilities->usable_models);
    g_strfreev(capabilities->known_models);
    g_hash_table_unref(capabilities->devices);
    g_free(capabilities);
}
