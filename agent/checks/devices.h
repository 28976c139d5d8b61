/* devices.h: is what QEMU gets from libvirt for the guest's devices there on this host?
 * Threads: any but main.
 */
#pragma once

#include "checks/scene.h"

void ferry_check_devices(const FerryCheckScene *scene);
