/* devices.h: has this host what the guest's devices need: of QEMU, of libvirt, and on its file
 * system?
 * Threads: any but main.
 */
#pragma once

#include "checks/scene.h"

/** What can be told by name, all of it. */
void ferry_check_devices(const FerryCheckScene *scene);

/** What libvirt itself says of the definition; it names the first obstacle only. For a scene in
 * which nothing else failed. */
void ferry_check_definition(const FerryCheckScene *scene);
