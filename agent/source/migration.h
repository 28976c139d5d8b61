/* migration.h: a source's migration while it lives: its record and what others may ask of it.
 *
 * What is known of it is kept once and changed by the verbs below: the record, and the instance
 * as it was described, whose JSON in the record is made where it changes. What of an instance is
 * not in the JSON (obstacles, chain_told) is for the step that describes it; no later one may
 * look at it, since another life of the agent would not find it.
 *
 * Threads: the saga thread is the only writer of the record; everybody else uses the functions
 * here. Reference counted: scheduler, saga and requests each hold theirs.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "files/rate.h"
#include "journal/record.h"
#include "model/convergence.h"
#include "model/instance.h"
#include "model/migrate-data.h"
#include "model/order-options.h"
#include "model/tuning.h"
#include "runtime/agent.h"
#include "source/file-carrier.h"
#include "source/room-watch.h"
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

/** Journals the order first. @error: FERRY_ERROR_INVALID_MIGRATION_STATE once the point of no
 * return is behind. */
bool ferry_migration_request_abort(FerryMigration *migration,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Journals the order first. @ret_action: "pause" or "post-copy": what will be done.
 * @error: FERRY_ERROR_INVALID_MIGRATION_STATE unless it is running. */
bool ferry_migration_request_force(FerryMigration *migration,
                                   const char **ret_action,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_migration_tune:
 * Changes what may be changed while it runs, and journals that first; what runs takes it up by
 * itself. @changes: as ferry_tuning_change() takes them.
 * @error: FERRY_ERROR_INVALID_REQUEST, FERRY_ERROR_INVALID_MIGRATION_STATE once it ends
 */
bool ferry_migration_tune(FerryMigration *migration,
                          const json_t *changes,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: what holds now: what was ordered, with what was changed since. */
FerryTuning ferry_migration_tuning(FerryMigration *migration);

/** Returns: true while libvirt copies disks, as far as is known. */
bool ferry_migration_is_mirroring(FerryMigration *migration);

/** Returns: (transfer none): the limit for files that are sent. */
FerryRate *ferry_migration_rate(FerryMigration *migration);

bool ferry_migration_abort_requested(FerryMigration *migration);
bool ferry_migration_force_requested(FerryMigration *migration);

/** Returns: true while the destination has no free slot for it. */
bool ferry_migration_awaits_slot(FerryMigration *migration);

/** The agent stops: the saga's waits end and nothing is decided any more. */
void ferry_migration_detach(FerryMigration *migration);
bool ferry_migration_is_detached(FerryMigration *migration);

/* --- the saga thread (and before it starts, whoever made it) ---------------------------------- */

/** Returns: (transfer none): the record as it is now; valid until the migration goes. What its
 * fields point to lasts until the next verb changes them. */
const FerryRecord *ferry_migration_record(const FerryMigration *migration);

/** Returns: (transfer none) (nullable): the instance as described; NULL before. Valid until
 * ferry_migration_set_instance(). */
const FerryInstance *ferry_migration_instance(const FerryMigration *migration);

/** Returns: (transfer none) (nullable): what the destination has prepared, or the order said that
 * it has; NULL before. Valid until ferry_migration_set_migrate_data(). */
const FerryMigrateData *ferry_migration_migrate_data(const FerryMigration *migration);

/** Returns: whether there is an instance and, with @destination_too, what the destination prepared:
 * a journal may lack what it has to have.
 * @error: FERRY_ERROR_OUTCOME_UNKNOWN: what it lacks. */
bool ferry_migration_check_described(const FerryMigration *migration,
                                     bool destination_too,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when the instance did not run when it was described. */
bool ferry_migration_is_shut_off(const FerryMigration *migration);

/** Returns: what brings its files; borrows from @migration. Once the destination is prepared. */
FerryFileCarrier ferry_migration_file_carrier(FerryMigration *migration);

/** Returns: whose room is asked for at the destination; borrows from @migration. */
FerryRoomQuestion ferry_migration_room_question(FerryMigration *migration);

/** Returns: (transfer full): the options as they were ordered, for the destination; an empty object
 * where there were none. */
json_t *ferry_migration_ordered_options(const FerryMigration *migration);

/** The watch to wake when an order arrives; NULL takes it away. */
void ferry_migration_set_watch(FerryMigration *migration, FerryVirtWatch *watch);

/** The destination has no free slot, or has one now. */
void ferry_migration_set_awaits_slot(FerryMigration *migration, bool awaits);

/* These change what the record says; the journal has it with the next ferry_migration_save() or
 * ferry_migration_enter(). */

/** @instance: (transfer full): as it was described. */
void ferry_migration_set_instance(FerryMigration *migration, FerryInstance *instance);

/** Whether its host starts the described instance at boot. */
void ferry_migration_set_autostart(FerryMigration *migration, bool autostart);

/** Seeds cannot be sent to this destination: its disks are mirrored, but those that the order
 * insists to seed. @why: for a person. */
void ferry_migration_avoid_seeds(FerryMigration *migration, const char *why);

/** What auto would have mirrored and could seed is seeded. @why: for a person. */
void ferry_migration_prefer_seeds(FerryMigration *migration, const char *why);

/** @migrate_data: (transfer full): the destination's word of what it has prepared.
 * @error: FERRY_ERROR_INVALID_REQUEST: it cannot be read; nothing was changed. */
bool ferry_migration_set_migrate_data(FerryMigration *migration,
                                      json_t *migrate_data,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The instance's disks cross as migrate_data says that they were prepared, whatever was chosen. */
void ferry_migration_adopt_volumes(FerryMigration *migration);

/** @error: (nullable) (transfer none): NULL when all is well after all. */
void ferry_migration_set_error(FerryMigration *migration, const GError *error);

/** Adds to the report; what @part has takes the place of what was there by the same keys.
 * @part: (transfer full): an object. */
void ferry_migration_add_report(FerryMigration *migration, json_t *part);

/** @report: (transfer full): instead of all that was added. */
void ferry_migration_set_report(FerryMigration *migration, json_t *report);

/** No abort from here on. Returns: false when one was asked for already. */
bool ferry_migration_close_abort(FerryMigration *migration);

/**
 * ferry_migration_enter:
 * Journals the move into @status, with its event. A repeated move into the same status is none.
 * @error: FERRY_ERROR_JOURNAL_UNAVAILABLE, or FERRY_ERROR_INVALID_MIGRATION_STATE where @status
 *   cannot follow: the record stays in its former status.
 */
bool ferry_migration_enter(FerryMigration *migration,
                           FerryStatus status,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Journals a change of phase, with its event; a failure is logged and not fatal. */
void ferry_migration_enter_phase(FerryMigration *migration, FerryPhase phase);

/** Journals the event of a stall that began. @since_us: monotonic, since when nothing came nearer.
 * A failure is logged and not fatal. */
void
ferry_migration_tell_stall(FerryMigration *migration, const FerryStall *stall, gint64 since_us);

/** Takes a progress and publishes it as a sample, at most one an interval. Each percent is in the
 * journal before it is told, so that the next life of the agent does not tell less. @progress:
 * (transfer full). */
void ferry_migration_report_progress(FerryMigration *migration, json_t *progress);

/** As ferry_migration_enter(), but waits and tries again while the journal refuses: for moves that
 * tell what has happened already. Returns: false only when detached meanwhile, or where @status
 * cannot follow. */
bool ferry_migration_must_enter(FerryMigration *migration, FerryStatus status);

/** Ends a record in `error` after all: journals the move to @status (completed or failed) with the
 * event migration.resolved. @evidence: (transfer full): what was seen on both hosts. */
bool ferry_migration_resolve(FerryMigration *migration,
                             FerryStatus status,
                             json_t *evidence,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Journals the record without event; a failure is logged. */
void ferry_migration_save(FerryMigration *migration);
