/* finish.h: the destination finishes what has arrived: it sees the instance run, and commits what
 * seeded disks have written on the way.
 */
#pragma once

#include "source/saga.h"

/** A step of the saga. Ends in error when the destination refuses, or when a commit there has not
 * come any further for outcome_timeout: a person has to look, and `resolve` asks again. */
FerryStepEnd ferry_finish_step_run(FerryMigration *migration, bool resumed, GError **error);
