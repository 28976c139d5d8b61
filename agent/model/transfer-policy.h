/* transfer-policy.h: what a policy allows now. Pure, any thread.
 *
 * The policies themselves are data: ferry/transfer-policy.h, and sections of the configuration.
 */
#pragma once

#include "ferry/transfer-policy.h"
#include "model/downtime-steps.h"

/* Where the memory phase stands. */
typedef struct {
    guint64 iterations;   /* of memory that are over: 0 while the first one runs */
    gint64 memory_us;     /* since the memory phase began */
    guint downtime_ms;    /* the order's: the most that any step allows */
    guint clock_steps;    /* live_migration_downtime_steps, for the policy that goes by the clock */
    guint clock_delay_s;  /* live_migration_downtime_delay, for a GiB */
    guint64 memory_bytes; /* of the guest */
} FerryPolicyMoment;

/** Returns: the pause that @policy allows, in milliseconds: from 1 to downtime_ms. Never falls
 * while iterations and time rise. */
guint ferry_transfer_policy_allowed_ms(const FerryTransferPolicy *policy,
                                       const FerryPolicyMoment *moment);

/** Returns: true when @policy will allow no more than now, however long it goes on; by the clock
 * or the iterations. What is done at its end is done from then on only. */
bool ferry_transfer_policy_is_at_end(const FerryTransferPolicy *policy,
                                     const FerryPolicyMoment *moment);
