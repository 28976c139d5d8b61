/* preparation.h: what makers need to know of one migration, and what the journal is told of the
 * things that they make.
 *
 * Every directory, pool and image is journaled before it is made (journal.h, creations), so that a
 * crash at any moment leaves nothing that the journal does not know: note the intention, do the
 * deed, note that it is done. Undoing is in rollback.h.
 *
 * Threads: any but main; one call a migration at a time (destination.h sees to it).
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "journal/journal.h"
#include "model/instance.h"
#include "runtime/agent.h"

/* By how much the clock of the file system may be behind the journal's. */
#define FERRY_PREPARATION_CLOCK_US (2 * G_USEC_PER_SEC)

/* A plain value; all of it is the caller's. */
typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    const char *migration_id;
    const FerryInstance *instance; /* as it is on this host; NULL where a folder alone is made */
    GPtrArray *creations;          /* what an earlier run made, which was cut short; may be NULL */
} FerryPreparation;

/** Notes the intention to make something for this migration. @ret_id: for the functions below. */
bool ferry_preparation_intend(const FerryPreparation *preparation,
                              const FerryIntention *intention,
                              gint64 *ret_id,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Notes that it is made. @detail: (nullable): what tells it from another one of its name. */
bool ferry_preparation_note_made(const FerryPreparation *preparation,
                                 gint64 id,
                                 const char *detail,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Notes that the file or folder that the row @id intended is made, and what is there now: nothing
 * else at @path is ever deleted. @detail: (nullable): what it was made as. @error: as
 * ferry_own_file_note() */
bool ferry_preparation_note_file(const FerryPreparation *preparation,
                                 gint64 id,
                                 const char *path,
                                 const char *detail,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The deed failed with @why: where somebody else was faster, the thing is not ours, and the
 * intention must not claim it. */
void
ferry_preparation_note_failed(const FerryPreparation *preparation, gint64 id, const GError *why);

/** Returns: (transfer none) (nullable): what an earlier run noted of @path. */
const FerryCreation *ferry_preparation_find(const FerryPreparation *preparation,
                                            FerryCreationKind kind,
                                            const char *path);

/** An agent of before noted what it made by name alone. What has these names when this one takes
 * over, and was born when it was made, is noted as what it is. Called once, before orders are
 * taken. */
void ferry_preparation_adopt(const FerryAgent *agent);

/** The instance arrived: what was made belongs to it now and is never undone any more. */
bool ferry_preparation_deliver(const FerryAgent *agent,
                               const char *migration_id,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
