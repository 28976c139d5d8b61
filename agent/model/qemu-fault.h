/* qemu-fault.h: faults of releases of QEMU that have a way around. Pure, any thread. */
#pragma once

#include <stdbool.h>

#include "model/instance.h"

/** @version: (nullable): of the destination's QEMU, "7.2.22"; NULL has none that we know.
 * Returns: true when it aborts as soon as a disk is copied to it that lies on a virtio-scsi
 * controller with an iothread: its NBD server works in the wrong thread. */
bool ferry_qemu_fault_scsi_iothread(const char *version);

/** Returns: true when that fault meets @instance, if one of its controllers has an iothread: a disk
 * of it that lies on one is copied. */
bool ferry_qemu_fault_meets_scsi(const FerryInstance *instance, const char *version);
