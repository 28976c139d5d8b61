/* files.h: the step `files`: brings what the transfer does not mirror (bases of overlays, media)
 * to the destination, deepest base first. Its undoing is the destination's rollback.
 *
 * Threads: the migration's saga thread.
 */
#pragma once

#include "source/saga.h"

FerryStepEnd ferry_files_step_run(FerryMigration *migration, bool resumed, GError **error);
