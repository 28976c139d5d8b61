#include "config.h"

#include "model/outcome.h"

#define OBSERVED_COUNT (FERRY_OBSERVED_OTHER + 1)

static FerryOutcome
reach(FerryObservedState source, FerryObservedState destination)
{
    return ferry_outcome_judge(source, destination, /* paused_ordered= */ false);
}

static void
test_the_documented_table(void)
{
    g_assert_cmpint(reach(FERRY_OBSERVED_RUNNING, FERRY_OBSERVED_ABSENT), ==,
                    FERRY_OUTCOME_NOT_MOVED);
    g_assert_cmpint(reach(FERRY_OBSERVED_RUNNING, FERRY_OBSERVED_INCOMING), ==,
                    FERRY_OUTCOME_IN_FLIGHT);
    g_assert_cmpint(reach(FERRY_OBSERVED_PAUSED_MIGRATION, FERRY_OBSERVED_PAUSED), ==,
                    FERRY_OUTCOME_SWITCHING);
    g_assert_cmpint(reach(FERRY_OBSERVED_MIGRATED, FERRY_OBSERVED_RUNNING), ==,
                    FERRY_OUTCOME_SUCCEEDED);
    g_assert_cmpint(reach(FERRY_OBSERVED_ABSENT, FERRY_OBSERVED_RUNNING), ==,
                    FERRY_OUTCOME_SUCCEEDED);
    g_assert_cmpint(reach(FERRY_OBSERVED_POSTCOPY_FAILED, FERRY_OBSERVED_POSTCOPY_FAILED), ==,
                    FERRY_OUTCOME_POSTCOPY_BROKEN);
    g_assert_cmpint(reach(FERRY_OBSERVED_RUNNING, FERRY_OBSERVED_RUNNING), ==,
                    FERRY_OUTCOME_SPLIT_BRAIN);
    g_assert_cmpint(reach(FERRY_OBSERVED_ABSENT, FERRY_OBSERVED_ABSENT), ==, FERRY_OUTCOME_GONE);
}

static void
test_a_silent_host_leaves_it_open(void)
{
    for (int observed = 0; observed < OBSERVED_COUNT; observed++) {
        for (int paused = 0; paused <= 1; paused++) {
            g_assert_cmpint(ferry_outcome_judge(FERRY_OBSERVED_UNREACHABLE, observed, paused), ==,
                            FERRY_OUTCOME_UNKNOWN);
            g_assert_cmpint(ferry_outcome_judge(observed, FERRY_OBSERVED_UNREACHABLE, paused), ==,
                            FERRY_OUTCOME_UNKNOWN);
        }
    }
}

/* Written out: a new state has to be thought about. */
static void
test_dead_or_alive(void)
{
    static const struct {
        FerryObservedState observed;
        bool dead;
        bool may_run;
    } cases[] = {
        {.observed = FERRY_OBSERVED_UNREACHABLE},
        {.observed = FERRY_OBSERVED_ABSENT, .dead = true},
        {.observed = FERRY_OBSERVED_SHUT_OFF, .dead = true},
        {.observed = FERRY_OBSERVED_MIGRATED, .dead = true},
        {.observed = FERRY_OBSERVED_RUNNING, .may_run = true},
        {.observed = FERRY_OBSERVED_PAUSED_MIGRATION, .may_run = true},
        {.observed = FERRY_OBSERVED_INCOMING, .may_run = true},
        {.observed = FERRY_OBSERVED_PAUSED, .may_run = true},
        {.observed = FERRY_OBSERVED_POSTCOPY, .may_run = true},
        {.observed = FERRY_OBSERVED_POSTCOPY_FAILED, .may_run = true},
        {.observed = FERRY_OBSERVED_OTHER, .may_run = true},
    };

    g_assert_cmpuint(G_N_ELEMENTS(cases), ==, OBSERVED_COUNT);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(cases[i].observed, ==, i);
        g_assert_cmpint(ferry_observed_state_is_dead(i), ==, cases[i].dead);
        g_assert_cmpint(ferry_observed_state_may_run(i), ==, cases[i].may_run);
    }
}

