/* transfer.h: the step `transfer`: the instance crosses; one that does not run by its files
 * (source/cold-transfer.h), any other by libvirt's call (source/transfer.h).
 *
 * Threads: the migration's saga thread.
 */
#pragma once

#include "source/saga.h"

/** The transfer's own word is not the outcome: it is done also where libvirt said that it
 * failed. */
FerryStepEnd ferry_transfer_step_run(FerryMigration *migration, bool resumed, GError **error);
