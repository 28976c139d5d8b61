#include "config.h"

#include "destination/definition.h"

#include "ferry/error.h"
#include "virt/arrival.h"
#include "virt/auto.h"

static bool
has_disk_at(const FerryInstance *instance, const char *target, const char *path)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (g_strcmp0(disk->target, target) == 0)
            return g_strcmp0(disk->source, path) == 0;
    }
    return false;
}

/* Returns: true when there are images to bring, this migration brought each, and the definition
 * that is here names them. */
static bool
has_its_images(FerryImports *imports,
               virConnectPtr connection,
               const FerryRecord *record,
               const FerryInstance *instance)
{
    g_autoptr(virDomain) domain = ferry_virt_domain_find(connection, record->instance_uuid, NULL);
    g_autoptr(FerryInstance) here =
        domain ? ferry_virt_domain_describe(connection, domain, NULL) : NULL;
    guint brought = 0;

    for (guint i = 0; here && i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (!disk->migrate)
            continue;
        if (!ferry_imports_brought(imports, record->migration_id, disk->source) ||
            !has_disk_at(here, disk->target, disk->source))
            return false;
        brought++;
    }
    return brought > 0;
}

bool
ferry_definition_check_came(FerryImports *imports,
                            virConnectPtr connection,
                            const FerryRecord *record,
                            const FerryInstance *instance,
                            GError **error)
{
    FerryArrivalMark mark = FERRY_ARRIVAL_UNMARKED;

    if (!ferry_virt_arrival_look(connection, record->instance_uuid, record->migration_id, &mark,
                                 error))
        return false;
    /* Another migration's mark has been through an agent of before, which does not take it away. */
    if (mark == FERRY_ARRIVAL_OURS || has_its_images(imports, connection, record, instance))
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Look at the instance on both hosts; nothing was changed here",
                    "The definition of '%s' on '%s' is not the one that the migration '%s' brought",
                    record->instance_name, record->destination, record->migration_id);
    return false;
}

bool
ferry_definition_take_back(virConnectPtr connection, const FerryRecord *record, GError **error)
{
    FerryArrivalMark mark = FERRY_ARRIVAL_UNMARKED;

    return ferry_virt_arrival_look(connection, record->instance_uuid, record->migration_id, &mark,
                                   error) &&
           (mark != FERRY_ARRIVAL_OURS ||
            ferry_virt_domain_retire(connection, record->instance_uuid, /* undefine= */ true,
                                     error));
}