/* What follows a success (source disks go) and a "not moved" (the destination's images go) cannot
 * be taken back, so nothing but these cells may say it. */
static void
test_decisions_need_one_living_and_one_dead_host(void)
{
    for (int source = 0; source < OBSERVED_COUNT; source++) {
        for (int destination = 0; destination < OBSERVED_COUNT; destination++) {
            for (int paused = 0; paused <= 1; paused++) {
                FerryOutcome outcome = ferry_outcome_judge(source, destination, paused);
                bool arrived = destination == FERRY_OBSERVED_RUNNING ||
                               (paused && destination == FERRY_OBSERVED_PAUSED);
                bool stayed = source == FERRY_OBSERVED_RUNNING || source == FERRY_OBSERVED_PAUSED;
                g_assert_true((outcome == FERRY_OUTCOME_SUCCEEDED) ==
                              (ferry_observed_state_is_dead(source) && arrived));
                g_assert_true((outcome == FERRY_OUTCOME_NOT_MOVED) ==
                              (stayed && ferry_observed_state_is_dead(destination)));
                if (outcome == FERRY_OUTCOME_GONE)
                    g_assert_true(ferry_observed_state_is_dead(source) &&
                                  ferry_observed_state_is_dead(destination));
                if (outcome == FERRY_OUTCOME_SPLIT_BRAIN)
                    g_assert_true(source == FERRY_OBSERVED_RUNNING &&
                                  destination == FERRY_OBSERVED_RUNNING);
            }
        }
    }
}

static void
test_paused_on_arrival(void)
{
    g_assert_cmpint(ferry_outcome_judge(FERRY_OBSERVED_MIGRATED, FERRY_OBSERVED_PAUSED, true), ==,
                    FERRY_OUTCOME_SUCCEEDED);
    g_assert_cmpint(ferry_outcome_judge(FERRY_OBSERVED_MIGRATED, FERRY_OBSERVED_PAUSED, false), ==,
                    FERRY_OUTCOME_UNKNOWN);
    /* A guest that was paused before travels paused: both sides show it for a moment. */
    g_assert_cmpint(ferry_outcome_judge(FERRY_OBSERVED_PAUSED, FERRY_OBSERVED_INCOMING, true), ==,
                    FERRY_OUTCOME_IN_FLIGHT);
    g_assert_cmpint(ferry_outcome_judge(FERRY_OBSERVED_PAUSED, FERRY_OBSERVED_PAUSED, true), ==,
                    FERRY_OUTCOME_SWITCHING);
    g_assert_cmpint(ferry_outcome_judge(FERRY_OBSERVED_RUNNING, FERRY_OBSERVED_PAUSED, true), ==,
                    FERRY_OUTCOME_UNKNOWN);
}

static void
test_post_copy(void)
{
    g_assert_cmpint(reach(FERRY_OBSERVED_POSTCOPY, FERRY_OBSERVED_POSTCOPY), ==,
                    FERRY_OUTCOME_IN_FLIGHT);
    g_assert_cmpint(reach(FERRY_OBSERVED_POSTCOPY, FERRY_OBSERVED_RUNNING), ==,
                    FERRY_OUTCOME_IN_FLIGHT);
    g_assert_cmpint(reach(FERRY_OBSERVED_POSTCOPY_FAILED, FERRY_OBSERVED_POSTCOPY), ==,
                    FERRY_OUTCOME_POSTCOPY_BROKEN);
    /* Half of its memory was on the source: what runs there is not a whole guest. */
    g_assert_cmpint(reach(FERRY_OBSERVED_ABSENT, FERRY_OBSERVED_POSTCOPY_FAILED), ==,
                    FERRY_OUTCOME_POSTCOPY_BROKEN);
}

