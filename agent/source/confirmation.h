/* confirmation.h: asks both hosts until the outcome stands. Threads: a migration's saga thread. */
#pragma once

#include <jansson.h>

#include "model/outcome.h"
#include "source/migration.h"

typedef struct {
    FerryOutcome outcome;
    FerryObservedState source;
    FerryObservedState destination;
    bool stopped_there; /* it stands on the destination, and libvirt's reason is an I/O error */
    bool paused_there;  /* it stands there, and a person has paused it, there or before it left */
    bool died_here;     /* the guest ended on the source, for a reason that is no migration */
    bool idle_here;     /* no job runs on the source's domain */
} FerryConfirmation;

/**
 * ferry_confirm_outcome:
 * Asks, with back-off, until the outcome is one to act on: succeeded, stopped, not moved, in
 * flight, gone, split brain (seen twice), a post-copy that both sides know to be broken, or until
 * @timeout_s are over: then FERRY_OUTCOME_UNKNOWN (or SWITCHING, when both sides stand paused).
 */
FerryConfirmation ferry_confirm_outcome(FerryMigration *migration, guint timeout_s);

/** Returns: (transfer full): {"outcome", "source", "destination", "asked_at"}. */
json_t *ferry_confirmation_to_json(const FerryConfirmation *confirmation);

/** Returns: (transfer full): the error of a outcome that is no success. @cause: (nullable): what
 * the transfer itself said. */
GError *ferry_confirmation_error(const FerryConfirmation *confirmation,
                                 const FerryRecord *record,
                                 const GError *cause);
