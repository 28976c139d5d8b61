/* disk-writes.h: what a guest writes to its disks, whether its writes wait for a mirror, and a
 * mirror whose connection is dead.
 *
 * Threads: any but main; hangs where QEMU's monitor hangs, as every look at a job does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/instance.h"

/** Returns: what the guest has written to all disks that move, in bytes since it was started here;
 * 0 where libvirt does not say of one of them. */
guint64 ferry_virt_disks_written_bytes(virDomainPtr domain, const FerryInstance *instance);

/**
 * ferry_virt_mirrors_synchronise:
 * From now on the guest's writes wait until all mirrors of @domain that run have them, too. Needs
 * QEMU 8.2 and its monitor, which libvirt notes as a taint ("custom-monitor").
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE: QEMU cannot; FERRY_ERROR_MIGRATION_ERROR: no mirror
 *   runs
 */
bool ferry_virt_mirrors_synchronise(virDomainPtr domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_mirrors_disconnect:
 * Closes the connections of the mirrors of @targets, which then fail at once. QEMU waits for what
 * is on its way, and libvirt for QEMU, until the kernel gives up a connection that carries nothing:
 * about 15 minutes, whatever was aborted. By QEMU's monitor, as above.
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE: QEMU cannot
 */
bool ferry_virt_mirrors_disconnect(virDomainPtr domain,
                                   const GPtrArray *targets,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
