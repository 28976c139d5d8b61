/* mirror-limit.h: the limit of a disk's copy that runs. Which of the two ways a host takes says
 * model/tuning.h. Threads: any but main.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/** By libvirt. @target: a disk that is being copied. @mibps: 0: no limit. */
bool ferry_virt_mirror_limit(virDomainPtr domain, const char *target, guint64 mibps, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/** By QEMU's own commands: each copy that runs. libvirt marks the domain as tainted.
 * @ret_count: how many there were. */
bool ferry_virt_mirrors_limit_by_monitor(virDomainPtr domain,
                                         guint64 mibps,
                                         guint *ret_count,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
