/* own-host.h: what this host lacks, whatever the instance, to send and to take instances.
 *
 * Threads: any but main; blocks for seconds at most. A look: nothing is made or bound.
 */
#pragma once

#include "model/check.h"
#include "runtime/agent.h"

/**
 * ferry_own_host_check:
 * @asked_us: by the clock of who asks; 0: it does not say
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE
 * Returns: (transfer full): the results, each with the command that mends what is missing.
 */
FerryChecks *ferry_own_host_check(const FerryAgent *agent,
                                  gint64 asked_us,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
