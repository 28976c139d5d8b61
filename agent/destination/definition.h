/* definition.h: the definition of an instance that does not run, as it comes from its source: what
 * proves that it came by a migration, and taking it back.
 *
 * Threads: any but main; blocks as long as libvirtd does.
 */
#pragma once

#include <stdbool.h>

#include "destination/import.h"
#include "journal/record.h"
#include "model/instance.h"
#include "virt/domain.h"

/**
 * ferry_definition_check_came:
 * @instance: as it is to be here
 * Its source marks it with the migration (virt/arrival.h). Agents of before set no mark and leave
 * an older one: theirs is one that has the images which this migration brought, or found to be the
 * same.
 * @error: FERRY_ERROR_INVALID_MIGRATION_STATE: somebody else has defined it; or libvirt's
 */
bool ferry_definition_check_came(FerryImports *imports,
                                 virConnectPtr connection,
                                 const FerryRecord *record,
                                 const FerryInstance *instance,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Undefines it, if its mark says that it came by this migration. */
bool ferry_definition_take_back(virConnectPtr connection,
                                const FerryRecord *record,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
