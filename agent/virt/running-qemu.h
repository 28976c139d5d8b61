/* running-qemu.h: which QEMU an instance runs on. An upgrade replaces the program; what runs goes
 * on with the one that it was started with.
 *
 * Threads: any but main; every call may block as long as libvirtd does.
 */
#pragma once

#include <libvirt/libvirt.h>

/**
 * ferry_virt_running_qemu_version:
 * @emulator: (nullable): as the definition names it
 * Returns: (transfer full) (nullable): "7.2.22": the host's; NULL where libvirt does not say, or
 *   where the emulator was replaced since @domain was started: libvirt tells only of the one that
 *   is installed now.
 */
char *ferry_virt_running_qemu_version(virConnectPtr connection,
                                      virDomainPtr domain,
                                      const char *emulator);
