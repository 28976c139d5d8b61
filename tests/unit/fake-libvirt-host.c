/* The host: what it can run, its memory, its networks and secrets. */
#include "config.h"

#include "fake-libvirt-private.h"

#include <string.h>

#define FREE_MEMORY_BYTES (G_GUINT64_CONSTANT(64) << 30)
#define LIBVIRT_VERSION 9000000
#define QEMU_VERSION 7002000

struct _virNetwork {
    char *name;
    bool active;
};

struct _virSecret {
    bool has_value;
};

/* All guarded by fake_lock. */
static guint64 free_memory_bytes;
static int cpu_match;
static char *own_emulator;   /* what is taken where none is named */
static GHashTable *networks; /* name to whether it is active */
static GHashTable *secrets;  /* UUID to whether it has a value */

void
fake_host_reset(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    free_memory_bytes = FREE_MEMORY_BYTES;
    cpu_match = VIR_CPU_COMPARE_SUPERSET;
    g_free(own_emulator);
    own_emulator = g_strdup("/usr/bin/qemu-system-x86_64");
    g_clear_pointer(&networks, g_hash_table_unref);
    g_clear_pointer(&secrets, g_hash_table_unref);
    networks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    secrets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* --- the test's side -------------------------------------------------------------------------- */

void
fake_host_set_free_memory(guint64 bytes)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    free_memory_bytes = bytes;
}

void
fake_host_set_cpu_match(int result)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    cpu_match = result;
}

void
fake_network_add(const char *name, bool active)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_hash_table_replace(networks, g_strdup(name), GINT_TO_POINTER(active));
}

void
fake_secret_add(const char *uuid, bool has_value)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_hash_table_replace(secrets, g_strdup(uuid), GINT_TO_POINTER(has_value));
}

void
fake_host_set_emulator(const char *path)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_free(own_emulator);
    own_emulator = g_strdup(path);
}

/* --- what it can run -------------------------------------------------------------------------- */

char *
virConnectGetCapabilities(virConnectPtr connection)
{
    return fake_begin(__func__, "%s", "")
               ? g_strdup("<capabilities><host><uuid>00000000-1111-2222-3333-444444444444</uuid>"
                          "<cpu><arch>x86_64</arch><model>EPYC</model></cpu></host>"
                          "</capabilities>")
               : NULL;
}

char *
virConnectGetDomainCapabilities(virConnectPtr connection,
                                const char *emulator,
                                const char *arch,
                                const char *machine,
                                const char *virt_type,
                                unsigned int flags)
{
    if (!fake_begin(__func__, "%s", machine ? machine : ""))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);

    return g_strdup_printf("<domainCapabilities><path>%s</path><domain>%s</domain>"
                           "<machine>%s</machine><arch>%s</arch></domainCapabilities>",
                           emulator ? emulator : own_emulator, virt_type ? virt_type : "kvm",
                           machine ? machine : "q35", arch ? arch : "x86_64");
}

char *
virConnectDomainXMLToNative(virConnectPtr connection,
                            const char *format,
                            const char *xml,
                            unsigned int flags)
{
    return fake_begin(__func__, "%s", format) ? g_strdup("qemu-system-x86_64") : NULL;
}

/* No filter is ever there. */
virNWFilterPtr
virNWFilterLookupByName(virConnectPtr connection, const char *name)
{
    if (fake_begin(__func__, "%s", name))
        fake_refuse(VIR_ERR_NO_NWFILTER, "no nwfilter with matching name '%s'", name);
    return NULL;
}

int
virConnectCompareHypervisorCPU(virConnectPtr connection,
                               const char *emulator,
                               const char *arch,
                               const char *machine,
                               const char *virt_type,
                               const char *xml,
                               unsigned int flags)
{
    if (!fake_begin(__func__, "%s", machine))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);

    return cpu_match == VIR_CPU_COMPARE_INCOMPATIBLE
               ? fake_refuse(VIR_ERR_CPU_INCOMPATIBLE, "the CPU is incompatible with host CPU")
               : cpu_match;
}

