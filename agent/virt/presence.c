#include "config.h"

#include "virt/presence.h"

#include "virt/auto.h"
#include "virt/error.h"
#include "virt/pool.h"
#include "virt/virt.h"
#include "virt/volume.h"
#include "xml/network.h"
#include "xml/volume.h"

#include <stdlib.h>
#include <string.h>

static FerryPresence
presence_of(int active)
{
    return active == 1 ? FERRY_PRESENCE_ACTIVE : FERRY_PRESENCE_INACTIVE;
}

/* Takes libvirt's last error: what is not there is absent, anything else is not known. */
static FerryPresence
not_found(int code, const char *what, const char *name, GError **error)
{
    if (ferry_virt_error_is(code))
        return FERRY_PRESENCE_ABSENT;
    ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR, "Cannot look at %s '%s'",
                          what, name);
    return FERRY_PRESENCE_UNKNOWN;
}

/* --- networks --------------------------------------------------------------------------------- */

void
ferry_network_info_clear(FerryNetworkInfo *info)
{
    g_clear_pointer(&info->forward, g_free);
    g_clear_pointer(&info->bridge, g_free);
}

FerryPresence
ferry_virt_network_presence(virConnectPtr connection,
                            const char *name,
                            FerryNetworkInfo *ret_info,
                            GError **error)
{
    g_autoptr(virNetwork) network = virNetworkLookupByName(connection, name);

    if (!network)
        return not_found(VIR_ERR_NO_NETWORK, "the network", name, error);
    g_autofree char *xml = virNetworkGetXMLDesc(network, 0);

    if (!xml)
        return not_found(VIR_ERR_NO_NETWORK, "the network", name, error);
    return ferry_netxml_parse(xml, &ret_info->forward, &ret_info->bridge, error)
               ? presence_of(virNetworkIsActive(network))
               : FERRY_PRESENCE_UNKNOWN;
}

FerryPresence
ferry_virt_filter_presence(virConnectPtr connection, const char *name, GError **error)
{
    virNWFilterPtr filter = virNWFilterLookupByName(connection, name);

    if (!filter)
        return not_found(VIR_ERR_NO_NWFILTER, "the network filter", name, error);
    virNWFilterFree(filter);
    return FERRY_PRESENCE_ACTIVE;
}

/* --- secrets ---------------------------------------------------------------------------------- */

static int
usage_type_of(const char *type)
{
    static const struct {
        const char *name;
        int type;
    } types[] = {
        {"volume", VIR_SECRET_USAGE_TYPE_VOLUME}, {"ceph", VIR_SECRET_USAGE_TYPE_CEPH},
        {"iscsi", VIR_SECRET_USAGE_TYPE_ISCSI},   {"tls", VIR_SECRET_USAGE_TYPE_TLS},
        {"vtpm", VIR_SECRET_USAGE_TYPE_VTPM},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_strcmp0(types[i].name, type) == 0)
            return types[i].type;
    return VIR_SECRET_USAGE_TYPE_NONE;
}

/* A private secret tells nobody its value: then it is enough that it is there. */
static bool
has_value(virSecretPtr secret)
{
    gsize size = 0;
    guint8 *value = virSecretGetValue(secret, &size, 0);
    bool missing = !value && ferry_virt_error_is(VIR_ERR_NO_SECRET);

    if (value)
        explicit_bzero(value, size);
    free(value);
    return !missing;
}

FerryPresence
ferry_virt_secret_presence(
    virConnectPtr connection, const char *uuid, const char *type, const char *usage, GError **error)
{
    g_autoptr(virSecret) secret =
        uuid ? virSecretLookupByUUIDString(connection, uuid)
             : virSecretLookupByUsage(connection, usage_type_of(type), usage);

    if (!secret)
        return not_found(VIR_ERR_NO_SECRET, "the secret", uuid ? uuid : usage, error);
    return has_value(secret) ? FERRY_PRESENCE_ACTIVE : FERRY_PRESENCE_INACTIVE;
}

/* --- memory ----------------------------------------------------------------------------------- */

bool
ferry_virt_free_huge_pages(virConnectPtr connection,
                           guint64 size_bytes,
                           guint64 *ret_count,
                           GError **error)
{
    unsigned int size_kib = (unsigned int)(size_bytes / 1024);
    unsigned long long count = 0;

    /* Cell -1 stands for all of the host's. */
    if (virNodeGetFreePages(connection, 1, &size_kib, -1, 1, &count, 0) < 0 &&
        !ferry_virt_error_is(VIR_ERR_OPERATION_FAILED))
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                                     "Cannot see the huge pages of %u KiB of this host", size_kib);
    *ret_count = count;
    return true;
}

/* --- pools ------------------------------------------------------------------------------------ */

FerryPresence
ferry_virt_pool_presence(virConnectPtr connection,
                         const char *directory,
                         char **ret_name,
                         char **ret_type,
                         GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(virStoragePool) pool = ferry_virt_pool_find(connection, directory, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FERRY_PRESENCE_UNKNOWN;
    }
    if (!pool)
        return FERRY_PRESENCE_ABSENT;

    g_autofree char *xml = virStoragePoolGetXMLDesc(pool, 0);

    if (!xml) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                              "Cannot look at the storage pool of '%s'", directory);
        return FERRY_PRESENCE_UNKNOWN;
    }
    return ferry_poolxml_parse(xml, ret_name, ret_type, NULL, error)
               ? presence_of(virStoragePoolIsActive(pool))
               : FERRY_PRESENCE_UNKNOWN;
}
