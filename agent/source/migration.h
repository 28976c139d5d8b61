/* migration.h: a source's migration while it lives: its record and what others may ask of it.
 *
 * Threads: the saga thread is the only writer of the record; everybody else uses the functions here.
 * Reference counted: scheduler, saga and requests each hold theirs.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "journal/record.h"
#include "model/instance.h"
#include "model/order-options.h"
#include "runtime/agent.h"
#include "virt/watch.h"

typedef struct FerryMigration FerryMigration;

/** @record: (transfer full): journaled already. @options: (transfer full). */
FerryMigration *
ferry_migration_new(const FerryAgent *agent, FerryRecord *record, FerryOrderOptions *options);
FerryMigration *ferry_migration_ref(FerryMigration *migration);
void ferry_migration_unref(FerryMigration *migration);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryMigration, ferry_migration_unref)

/* --- any thread ------------------------------------------------------------------------------- */

const FerryAgent *ferry_migration_agent(const FerryMigration *migration);
const char *ferry_migration_id(const FerryMigration *migration);
const FerryOrderOptions *ferry_migration_options(const FerryMigration *migration);

/** Returns: (transfer full): a copy of the record with the newest progress. */
FerryRecord *ferry_migration_snapshot(FerryMigration *migration);

/** Returns: ended when the abort was asked for; waits of the saga end by it. */
GCancellable *ferry_migration_cancellable(FerryMigration *migration);

/** Journals the order first. @error: FERRY_ERROR_INVALID_MIGRATION_STATE once the point of no return
 * is behind. */
bool ferry_migration_request_abort(FerryMigration *migration,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Journals the order first. @ret_action: "pause" or "post-copy": what will be done.
 * @error: FERRY_ERROR_INVALID_MIGRATION_STATE unless it is running. */
bool ferry_migration_request_force(FerryMigration *migration,
                                   const char **ret_action,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool ferry_migration_abort_requested(FerryMigration *migration);
bool ferry_migration_force_requested(FerryMigration *migration);

/** The agent stops: the saga's waits end and nothing is decided any more. */
void ferry_migration_detach(FerryMigration *migration);
bool ferry_migration_is_detached(FerryMigration *migration);

/* --- the saga thread (and before it starts, whoever made it) ----------------------------------- */

/** Returns: (transfer none): the record; change it only with ferry_migration_save() following. */
FerryRecord *ferry_migration_record(FerryMigration *migration);

/** Returns: (transfer none) (nullable): the instance as described, parsed from the record. */
FerryInstance *ferry_migration_instance(FerryMigration *migration);

/** Returns: true when the instance did not run when it was described. */
bool ferry_migration_is_shut_off(FerryMigration *migration);

/** The watch to wake when an order arrives; NULL takes it away. */
void ferry_migration_set_watch(FerryMigration *migration, FerryVirtWatch *watch);

/** Replaces a json_t field of the record under the lock. @value: (transfer full). */
void ferry_migration_take(FerryMigration *migration, json_t **field, json_t *value);

/** No abort from here on. Returns: false when one was asked for already. */
bool ferry_migration_close_abort(FerryMigration *migration);

/**
 * ferry_migration_enter:
 * Journals the move into @status, with its event. A repeated move into the same status is none.
 * @error: FERRY_ERROR_JOURNAL_UNAVAILABLE: the record stays in its former status.
 */
bool ferry_migration_enter(FerryMigration *migration,
                           FerryStatus status,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Journals a change of phase, with its event; a failure is logged and not fatal. */
void ferry_migration_enter_phase(FerryMigration *migration, FerryPhase phase);

/** Takes a progress and publishes it as a sample, at most one an interval. @progress: (transfer
 * full). */
void ferry_migration_report_progress(FerryMigration *migration, json_t *progress);

/** As ferry_migration_enter(), but waits and tries again while the journal refuses: for moves that
 * tell what has happened already. Returns: false only when detached meanwhile. */
bool ferry_migration_must_enter(FerryMigration *migration, FerryStatus status);

/** Ends a record in `error` after all: journals the move to @status (completed or failed) with the
 * event migration.resolved. @evidence: (transfer full): what was seen on both hosts. */
bool ferry_migration_resolve(FerryMigration *migration,
                             FerryStatus status,
                             json_t *evidence,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Journals the record without event; a failure is logged. */
void ferry_migration_save(FerryMigration *migration);
