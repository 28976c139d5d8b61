/* firmware.h: whether the files of firmware and TPM may be made at the destination. QEMU carries
 * the contents and libvirt makes the files (xml/domain-firmware.h); what is left to do is to see
 * that nothing stands in the way.
 *
 * Threads: any but main; may block as long as libvirtd does.
 */
#pragma once

#include "checks/scene.h"
#include "runtime/agent.h"

/** @path: of a firmware's file that is missing here. Returns: (transfer full): what brings it, on
 * this release. */
char *ferry_firmware_hint(const char *path);

/** Adds "firmware", "nvram" and "tpm" as far as the instance has them. */
void ferry_firmware_check(const FerryCheckScene *scene);