static void
test_shut_off(void)
{
    static const struct {
        FerryObservedState source;
        FerryObservedState destination;
        FerryOutcome outcome;
    } rows[] = {
        {FERRY_OBSERVED_SHUT_OFF, FERRY_OBSERVED_ABSENT, FERRY_OUTCOME_NOT_MOVED},
        {FERRY_OBSERVED_SHUT_OFF, FERRY_OBSERVED_SHUT_OFF, FERRY_OUTCOME_SUCCEEDED},
        {FERRY_OBSERVED_MIGRATED, FERRY_OBSERVED_SHUT_OFF, FERRY_OUTCOME_SUCCEEDED},
        {FERRY_OBSERVED_ABSENT, FERRY_OBSERVED_SHUT_OFF, FERRY_OUTCOME_SUCCEEDED},
        {FERRY_OBSERVED_ABSENT, FERRY_OBSERVED_RUNNING, FERRY_OUTCOME_SUCCEEDED},
        {FERRY_OBSERVED_ABSENT, FERRY_OBSERVED_ABSENT, FERRY_OUTCOME_GONE},
        {FERRY_OBSERVED_RUNNING, FERRY_OBSERVED_ABSENT, FERRY_OUTCOME_NOT_MOVED},
        {FERRY_OBSERVED_RUNNING, FERRY_OBSERVED_SHUT_OFF, FERRY_OUTCOME_NOT_MOVED},
        {FERRY_OBSERVED_RUNNING, FERRY_OBSERVED_RUNNING, FERRY_OUTCOME_SPLIT_BRAIN},
        {FERRY_OBSERVED_SHUT_OFF, FERRY_OBSERVED_PAUSED, FERRY_OUTCOME_UNKNOWN},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(ferry_outcome_judge_shut_off(rows[i].source, rows[i].destination), ==,
                        rows[i].outcome);
    for (int other = 0; other < OBSERVED_COUNT; other++) {
        g_assert_cmpint(ferry_outcome_judge_shut_off(FERRY_OBSERVED_UNREACHABLE, other), ==,
                        FERRY_OUTCOME_UNKNOWN);
        g_assert_cmpint(ferry_outcome_judge_shut_off(other, FERRY_OBSERVED_UNREACHABLE), ==,
                        FERRY_OUTCOME_UNKNOWN);
    }
}

static void
test_names(void)
{
    for (int observed = 0; observed < OBSERVED_COUNT; observed++) {
        FerryObservedState back = FERRY_OBSERVED_UNREACHABLE;
        g_assert_true(
            ferry_observed_state_from_string(ferry_observed_state_to_string(observed), &back));
        g_assert_cmpint(back, ==, observed);
    }
    for (int outcome = 0; outcome <= FERRY_OUTCOME_UNKNOWN; outcome++) {
        g_assert_nonnull(ferry_outcome_to_string(outcome));
        for (int other = 0; other < outcome; other++)
            g_assert_cmpstr(ferry_outcome_to_string(outcome), !=, ferry_outcome_to_string(other));
    }
    FerryObservedState untouched = FERRY_OBSERVED_PAUSED;
    g_assert_false(ferry_observed_state_from_string("Running", &untouched));
    g_assert_false(ferry_observed_state_from_string(NULL, &untouched));
    g_assert_cmpint(untouched, ==, FERRY_OBSERVED_PAUSED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outcome/documented-table", test_the_documented_table);
    g_test_add_func("/outcome/silent-host", test_a_silent_host_leaves_it_open);
    g_test_add_func("/outcome/dead-or-alive", test_dead_or_alive);
    g_test_add_func("/outcome/decisions", test_decisions_need_one_living_and_one_dead_host);
    g_test_add_func("/outcome/paused-on-arrival", test_paused_on_arrival);
    g_test_add_func("/outcome/post-copy", test_post_copy);
    g_test_add_func("/outcome/shut-off", test_shut_off);
    g_test_add_func("/outcome/names", test_names);
    return g_test_run();
}
