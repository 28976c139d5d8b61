/* instance-plan.h: an instance as it is on this host, and how it would move. Changes nothing.
 *
 * A plan is what each disk's `migrate`, `carry`, `seeded` and their reasons say, and the obstacles:
 * what of the instance cannot go along. Whether it may move is judged afterwards (checks/source.h).
 * Threads: any but main.
 */
#pragma once

#include <libvirt/libvirt.h>

#include "model/instance.h"
#include "model/order-options.h"
#include "runtime/agent.h"

/** Returns: (transfer full): described with its backing chains, and planned as for an order that
 * names no disks; nothing is looked for that could be in the way. */
FerryInstance *ferry_instance_plan_default(const FerryAgent *agent,
                                           virConnectPtr connection,
                                           virDomainPtr domain,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_instance_plan_make:
 * Returns: (transfer full): described, planned as @options order it, its obstacles found.
 * @error: its definition cannot be read, or `disks` names wrong targets
 */
FerryInstance *ferry_instance_plan_make(const FerryAgent *agent,
                                        virConnectPtr connection,
                                        virDomainPtr domain,
                                        const FerryOrderOptions *options,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
