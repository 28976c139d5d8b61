/* downtime-steps.h: how long the guest may stop at the end, growing while memory does not converge.
 * Pure, any thread.
 *
 * Nova's schedule and nova's option names: the limit starts at a part of the maximum and grows in
 * equal steps, each after a delay that is given for a GiB of what moves. The clock is the caller's
 * and starts with the memory phase, so a long disk phase does not use the steps up.
 */
#pragma once

#include <glib.h>

#include "model/instance.h"

typedef struct {
    guint maximum_ms; /* live_migration_downtime, or the order's downtime_ms */
    guint steps;      /* live_migration_downtime_steps; 0 or 1: the maximum at once */
    guint delay_s;    /* live_migration_downtime_delay, for a GiB */
    guint64 data_gib; /* ferry_downtime_memory_gib(): disks do not slow the memory phase down */
} FerryDowntimeSteps;

/** Returns: the same of memory alone. */
guint64 ferry_downtime_memory_gib(guint64 memory_bytes);

/** Returns: memory and disks that move, in GiB rounded up, each counted as 2 at least; what nova's
 * delays and timeouts "for a GiB" are multiplied with. @instance: planned (disk-plan.h). */
guint64 ferry_downtime_data_gib(const FerryInstance *instance);

/**
 * ferry_downtime_allowed_ms:
 * @elapsed_us: since the memory phase began; below 0 counts as 0
 * Returns: the limit for now: maximum / steps at first, the maximum after `steps` delays; never
 * falls with time, never 0 and never above the maximum (a maximum of 0 counts as 1).
 */
guint ferry_downtime_allowed_ms(const FerryDowntimeSteps *steps, gint64 elapsed_us);
