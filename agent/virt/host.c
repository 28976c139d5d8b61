#include "config.h"

#include "virt/host.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/machine-hint.h"
#include "model/paths.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/error.h"
#include "virt/passing-pool.h"
#include "xml/host.h"
#include "xml/volume.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

/* --- what a guest needs ----------------------------------------------------------------------- */

/* libvirtd runs an emulator to ask what it can. So one that a stranger names has to be QEMU by its
 * name, and root's. */
bool
ferry_virt_host_may_ask_emulator(const char *emulator)
{
    g_autofree char *name = emulator ? g_path_get_basename(emulator) : NULL;

    return name && (strstr(name, "qemu") || strstr(name, "kvm")) && ferry_path_is_roots(emulator);
}

/* NULL: libvirt's own choice. */
static const char *
emulator_of(const FerryInstance *instance)
{
    return ferry_virt_host_may_ask_emulator(instance->emulator) ? instance->emulator : NULL;
}

/* A CPU that names a model can be compared; host-passthrough and maximum name none. */
static bool
names_a_model(const char *cpu_xml)
{
    return cpu_xml && strstr(cpu_xml, "<model");
}

FerryCpuMatch
ferry_virt_host_compare_cpu(virConnectPtr connection, const FerryInstance *instance, GError **error)
{
    unsigned int flags = VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE;

    if (!names_a_model(instance->cpu_xml))
        return FERRY_CPU_NOT_COMPARABLE;

    int match = virConnectCompareHypervisorCPU(connection, emulator_of(instance), instance->arch,
                                               instance->machine, instance->virt_type,
                                               instance->cpu_xml, flags);

    if (match == VIR_CPU_COMPARE_IDENTICAL || match == VIR_CPU_COMPARE_SUPERSET)
        return FERRY_CPU_FITS;
    ferry_error_from_virt(error, FERRY_ERROR_INVALID_CPU_INFO,
                          "The CPU of '%s' is not available on this host", instance->name);
    if (error)
        ferry_error_set_hint(*error,
                             "Choose a host with the same or a newer CPU, or give the domain a CPU "
                             "model that both have");
    return FERRY_CPU_DIFFERS;
}

static void
hint_at_machines(virConnectPtr connection, const FerryInstance *instance, GError *error)
{
    char *raw = virConnectGetCapabilities(connection);
    g_autofree char *xml = raw;
    g_autoptr(FerryHostCapabilities) able = raw ? ferry_host_capabilities_parse(xml, NULL) : NULL;
    g_auto(GStrv) known = able ? ferry_host_capabilities_machines(able, instance->arch) : NULL;
    g_autofree char *qemu = ferry_virt_host_qemu_version(connection);
    g_autofree char *hint = ferry_machine_hint(instance->machine, (const char *const *)known, qemu);

    ferry_error_set_hint(error, hint);
}

bool
ferry_virt_host_knows_machine(virConnectPtr connection,
                              const FerryInstance *instance,
                              GError **error)
{
    if (instance->emulator && !ferry_virt_host_may_ask_emulator(instance->emulator)) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                        "Use an emulator that has qemu or kvm in its name and that nobody but root "
                        "can change, with all folders above it",
                        "The emulator '%s' is not asked on this host: libvirt would run it",
                        instance->emulator);
        return false;
    }

    char *xml = virConnectGetDomainCapabilities(connection, emulator_of(instance), instance->arch,
                                                instance->machine, instance->virt_type, 0);

    if (xml) {
        free(xml);
        return true;
    }
    ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                          "Machine '%s' (%s, %s) with emulator '%s' is not known on this host",
                          instance->machine, instance->arch, instance->virt_type,
                          instance->emulator);
    if (error)
        hint_at_machines(connection, instance, *error);
    return false;
}

