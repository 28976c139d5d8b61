/* files.h: the step `files`: brings what the transfer does not mirror (bases of overlays, media)
 * to the destination, deepest base first. Its undoing is the destination's rollback.
 *
 * Threads: the saga's.
 */
#pragma once

#include "source/saga.h"

FerryStepEnd ferry_source_files_run(FerryMigration *migration, bool resumed, GError **error);
