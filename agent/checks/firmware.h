/* firmware.h: whether the files of firmware and TPM may be made at the destination. QEMU carries
 * the contents and libvirt makes the files (xml/domain-firmware.h); what is left to do is to see
 * that nothing stands in the way.
 *
 * Threads: any but main; may block as long as libvirtd does.
 */
#pragma once

#include "checks/scene.h"
#include "runtime/agent.h"

/** Adds "firmware", "nvram" and "tpm" as far as the instance has them. */
void ferry_firmware_check(const FerryCheckScene *scene);

/** Returns: (transfer full): where a file of variables may lie: the allowed paths, and where
 * libvirt puts it. */
GStrv ferry_firmware_folders(const FerryAgent *agent);

/** Whether a file of variables may lie at @path: in one of these.
 * @error: FERRY_ERROR_PATH_NOT_ALLOWED */
bool ferry_firmware_check_path(const FerryAgent *agent,
                               const char *path,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