FerryDomainCapabilities *
ferry_virt_host_capabilities(virConnectPtr connection, const FerryInstance *instance)
{
    char *raw = virConnectGetDomainCapabilities(connection, emulator_of(instance), instance->arch,
                                                instance->machine, instance->virt_type, 0);
    g_autofree char *xml = raw;

    return raw ? ferry_domain_capabilities_parse(xml, NULL) : NULL;
}

bool
ferry_virt_host_has_kvm(virConnectPtr connection)
{
    char *xml = virConnectGetDomainCapabilities(connection, NULL, NULL, NULL, "kvm", 0);

    free(xml);
    return xml != NULL;
}

bool
ferry_virt_host_has_tpm(virConnectPtr connection, const FerryInstance *instance)
{
    g_autoptr(FerryDomainCapabilities) able = ferry_virt_host_capabilities(connection, instance);

    return able && able->tpm_emulator;
}

bool
ferry_virt_host_takes(virConnectPtr connection, const char *xml, GError **error)
{
    char *command = virConnectDomainXMLToNative(connection, "qemu-argv", xml, 0);

    if (command) {
        free(command);
        return true;
    }

    bool unsaid = ferry_virt_error_is(VIR_ERR_ACCESS_DENIED) ||
                  ferry_virt_error_is(VIR_ERR_OPERATION_DENIED) ||
                  ferry_virt_error_is(VIR_ERR_NO_SUPPORT);

    return ferry_error_from_virt(
        error, unsaid ? FERRY_ERROR_MIGRATION_ERROR : FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
        "libvirt %s start it here", unsaid ? "does not say whether it would" : "would not");
}

