/* completion.h: how long the whole of a transfer may take: the files that go before, the seed, and
 * libvirt's own transfer together.
 *
 * Threads: the saga's, but for what is pure.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "source/migration.h"

/** The steps whose time counts, by their names in the saga's table; ends with NULL. */
extern const char *const ferry_completion_steps[];

/** Pure. Returns: how long the steps of the transfer have lasted, those that are not over until
 * @now_us (UTC). @steps: as ferry_journal_steps() has them. */
gint64 ferry_completion_spent_us(const json_t *steps, gint64 now_us);

/** Returns: when the time of the order, or the configuration's for each GiB of what moves, is over:
 * monotonic, G_MAXINT64 for never. What earlier steps and lives of the agent took is in it. */
gint64 ferry_completion_deadline_us(FerryMigration *migration);

/** Returns: (transfer full): FERRY_ERROR_MIGRATION_TIMEOUT, with the budget that was spent, in
 * which step, and the rate that was seen. */
GError *ferry_completion_error(FerryMigration *migration);

typedef bool (*FerryCompletionFunc)(gpointer data, GError **error);

/**
 * ferry_completion_run:
 * @work: ends when the migration's cancellable does
 * Runs @work until it ends or the time is over, whichever is first. Where the order says to force
 * the completion then, @work takes its time: there is no guest to be stopped yet, or no use in it.
 * @error: @work's own, or FERRY_ERROR_MIGRATION_TIMEOUT; the cancellable has ended then
 */
bool ferry_completion_run(FerryMigration *migration,
                          FerryCompletionFunc work,
                          gpointer data,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
