/* destination.h: can this host take that instance? Looks only, changes nothing.
 *
 * All checks run and all results come back. Threads: any but main.
 */
#pragma once

#include <libvirt/libvirt.h>

#include "model/check.h"
#include "model/instance.h"
#include "model/order-options.h"
#include "runtime/agent.h"

/** @instance: as the source describes it; untrusted. Returns: (transfer full): the results. */
FerryChecks *ferry_destination_check_run(const FerryAgent *agent,
                                         virConnectPtr connection,
                                         const FerryInstance *instance,
                                         const FerryOrderOptions *options);
