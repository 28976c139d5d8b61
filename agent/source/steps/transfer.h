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

/** Watches a transfer that libvirt carries on without a call of ours, and begins the second attempt
 * where the first one was or is to be ended for it (source/disk-attempt.h). What was seen, and why
 * we ended it, goes into the record. Returns: done, also where there was nothing to be seen;
 * detached. */
FerryStepEnd ferry_transfer_step_watch_on(FerryMigration *migration);
