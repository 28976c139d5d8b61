/* finish.h: the step `finish`: the destination finishes what has arrived: it sees the instance
 * run, and commits what seeded disks have written on the way.
 *
 * Threads: the migration's saga thread.
 */
#pragma once

#include "source/saga.h"

/** Ends in error when the destination refuses, or when a commit there has not
 * come any further for outcome_timeout: a person has to look, and `resolve` asks again. */
FerryStepEnd ferry_finish_step_run(FerryMigration *migration, bool resumed, GError **error);
