/* confirm.h: the step `confirm`: what both hosts say came of the transfer.
 *
 * Threads: the migration's saga thread.
 */
#pragma once

#include "source/saga.h"

/** Asks both hosts until the outcome stands; watches on while it is in flight; has a broken
 * post-copy resumed as long as [migration] outcome_timeout lasts. */
FerryStepEnd ferry_confirm_step_run(FerryMigration *migration, bool resumed, GError **error);
