/* nvram.h: the file of the firmware's variables that libvirt makes at the destination: journaled before
 * it is made, so that nothing of a failed attempt stays.
 *
 * Threads: any but main; may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "journal/journal.h"
#include "model/instance.h"
#include "runtime/agent.h"

/**
 * ferry_nvram_prepare:
 * Journals the file of variables that libvirt is going to make, when nothing is at its path yet.
 * @error: FERRY_ERROR_PATH_NOT_ALLOWED, or the journal's
 */
bool ferry_nvram_prepare(const FerryAgent *agent,
                         const char *migration_id,
                         const FerryInstance *instance,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes a file of variables that the journal proves to be of a failed attempt.
 * @error: it is in use, or the agent's user may not */
bool ferry_nvram_undo(virConnectPtr connection,
                      const FerryCreation *creation,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
