/* transfer.h: the source's steps over which the instance crosses: the transfer, and what both
 * hosts say came of it. Threads: the migration's saga thread. */
#pragma once

#include "source/saga.h"

/** The transfer's own word is not the outcome: it is done also where libvirt said that it failed. */
FerryStepEnd ferry_transfer_step_run(FerryMigration *migration, bool resumed, GError **error);

/** Asks both hosts until the outcome stands; watches on while it is in flight; has a broken post-copy
 * resumed as long as [migration] outcome_timeout lasts. */
FerryStepEnd ferry_confirm_step_run(FerryMigration *migration, bool resumed, GError **error);
