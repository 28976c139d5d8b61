/* leftover.h: files that an instance left behind when it moved away (source_disks "keep"), which
 * its return may replace.
 *
 * Threads: any but main; may block as long as libvirtd does.
 */
#pragma once

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "runtime/agent.h"

/** Returns: true when the file at @path may be replaced: this host's journal knows it as what the
 * same instance left behind, it has not changed since, and no instance names it. */
bool ferry_leftover_may_replace(const FerryAgent *agent,
                                virConnectPtr connection,
                                const char *path,
                                const char *instance_uuid);
