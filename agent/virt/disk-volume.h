/* disk-volume.h: disks that a definition names as a volume of a pool, by the path that libvirt has
 * for them. Threads: any but main; every call may block as long as libvirtd does. */
#pragma once

#include <libvirt/libvirt.h>

#include "model/instance.h"

/** Makes each `<disk type='volume'>` of @instance one of the file or device that it is. One whose
 * pool is not active, or that is neither, stays what it is. */
void ferry_virt_disk_volumes_resolve(virConnectPtr connection, FerryInstance *instance);
