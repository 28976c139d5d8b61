#include "config.h"

#include "model/transfer-policy.h"

#include "ferry/config.h"

static const FerryPolicyMoment first = {
    .downtime_ms = 500, .clock_steps = 10, .clock_delay_s = 75, .memory_bytes = 8ULL << 30};

static guint
allowed(const char *name, guint64 iterations, guint downtime_ms)
{
    FerryPolicyMoment moment = first;

    moment.iterations = iterations;
    moment.downtime_ms = downtime_ms;
    return ferry_transfer_policy_allowed_ms(ferry_transfer_policy_find_built_in(name), &moment);
}

static void
test_steps(void)
{
    static const struct {
        const char *policy;
        guint64 iterations;
        guint downtime_ms;
        guint allowed_ms;
    } cases[] = {
        {"minimal-downtime", 0, 500, 100},  {"minimal-downtime", 1, 500, 150},
        {"minimal-downtime", 4, 500, 400},  {"minimal-downtime", 5, 500, 400},
        {"minimal-downtime", 6, 500, 500},  {"minimal-downtime", G_MAXUINT64, 4000, 500},
        {"minimal-downtime", 3, 250, 250},  {"minimal-downtime", 0, 50, 50},
        {"suspend-if-needed", 2, 500, 200}, {"post-copy", 9, 500, 200},
        {"very-large", 0, 2000, 300},       {"very-large", 6, 2000, 1500},
        {"very-large", 6, 500, 500},        {"fixed", 0, 4000, 4000},
        {"fixed", 99, 4000, 4000},          {"fixed", 0, 0, 1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpuint(allowed(cases[i].policy, cases[i].iterations, cases[i].downtime_ms), ==,
                         cases[i].allowed_ms);
}

/* With 8 GiB of memory a step each 600 s, whatever disks move. */
static void
test_clock(void)
{
    const FerryTransferPolicy *nova = ferry_transfer_policy_find_built_in("nova");
    FerryPolicyMoment moment = first;

    moment.iterations = 50;
    g_assert_cmpuint(ferry_transfer_policy_allowed_ms(nova, &moment), ==, 50);
    g_assert_false(ferry_transfer_policy_is_at_end(nova, &moment));
    moment.memory_us = 600 * G_USEC_PER_SEC;
    g_assert_cmpuint(ferry_transfer_policy_allowed_ms(nova, &moment), ==, 95);
    moment.memory_us *= 10;
    g_assert_cmpuint(ferry_transfer_policy_allowed_ms(nova, &moment), ==, 500);
    g_assert_true(ferry_transfer_policy_is_at_end(nova, &moment));
}

static void
test_end(void)
{
    const FerryTransferPolicy *policy = ferry_transfer_policy_find_built_in("minimal-downtime");
    FerryPolicyMoment moment = first;

    moment.iterations = 5;
    g_assert_false(ferry_transfer_policy_is_at_end(policy, &moment));
    moment.iterations = 6;
    g_assert_true(ferry_transfer_policy_is_at_end(policy, &moment));
    /* The order's limit ends it sooner. */
    moment.iterations = 3;
    moment.downtime_ms = 300;
    g_assert_true(ferry_transfer_policy_is_at_end(policy, &moment));
}

/* Each of the table may only grow, and has a name of its own. */
static void
test_table(void)
{
    const FerryTransferPolicy *policy = NULL;

    for (guint i = 0; (policy = ferry_transfer_policy_built_in(i)); i++) {
        FerryPolicyStep before = {0, policy->start_ms};

        g_assert_true(ferry_transfer_policy_find_built_in(policy->name) == policy);
        for (guint s = 0; s < FERRY_POLICY_MAX_STEPS && policy->steps[s].iteration > 0; s++) {
            g_assert_cmpuint(policy->steps[s].iteration, >, before.iteration);
            g_assert_cmpuint(policy->steps[s].downtime_ms, >, before.downtime_ms);
            before = policy->steps[s];
        }
    }
    g_assert_null(ferry_transfer_policy_find_built_in("gentle"));
    g_assert_null(ferry_transfer_policy_find_built_in(NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/transfer-policy/steps", test_steps);
    g_test_add_func("/transfer-policy/clock", test_clock);
    g_test_add_func("/transfer-policy/end", test_end);
    g_test_add_func("/transfer-policy/table", test_table);
    return g_test_run();
}
