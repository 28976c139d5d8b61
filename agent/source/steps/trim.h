/* trim.h: the step `trim` of a migration's source: the guest gives back what its file systems do
 * not use, before anything is frozen or copied. Only by order (`fstrim`), and never a reason to
 * fail: what became of it is in the report.
 *
 * Threads: a migration's saga thread; waits for the guest, with a limit.
 */
#pragma once

#include "source/saga.h"

/** Fails only when it was aborted. The report gets `fstrim`: {"done", "message", "duration_ms"}. An
 * abort or a stop of the agent does not wait for the guest: it is left trimming. */
FerryStepEnd ferry_trim_step_run(FerryMigration *migration, bool resumed, GError **error);