bool
ferry_virt_host_free_memory(virConnectPtr connection, guint64 *ret_bytes, GError **error)
{
    const int cells = VIR_NODE_MEMORY_STATS_ALL_CELLS;
    g_autofree virNodeMemoryStats *stats = NULL;
    int count = 0;
    guint64 free_kib = 0;

    /* libvirt wants exactly as much room as it has to say. */
    if (virNodeGetMemoryStats(connection, cells, NULL, &count, 0) == 0)
        stats = g_new0(virNodeMemoryStats, MAX(count, 1));
    if (!stats || virNodeGetMemoryStats(connection, cells, stats, &count, 0) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot see the memory of this host");
    for (int i = 0; i < count; i++)
        if (g_strcmp0(stats[i].field, VIR_NODE_MEMORY_STATS_FREE) == 0 ||
            g_strcmp0(stats[i].field, VIR_NODE_MEMORY_STATS_BUFFERS) == 0 ||
            g_strcmp0(stats[i].field, VIR_NODE_MEMORY_STATS_CACHED) == 0)
            free_kib += stats[i].value;
    *ret_bytes = free_kib * 1024;
    return true;
}

/* --- describe --------------------------------------------------------------------------------- */

static char *
version_text(unsigned long version)
{
    return g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

char *
ferry_virt_host_libvirt_version(virConnectPtr connection)
{
    unsigned long version = 0;

    return virConnectGetLibVersion(connection, &version) == 0 ? version_text(version) : NULL;
}

char *
ferry_virt_host_qemu_version(virConnectPtr connection)
{
    unsigned long version = 0;

    return virConnectGetVersion(connection, &version) == 0 ? version_text(version) : NULL;
}

/* Returns: (transfer full) (nullable): the folder of a pool of files that this host itself holds:
 * of one over the network nobody knows how long a question takes. */
static char *
local_folder(virStoragePoolPtr pool)
{
    static const char *const kinds[] = {"dir", "fs", NULL};
    char *raw = virStoragePoolGetXMLDesc(pool, 0);
    g_autofree char *xml = raw;
    g_autofree char *name = NULL;
    g_autofree char *type = NULL;
    g_autofree char *target = NULL;

    return xml && ferry_poolxml_parse(xml, &name, &type, &target, NULL) &&
                   g_strv_contains(kinds, type)
               ? g_steal_pointer(&target)
               : NULL;
}

/* libvirt's sizes are those of its last look, and do not tell which pools share one file system. */
static void
add_file_system(json_t *description, virStoragePoolPtr pool)
{
    g_autofree char *folder = local_folder(pool);
    struct stat status;
    struct statvfs space;

    if (!folder || stat(folder, &status) != 0 || statvfs(folder, &space) != 0)
        return;
    g_autofree char *id = g_strdup_printf("%u:%u", major(status.st_dev), minor(status.st_dev));
    json_object_set_new(description, "file_system", json_string(id));
    json_object_set_new(description, "free_bytes",
                        json_integer((json_int_t)(space.f_bavail * space.f_frsize)));
}

static json_t *
describe_pool(virStoragePoolPtr pool)
{
    virStoragePoolInfo info = {0};
    bool active = virStoragePoolIsActive(pool) == 1;

    virStoragePoolGetInfo(pool, &info);
    json_t *description =
        json_pack("{s:o, s:b, s:I, s:I, s:I, s:n, s:n}", "name",
                  ferry_json_text(virStoragePoolGetName(pool)), "active", active, "capacity_bytes",
                  (json_int_t)info.capacity, "allocation_bytes", (json_int_t)info.allocation,
                  "available_bytes", (json_int_t)info.available, "file_system", "free_bytes");
    if (active)
        add_file_system(description, pool);
    return description;
}

static json_t *
describe_pools(virConnectPtr connection)
{
    virStoragePoolPtr *pools = NULL;
    json_t *list = json_array();
    int count = virConnectListAllStoragePools(connection, &pools, 0);

    for (int i = 0; i < count; i++) {
        if (!ferry_passing_pool_is(pools[i]))
            json_array_append_new(list, describe_pool(pools[i]));
        virStoragePoolFree(pools[i]);
    }
    free(pools);
    return list;
}

static json_t *
describe_domain(virDomainPtr domain)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    virDomainGetUUIDString(domain, uuid);
    return json_pack("{s:o, s:s, s:s}", "name", ferry_json_text(virDomainGetName(domain)), "uuid",
                     uuid, "state", ferry_virt_domain_state_word(domain));
}

static json_t *
describe_domains(virConnectPtr connection)
{
    virDomainPtr *domains = NULL;
    json_t *list = json_array();
    int count = virConnectListAllDomains(connection, &domains, 0);

    for (int i = 0; i < count; i++) {
        json_array_append_new(list, describe_domain(domains[i]));
        virDomainFree(domains[i]);
    }
    free(domains);
    return list;
}

static json_t *
describe_memory(virConnectPtr connection)
{
    virNodeInfo node = {0};
    guint64 available = 0;

    if (virNodeGetInfo(connection, &node) < 0 ||
        !ferry_virt_host_free_memory(connection, &available, NULL))
        return json_null();
    return json_pack("{s:I, s:I}", "total_bytes", (json_int_t)node.memory * 1024, "available_bytes",
                     (json_int_t)available);
}

json_t *
ferry_virt_host_describe(virConnectPtr connection, GError **error)
{
    g_autofree char *xml = virConnectGetCapabilities(connection);
    g_autofree char *libvirt = xml ? ferry_virt_host_libvirt_version(connection) : NULL;
    g_autofree char *qemu = libvirt ? ferry_virt_host_qemu_version(connection) : NULL;

    if (!qemu) {
        ferry_error_from_virt(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                              "Cannot describe this host");
        return NULL;
    }

    g_autoptr(FerryHostCapabilities) capabilities = ferry_host_capabilities_parse(xml, error);

    if (!capabilities)
        return NULL;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "libvirt_version", json_string(libvirt),
                     "qemu_version", json_string(qemu), "architecture",
                     ferry_json_text(ferry_host_capabilities_arch(capabilities)), "cpu_model",
                     ferry_json_text(ferry_host_capabilities_cpu_model(capabilities)), "memory",
                     describe_memory(connection), "pools", describe_pools(connection), "instances",
                     describe_domains(connection));
}
