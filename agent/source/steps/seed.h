/* seed.h: the step `seed` of a seeded migration's source: the frozen images are sent.
 *
 * Each is copied by the carrier (files/copy.h) into the file of its own name that the
 * destination has made for it, empty. That file's length says how much has arrived: whichever
 * life of the agent looks at it goes on there.
 *
 * Threads: a migration's saga thread; the copy itself runs in one of its own.
 */
#pragma once

#include "source/saga.h"

FerryStepEnd ferry_seed_step_run(FerryMigration *migration, bool resumed, GError **error);
