/* scheduler.h: how many migrations leave this host at once, and the queue of the others: by
 * priority, and within one in the order of their orders.
 *
 * Threads: any; one lock inside, never held while calling out. Each running migration has a thread.
 */
#pragma once

#include <glib.h>

#include "source/saga.h"

typedef struct FerryScheduler FerryScheduler;

/** @saga: what each migration runs; outlives the scheduler. @in_error: called, from a migration's
 * thread, when one ended in `error`. */
FerryScheduler *ferry_scheduler_new(const FerryAgent *agent,
                                    const FerrySaga *saga,
                                    void (*in_error)(gpointer data),
                                    gpointer data);

/** Call it when ferry_scheduler_detach() says that all threads ended. */
void ferry_scheduler_free(FerryScheduler *scheduler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryScheduler, ferry_scheduler_free)

/** Called with the migration's status, accepted or queued, before anything is done for it. */
typedef void (*FerryAdmittedFunc)(const char *migration_id, FerryStatus status, gpointer data);

/** Starts @migration (transfer none), which was just ordered, or queues it behind others; a queued
 * one is journaled as such. @admitted: where the order is answered: an answer does not wait for the
 * work. */
void ferry_scheduler_add(FerryScheduler *scheduler,
                         FerryMigration *migration,
                         FerryAdmittedFunc admitted,
                         gpointer data);

/** Takes up again what an earlier life of the agent left, before anything is ordered. Those that
 * were under way go on, all of them, whatever the limit is; the others are queued, and only then
 * the slots that are left are given away. @migrations: (element-type FerryMigration): all of them,
 * in the order of their orders. */
void ferry_scheduler_take_up(FerryScheduler *scheduler, const GPtrArray *migrations);

/** Returns: (transfer full) (nullable): the live migration with this id. */
FerryMigration *ferry_scheduler_find(FerryScheduler *scheduler, const char *migration_id);

/** Aborts in every state that has a way back; a queued one ends at once.
 * @error: FERRY_ERROR_INVALID_MIGRATION_STATE */
bool ferry_scheduler_abort(FerryScheduler *scheduler,
                           FerryMigration *migration,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** @ret_used, @ret_queued: how many run and wait now. */
void ferry_scheduler_count(FerryScheduler *scheduler, guint *ret_used, guint *ret_queued);

/** The agent stops: no migration starts any more, threads let go of theirs; transfers go on in
 * libvirtd. Waits up to @timeout_ms for the threads. Returns: true when all ended. */
bool ferry_scheduler_detach(FerryScheduler *scheduler, guint timeout_ms);
