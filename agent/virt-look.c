#include "config.h"

#include "virt-look.h"

#include "virt-auto.h"
#include "virt-error.h"
#include "virt-storage.h"
#include "volxml.h"

static FerryPresence
presence_of(int active)
{
    return active == 1 ? FERRY_PRESENCE_ACTIVE : FERRY_PRESENCE_INACTIVE;
}

FerryPresence
ferry_virt_pool_look(virConnectPtr connection,
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
