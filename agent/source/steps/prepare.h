/* prepare.h: the step `prepare`: has the destination make what the instance needs, or has it
 * confirm that a controller did. Undone, the destination is rolled back.
 *
 * Threads: the migration's saga thread; waits for a slot of the destination.
 */
#pragma once

#include "source/saga.h"

FerryStepEnd ferry_prepare_step_run(FerryMigration *migration, bool resumed, GError **error);

/** Idempotent. @error: the destination cannot be asked, or kept a part of what it made. */
bool ferry_prepare_step_undo(FerryMigration *migration, GError **error);
