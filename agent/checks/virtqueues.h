/* virtqueues.h: whether QEMU at the destination refuses an instance for the length of its queues.
 *
 * Threads: any but main; blocks.
 */
#pragma once

#include "model/check.h"
#include "model/host-versions.h"
#include "model/instance.h"
#include "runtime/agent.h"

/** Adds `virtqueues` where the versions make it possible. Where the configuration allows monitor
 * commands QEMU here is asked, and the check passes or fails for certain. */
void ferry_check_virtqueues(const FerryAgent *agent,
                            const FerryInstance *instance,
                            const FerryHostVersions *there,
                            FerryChecks *checks);
