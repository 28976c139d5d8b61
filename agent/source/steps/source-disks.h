/* source-disks.h: the step `source-disks`: the images of an instance that moved are deleted, put in
 * quarantine (source-disks-hold.h), or noted as left behind.
 *
 * Threads: the migration's saga thread.
 */
#pragma once

#include "source/saga.h"

/** Ends in error when an image that had to go is in use or cannot be removed. */
FerryStepEnd ferry_source_disks_step_run(FerryMigration *migration, bool resumed, GError **error);
