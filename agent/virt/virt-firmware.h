/* virt-firmware.h: the files of firmware and TPM at the destination: may they be made, and by whom were
 * they. QEMU carries the contents and libvirt makes the files (domxml-firmware.h); what is left to
 * do is to see that nothing stands in the way, and that nothing of a failed attempt stays.
 *
 * Threads: any but main; may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "agent.h"
#include "check-scene.h"

/** Adds "firmware", "nvram" and "tpm" as far as the instance has them. */
void ferry_firmware_check(const FerryCheckScene *scene);

/**
 * ferry_firmware_prepare:
 * Journals the file of variables that libvirt is going to make, when nothing is at its path yet.
 * @error: FERRY_ERROR_PATH_NOT_ALLOWED, or the journal's
 */
bool ferry_firmware_prepare(const FerryAgent *agent,
                            const char *migration_id,
                            const FerryInstance *instance,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes a file of variables that the journal proves to be of a failed attempt.
 * @error: it is in use, or the agent's user may not */
bool ferry_firmware_undo(virConnectPtr connection,
                         const FerryCreation *creation,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
