/* source-domain.h: the step `source-domain`: the domain that moved ends on this host and, unless
 * the order keeps it, loses its definition.
 *
 * Threads: the migration's saga thread.
 */
#pragma once

#include "source/saga.h"

/** Ends in error when the domain is not as one that moved: nothing is stopped that may be alive. */
FerryStepEnd ferry_source_domain_step_run(FerryMigration *migration, bool resumed, GError **error);
