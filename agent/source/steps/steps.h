/* steps.h: the steps of the journey, as the source's agent makes it:
 * check (and describe), prepare, transfer, confirm, finish, source-domain, source-disks; and the report at whichever end.
 *
 * Threads: run by saga.h in the migration's thread.
 */
#pragma once

#include "source/saga.h"

/** A migration whose record has migrate_data already (live_migration ordered
 * by a controller) finds its destination prepared. */
extern const FerrySaga ferry_source_saga;
