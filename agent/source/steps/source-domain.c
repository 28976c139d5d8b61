#include "config.h"

#include "source/steps/source-domain.h"

#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/virt.h"

/* libvirt does this itself, unless it was killed at that moment. */
FerryStepEnd
ferry_source_domain_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(virConnect) connection =
        ferry_virt_connect(ferry_migration_agent(migration)->virt, error);

    if (connection &&
        ferry_virt_domain_retire(connection, record->instance_uuid,
                                 ferry_migration_options(migration)->undefine_source, error))
        return FERRY_STEP_DONE;
    return FERRY_STEP_ERROR;
}
