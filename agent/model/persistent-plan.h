/* persistent-plan.h: what the next start of an instance that runs will want, and would not find at
 * the destination: its persistent definition may name other files and devices than the running
 * instance has. Any thread; looks at the file system, never opens a file.
 *
 * A medium that is there is carried along. A disk that the guest may write to is not: nobody can
 * tell who else writes to it, so the order is refused and says what to do.
 */
#pragma once

#include "model/instance.h"

/** Takes out of @persistent the disks whose file the running @instance has too: they come along.
 * @persistent: of the same instance, read from its persistent definition */
void ferry_persistent_plan_keep_own(const FerryInstance *instance, FerryInstance *persistent);

/**
 * ferry_persistent_plan_make:
 * Gives @instance the media of @persistent, to be carried, and its obstacles and warnings.
 * @persistent: with its own disks only, looked at as those of @instance were; what was taken of it
 *   is gone
 */
void ferry_persistent_plan_make(FerryInstance *instance, FerryInstance *persistent);

/** Drops the media that the destination does not await, because its agent is of a version that
 * knows nothing of them. @files: (nullable): `files` of its migrate_data */
void ferry_persistent_plan_adopt(FerryInstance *instance, const json_t *files);
