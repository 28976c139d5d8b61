#include "config.h"

#include "runtime/stall-timer.h"

#define LIMIT 100

static void
test_counts_from_the_first_failure(void)
{
    FerryStallTimer stall = {0};

    /* However late the first failure shows, the whole time is left. */
    g_assert_true(ferry_stall_timer_allows(&stall, 5, 100000, LIMIT));
    g_assert_true(ferry_stall_timer_allows(&stall, 5, 100000 + LIMIT - 1, LIMIT));
    g_assert_false(ferry_stall_timer_allows(&stall, 5, 100000 + LIMIT, LIMIT));
}

static void
test_begins_anew_with_a_movement(void)
{
    FerryStallTimer stall = {0};

    g_assert_true(ferry_stall_timer_allows(&stall, 5, 1000, LIMIT));
    g_assert_true(ferry_stall_timer_allows(&stall, 6, 1000 + LIMIT, LIMIT));
    g_assert_true(ferry_stall_timer_allows(&stall, 6, 1000 + 2 * LIMIT - 1, LIMIT));
    g_assert_false(ferry_stall_timer_allows(&stall, 6, 1000 + 2 * LIMIT, LIMIT));
}

static void
test_going_back_is_no_movement(void)
{
    FerryStallTimer stall = {0};

    g_assert_true(ferry_stall_timer_allows(&stall, 9, 1000, LIMIT));
    g_assert_true(ferry_stall_timer_allows(&stall, 0, 1050, LIMIT));
    g_assert_true(ferry_stall_timer_allows(&stall, 8, 1099, LIMIT));
    g_assert_false(ferry_stall_timer_allows(&stall, 9, 1000 + LIMIT, LIMIT));
}

static void
test_no_time_at_all(void)
{
    FerryStallTimer stall = {0};

    g_assert_false(ferry_stall_timer_allows(&stall, 1, 1000, 0));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stall-timer/counts-from-the-first-failure",
                    test_counts_from_the_first_failure);
    g_test_add_func("/stall-timer/begins-anew-with-a-movement", test_begins_anew_with_a_movement);
    g_test_add_func("/stall-timer/going-back-is-no-movement", test_going_back_is_no_movement);
    g_test_add_func("/stall-timer/no-time-at-all", test_no_time_at_all);
    return g_test_run();
}
