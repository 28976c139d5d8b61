#include "config.h"

#include "model/outcome.h"

#define SIGHT_COUNT (FERRY_SIGHT_OTHER + 1)

static FerryVerdict
reach(FerrySight source, FerrySight destination)
{
    return ferry_verdict_reach(source, destination, /* paused_ordered= */ false);
}

static void
test_the_documented_table(void)
{
    g_assert_cmpint(reach(FERRY_SIGHT_RUNNING, FERRY_SIGHT_ABSENT), ==, FERRY_VERDICT_NOT_MOVED);
    g_assert_cmpint(reach(FERRY_SIGHT_RUNNING, FERRY_SIGHT_INCOMING), ==, FERRY_VERDICT_IN_FLIGHT);
    g_assert_cmpint(reach(FERRY_SIGHT_PAUSED_MIGRATION, FERRY_SIGHT_PAUSED), ==,
                    FERRY_VERDICT_SWITCHING);
    g_assert_cmpint(reach(FERRY_SIGHT_MIGRATED, FERRY_SIGHT_RUNNING), ==, FERRY_VERDICT_SUCCEEDED);
    g_assert_cmpint(reach(FERRY_SIGHT_ABSENT, FERRY_SIGHT_RUNNING), ==, FERRY_VERDICT_SUCCEEDED);
    g_assert_cmpint(reach(FERRY_SIGHT_POSTCOPY_FAILED, FERRY_SIGHT_POSTCOPY_FAILED), ==,
                    FERRY_VERDICT_POSTCOPY_BROKEN);
    g_assert_cmpint(reach(FERRY_SIGHT_RUNNING, FERRY_SIGHT_RUNNING), ==, FERRY_VERDICT_SPLIT_BRAIN);
    g_assert_cmpint(reach(FERRY_SIGHT_ABSENT, FERRY_SIGHT_ABSENT), ==, FERRY_VERDICT_GONE);
}

static void
test_a_silent_host_leaves_it_open(void)
{
    for (int sight = 0; sight < SIGHT_COUNT; sight++) {
        for (int paused = 0; paused <= 1; paused++) {
            g_assert_cmpint(ferry_verdict_reach(FERRY_SIGHT_UNREACHABLE, sight, paused), ==,
                            FERRY_VERDICT_UNKNOWN);
            g_assert_cmpint(ferry_verdict_reach(sight, FERRY_SIGHT_UNREACHABLE, paused), ==,
                            FERRY_VERDICT_UNKNOWN);
        }
    }
}

static bool
is_dead(FerrySight sight)
{
    return sight == FERRY_SIGHT_ABSENT || sight == FERRY_SIGHT_SHUT_OFF ||
           sight == FERRY_SIGHT_MIGRATED;
}

/* What follows a success (source disks go) and a "not moved" (the destination's images go) cannot
 * be taken back, so nothing but these cells may say it. */
static void
test_decisions_need_one_living_and_one_dead_host(void)
{
    for (int source = 0; source < SIGHT_COUNT; source++) {
        for (int destination = 0; destination < SIGHT_COUNT; destination++) {
            for (int paused = 0; paused <= 1; paused++) {
                FerryVerdict verdict = ferry_verdict_reach(source, destination, paused);
                bool arrived = destination == FERRY_SIGHT_RUNNING ||
                               (paused && destination == FERRY_SIGHT_PAUSED);
                bool stayed = source == FERRY_SIGHT_RUNNING || source == FERRY_SIGHT_PAUSED;
                g_assert_true((verdict == FERRY_VERDICT_SUCCEEDED) == (is_dead(source) && arrived));
                g_assert_true((verdict == FERRY_VERDICT_NOT_MOVED) ==
                              (stayed && is_dead(destination)));
                if (verdict == FERRY_VERDICT_GONE)
                    g_assert_true(is_dead(source) && is_dead(destination));
                if (verdict == FERRY_VERDICT_SPLIT_BRAIN)
                    g_assert_true(source == FERRY_SIGHT_RUNNING &&
                                  destination == FERRY_SIGHT_RUNNING);
            }
        }
    }
}

static void
test_paused_on_arrival(void)
{
    g_assert_cmpint(ferry_verdict_reach(FERRY_SIGHT_MIGRATED, FERRY_SIGHT_PAUSED, true), ==,
                    FERRY_VERDICT_SUCCEEDED);
    g_assert_cmpint(ferry_verdict_reach(FERRY_SIGHT_MIGRATED, FERRY_SIGHT_PAUSED, false), ==,
                    FERRY_VERDICT_UNKNOWN);
    /* A guest that was paused before travels paused: both sides show it for a moment. */
    g_assert_cmpint(ferry_verdict_reach(FERRY_SIGHT_PAUSED, FERRY_SIGHT_INCOMING, true), ==,
                    FERRY_VERDICT_IN_FLIGHT);
    g_assert_cmpint(ferry_verdict_reach(FERRY_SIGHT_PAUSED, FERRY_SIGHT_PAUSED, true), ==,
                    FERRY_VERDICT_SWITCHING);
    g_assert_cmpint(ferry_verdict_reach(FERRY_SIGHT_RUNNING, FERRY_SIGHT_PAUSED, true), ==,
                    FERRY_VERDICT_UNKNOWN);
}

