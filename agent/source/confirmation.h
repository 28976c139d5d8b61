/* confirmation.h: asks both hosts until the verdict stands. Threads: a migration's saga thread. */
#pragma once

#include <jansson.h>

#include "model/outcome.h"
#include "source/migration.h"

typedef struct {
    FerryVerdict verdict;
    FerrySight source;
    FerrySight destination;
    bool died_here; /* the guest ended on the source, for a reason that is no migration */
    bool idle_here; /* no job runs on the source's domain */
} FerryAdjudication;

/**
 * ferry_adjudicate:
 * Asks, with back-off, until the verdict is one to act on: succeeded, not moved, in flight, gone,
 * split brain (seen twice), a post-copy that both sides know to be broken, or until @patience_s are over: then
 * FERRY_VERDICT_UNKNOWN (or SWITCHING, when both sides stand paused).
 */
FerryAdjudication ferry_adjudicate(FerryMigration *migration, guint patience_s);

/** Returns: (transfer full): {"verdict", "source", "destination", "asked_at"}. */
json_t *ferry_adjudication_to_json(const FerryAdjudication *adjudication);

/** Returns: (transfer full): the error of a verdict that is no success. @cause: (nullable): what the
 * transfer itself said. */
GError *ferry_adjudication_error(const FerryAdjudication *adjudication,
                                 const FerryRecord *record,
                                 const GError *cause);
