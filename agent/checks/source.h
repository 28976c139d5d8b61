/* source.h: can that instance leave this host? Looks only, changes nothing.
 *
 * All checks run and all results come back. Threads: any but main.
 */
#pragma once

#include <libvirt/libvirt.h>

#include "model/check.h"
#include "model/instance.h"
#include "model/order-options.h"
#include "runtime/agent.h"

/**
 * ferry_source_check_run:
 * @migration_id: (nullable): the migration that asks: its own record is no obstacle
 * @ret_instance: (transfer full): described and planned, also when checks fail
 * @error: the instance is not there, its definition cannot be read, or `disks` names wrong targets
 */
FerryChecks *ferry_source_check_run(const FerryAgent *agent,
                                    virConnectPtr connection,
                                    const char *name_or_uuid,
                                    const char *migration_id,
                                    const FerryOrderOptions *options,
                                    FerryInstance **ret_instance,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
