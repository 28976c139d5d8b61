/* source-files.h: the step `files`: brings what the transfer does not mirror (bases of overlays, media)
 * to the destination, deepest base first. Its undoing is the destination's rollback.
 *
 * Threads: the saga's.
 */
#pragma once

#include "progress.h"
#include "saga.h"

FerryStepEnd ferry_source_files_run(FerryMigration *migration, bool resumed, GError **error);

/** Tells @progress of what the step has sent; nothing when it had nothing to send. */
void ferry_source_files_count(FerryMigration *migration, FerryProgress *progress);
