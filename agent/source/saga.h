/* saga.h: a migration as a table of steps, each journaled before it begins and after it ends.
 *
 * A step is idempotent: after a crash it is entered again and looks at the world first. When one
 * fails before the point of no return, the steps that began are undone backwards; after it they
 * only go forward. The journal therefore always says what may have happened.
 *
 * Threads: ferry_saga_run() is the whole life of a migration's thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "source/migration.h"

typedef enum {
    FERRY_STEP_DONE,     /* go on */
    FERRY_STEP_FAILED,   /* undo and end as failed, or cancelled when that was ordered */
    FERRY_STEP_ERROR,    /* a person must look: undo nothing, end as error */
    FERRY_STEP_DETACHED, /* the agent stops; decide nothing */
} FerryStepEnd;

typedef struct {
    const char *name;
    FerryStatus status; /* what the migration is while the step runs */
    /** @resumed: the journal says that the step began in an earlier life. */
    FerryStepEnd (*run)(FerryMigration *migration, bool resumed, GError **error);
    /** NULL: nothing to undo. false: it could not be undone; @error says why. */
    bool (*undo)(FerryMigration *migration, GError **error);
    bool point_of_no_return; /* no abort and no undo from this step on */
    bool read_only;          /* makes nothing: goes on when the journal refuses its note */
    bool needs_instance;     /* does not run without what `check` journaled */
    bool needs_destination;  /* does not run without what `prepare` journaled */
} FerrySagaStep;

typedef struct {
    const FerrySagaStep *steps; /* ends with a NULL name */
    /** Called before the record ends, in whichever way: puts the report into it. */
    void (*report)(FerryMigration *migration);
} FerrySaga;

/** Returns: how a step ends that could not go on: detached when the agent stops, else failed. */
FerryStepEnd ferry_saga_step_broken(FerryMigration *migration);

/** Runs the steps that the journal does not show as over and ends the record. Over is a step that
 * is done, and one before a step that has begun: steps only go forward, and one that has no row is
 * none of the agent that began the migration. A record that makes no sense ends in `error`. */
void ferry_saga_run(FerryMigration *migration, const FerrySaga *saga);

/** For a record in `error` whose instance was found on the destination: runs the steps from the
 * point of no return on. The record's status is the caller's to change. */
FerryStepEnd ferry_saga_finish(FerryMigration *migration, const FerrySaga *saga, GError **error);

/** For a record in `error` whose instance was found on the source: undoes every step. */
bool ferry_saga_undo(FerryMigration *migration, const FerrySaga *saga, GError **error);
