/* check.h: the step `check`: looks at the instance and asks the destination whether it can move;
 * keeps the definition where the disks will be put in quarantine. Undone, the definition is
 * forgotten.
 *
 * Threads: the migration's saga thread; looking at the instance has a limit.
 */
#pragma once

#include "source/saga.h"

FerryStepEnd ferry_check_step_run(FerryMigration *migration, bool resumed, GError **error);
bool ferry_check_step_undo(FerryMigration *migration, GError **error);