static void
test_post_copy(void)
{
    g_assert_cmpint(reach(FERRY_SIGHT_POSTCOPY, FERRY_SIGHT_POSTCOPY), ==, FERRY_VERDICT_IN_FLIGHT);
    g_assert_cmpint(reach(FERRY_SIGHT_POSTCOPY, FERRY_SIGHT_RUNNING), ==, FERRY_VERDICT_IN_FLIGHT);
    g_assert_cmpint(reach(FERRY_SIGHT_POSTCOPY_FAILED, FERRY_SIGHT_POSTCOPY), ==,
                    FERRY_VERDICT_POSTCOPY_BROKEN);
    /* Half of its memory was on the source: what runs there is not a whole guest. */
    g_assert_cmpint(reach(FERRY_SIGHT_ABSENT, FERRY_SIGHT_POSTCOPY_FAILED), ==,
                    FERRY_VERDICT_POSTCOPY_BROKEN);
}

static void
test_shut_off(void)
{
    static const struct {
        FerrySight source;
        FerrySight destination;
        FerryVerdict verdict;
    } rows[] = {
        {FERRY_SIGHT_SHUT_OFF, FERRY_SIGHT_ABSENT, FERRY_VERDICT_NOT_MOVED},
        {FERRY_SIGHT_SHUT_OFF, FERRY_SIGHT_SHUT_OFF, FERRY_VERDICT_SUCCEEDED},
        {FERRY_SIGHT_MIGRATED, FERRY_SIGHT_SHUT_OFF, FERRY_VERDICT_SUCCEEDED},
        {FERRY_SIGHT_ABSENT, FERRY_SIGHT_SHUT_OFF, FERRY_VERDICT_SUCCEEDED},
        {FERRY_SIGHT_ABSENT, FERRY_SIGHT_RUNNING, FERRY_VERDICT_SUCCEEDED},
        {FERRY_SIGHT_ABSENT, FERRY_SIGHT_ABSENT, FERRY_VERDICT_GONE},
        {FERRY_SIGHT_RUNNING, FERRY_SIGHT_ABSENT, FERRY_VERDICT_NOT_MOVED},
        {FERRY_SIGHT_RUNNING, FERRY_SIGHT_SHUT_OFF, FERRY_VERDICT_NOT_MOVED},
        {FERRY_SIGHT_RUNNING, FERRY_SIGHT_RUNNING, FERRY_VERDICT_SPLIT_BRAIN},
        {FERRY_SIGHT_SHUT_OFF, FERRY_SIGHT_PAUSED, FERRY_VERDICT_UNKNOWN},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(ferry_verdict_reach_shut_off(rows[i].source, rows[i].destination), ==,
                        rows[i].verdict);
    for (int other = 0; other < SIGHT_COUNT; other++) {
        g_assert_cmpint(ferry_verdict_reach_shut_off(FERRY_SIGHT_UNREACHABLE, other), ==,
                        FERRY_VERDICT_UNKNOWN);
        g_assert_cmpint(ferry_verdict_reach_shut_off(other, FERRY_SIGHT_UNREACHABLE), ==,
                        FERRY_VERDICT_UNKNOWN);
    }
}

static void
test_names(void)
{
    for (int sight = 0; sight < SIGHT_COUNT; sight++) {
        FerrySight back = FERRY_SIGHT_UNREACHABLE;
        g_assert_true(ferry_sight_from_string(ferry_sight_to_string(sight), &back));
        g_assert_cmpint(back, ==, sight);
    }
    for (int verdict = 0; verdict <= FERRY_VERDICT_UNKNOWN; verdict++) {
        g_assert_nonnull(ferry_verdict_to_string(verdict));
        for (int other = 0; other < verdict; other++)
            g_assert_cmpstr(ferry_verdict_to_string(verdict), !=, ferry_verdict_to_string(other));
    }
    FerrySight untouched = FERRY_SIGHT_PAUSED;
    g_assert_false(ferry_sight_from_string("Running", &untouched));
    g_assert_false(ferry_sight_from_string(NULL, &untouched));
    g_assert_cmpint(untouched, ==, FERRY_SIGHT_PAUSED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/verdict/documented-table", test_the_documented_table);
    g_test_add_func("/verdict/silent-host", test_a_silent_host_leaves_it_open);
    g_test_add_func("/verdict/decisions", test_decisions_need_one_living_and_one_dead_host);
    g_test_add_func("/verdict/paused-on-arrival", test_paused_on_arrival);
    g_test_add_func("/verdict/post-copy", test_post_copy);
    g_test_add_func("/verdict/shut-off", test_shut_off);
    g_test_add_func("/verdict/names", test_names);
    return g_test_run();
}
