/* nvram.h: the file of the firmware's variables that libvirt makes at the destination: journaled
 * before it is made, so that nothing of a failed attempt stays.
 *
 * Threads: any but main; may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "destination/preparation.h"

/**
 * ferry_nvram_note:
 * Journals the file of variables that libvirt is going to make for the instance, when nothing is at
 * its path yet, and it is not journaled already.
 * @error: FERRY_ERROR_PATH_NOT_ALLOWED, or the journal's
 */
bool ferry_nvram_note(const FerryPreparation *preparation,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes a file of variables that the journal proves to be of a failed attempt.
 * @error: it is in use, or the agent's user may not */
bool ferry_nvram_undo(virConnectPtr connection,
                      const FerryCreation *creation,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
