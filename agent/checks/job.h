/* job.h: is libvirt free to carry a domain, and does QEMU have anything against it?
 *
 * Threads: any but main; blocks as long as libvirtd does.
 */
#pragma once

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/check.h"
#include "model/instance.h"

/** Adds `job`. Returns: true when the domain is free of jobs. */
bool ferry_check_job(FerryChecks *checks, virDomainPtr domain, const FerryInstance *instance);

/** Adds `migration-blockers` for an active domain that is free of jobs and in no migration: looking
 * needs its job for a moment. Call it last: what libvirt refuses for a reason of its own is told
 * only when @checks have no other failure. */
void ferry_check_blockers(FerryChecks *checks, virDomainPtr domain, const FerryInstance *instance);