int
virConnectGetVersion(virConnectPtr connection, unsigned long *ret)
{
    *ret = QEMU_VERSION;
    return fake_begin(__func__, "%s", "") ? 0 : -1;
}

int
virConnectGetLibVersion(virConnectPtr connection, unsigned long *ret)
{
    *ret = LIBVIRT_VERSION;
    return fake_begin(__func__, "%s", "") ? 0 : -1;
}

/* --- memory ----------------------------------------------------------------------------------- */

int
virNodeGetInfo(virConnectPtr connection, virNodeInfoPtr ret)
{
    if (!fake_begin(__func__, "%s", ""))
        return -1;
    memset(ret, 0, sizeof *ret);
    ret->memory = FREE_MEMORY_BYTES / 1024;
    return 0;
}

/* It wants exactly as much room as it has to say. */
int
virNodeGetMemoryStats(
    virConnectPtr connection, int cell, virNodeMemoryStatsPtr ret, int *count, unsigned int flags)
{
    if (!fake_begin(__func__, "%d", cell))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);

    if (ret && *count != 1)
        return fake_refuse(VIR_ERR_INVALID_ARG, "count is %d", *count);
    *count = 1;
    if (ret) {
        g_strlcpy(ret[0].field, VIR_NODE_MEMORY_STATS_FREE, sizeof ret[0].field);
        ret[0].value = free_memory_bytes / 1024;
    }
    return 0;
}

int
virNodeGetFreePages(virConnectPtr connection,
                    unsigned int kinds,
                    unsigned int *sizes_kib,
                    int first_cell,
                    unsigned int cells,
                    unsigned long long *ret_counts,
                    unsigned int flags)
{
    *ret_counts = 0;
    return fake_begin(__func__, "%u", sizes_kib[0]) ? 1 : -1;
}

/* --- networks --------------------------------------------------------------------------------- */

virNetworkPtr
virNetworkLookupByName(virConnectPtr connection, const char *name)
{
    gpointer active = NULL;

    if (!fake_begin(__func__, "%s", name))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);

    if (!g_hash_table_lookup_extended(networks, name, NULL, &active)) {
        fake_refuse(VIR_ERR_NO_NETWORK, "Network not found: '%s'", name);
        return NULL;
    }

    virNetworkPtr network = g_new0(struct _virNetwork, 1);

    network->name = g_strdup(name);
    network->active = GPOINTER_TO_INT(active);
    return network;
}

char *
virNetworkGetXMLDesc(virNetworkPtr network, unsigned int flags)
{
    return fake_begin(__func__, "%s", network->name)
               ? g_strdup_printf("<network><name>%s</name><forward mode='nat'/>"
                                 "<bridge name='virbr0'/></network>",
                                 network->name)
               : NULL;
}

int
virNetworkIsActive(virNetworkPtr network)
{
    fake_forget_error();
    return network->active;
}

int
virNetworkFree(virNetworkPtr network)
{
    fake_forget_error();
    g_free(network->name);
    g_free(network);
    return 0;
}

/* --- secrets ---------------------------------------------------------------------------------- */

virSecretPtr
virSecretLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
    gpointer has_value = NULL;

    if (!fake_begin(__func__, "%s", uuid))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);

    if (!g_hash_table_lookup_extended(secrets, uuid, NULL, &has_value)) {
        fake_refuse(VIR_ERR_NO_SECRET, "Secret not found: '%s'", uuid);
        return NULL;
    }

    virSecretPtr secret = g_new0(struct _virSecret, 1);

    secret->has_value = GPOINTER_TO_INT(has_value);
    return secret;
}

virSecretPtr
virSecretLookupByUsage(virConnectPtr connection, int type, const char *usage)
{
    return virSecretLookupByUUIDString(connection, usage);
}

unsigned char *
virSecretGetValue(virSecretPtr secret, size_t *ret_size, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", ""))
        return NULL;
    if (!secret->has_value) {
        fake_refuse(VIR_ERR_NO_SECRET, "secret does not have a value");
        return NULL;
    }
    *ret_size = 3;
    return (unsigned char *)g_strdup("abc");
}

int
virSecretFree(virSecretPtr secret)
{
    fake_forget_error();
    g_free(secret);
    return 0;
}
