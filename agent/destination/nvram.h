/* nvram.h: the file of the firmware's variables that libvirt makes at the destination when the
 * instance begins to arrive: journaled before, and noted as what it is at that moment, so that
 * nothing of a failed attempt stays. What has the name without having come so is somebody's own.
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

/** The instance @uuid begins to arrive here by a migration: notes the files that libvirt has just
 * made for it, this one and those of its consoles (console-file.h), where they were journaled. */
void ferry_nvram_note_arrival(const FerryAgent *agent, const char *uuid);

/** Removes a file of variables that the journal proves to be of a failed attempt.
 * @error: it is in use, another one or not provably ours, or the agent's user may not */
bool ferry_nvram_undo(const FerryAgent *agent,
                      virConnectPtr connection,
                      const FerryCreation *creation,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
