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
 * @domain: the instance's, for what only libvirt can say: jobs and blockers
 * @instance: planned (storage/instance-plan.h)
 * @migration_id: (nullable): the migration that asks: its own record is no obstacle
 * Returns: (transfer full): the results
 */
FerryChecks *ferry_source_check_run(const FerryAgent *agent,
                                    virDomainPtr domain,
                                    const FerryInstance *instance,
                                    const char *migration_id,
                                    const FerryOrderOptions *options);
