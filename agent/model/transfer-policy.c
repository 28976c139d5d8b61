#include "config.h"

#include "model/transfer-policy.h"

static guint
by_clock(const FerryPolicyMoment *moment)
{
    const FerryDowntimeSteps steps = {
        .maximum_ms = moment->downtime_ms,
        .steps = moment->clock_steps,
        .delay_s = moment->clock_delay_s,
        .data_gib = ferry_downtime_memory_gib(moment->memory_bytes),
    };

    return ferry_downtime_allowed_ms(&steps, moment->memory_us);
}

static guint
by_iterations(const FerryTransferPolicy *policy, guint64 iterations)
{
    guint allowed = policy->start_ms;

    for (guint i = 0; i < FERRY_POLICY_MAX_STEPS; i++) {
        const FerryPolicyStep *step = &policy->steps[i];

        if (step->iteration > 0 && step->iteration <= iterations)
            allowed = MAX(allowed, step->downtime_ms);
    }
    return allowed;
}

guint
ferry_transfer_policy_allowed_ms(const FerryTransferPolicy *policy, const FerryPolicyMoment *moment)
{
    guint allowed = policy->by_clock ? by_clock(moment) : by_iterations(policy, moment->iterations);

    return CLAMP(allowed, 1, MAX(moment->downtime_ms, 1));
}

bool
ferry_transfer_policy_is_at_end(const FerryTransferPolicy *policy, const FerryPolicyMoment *moment)
{
    FerryPolicyMoment last = *moment;

    last.iterations = G_MAXUINT64;
    last.memory_us = G_MAXINT64;
    return ferry_transfer_policy_allowed_ms(policy, moment) ==
           ferry_transfer_policy_allowed_ms(policy, &last);
}
