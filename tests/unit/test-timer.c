/* The timer of a sleeping thread. */
#include "config.h"

#include "runtime/timer.h"

static void
test_due(void)
{
    FerryTimer timer;

    ferry_timer_init(&timer);
    g_assert_cmpint(ferry_timer_wait(&timer, 0), ==, FERRY_TIMER_DUE);
    g_assert_cmpint(ferry_timer_wait(&timer, 1000), ==, FERRY_TIMER_DUE);
    ferry_timer_clear(&timer);
}

static void
test_woken_before(void)
{
    FerryTimer timer;

    ferry_timer_init(&timer);
    ferry_timer_wake(&timer);
    ferry_timer_wake(&timer);
    g_assert_cmpint(ferry_timer_wait(&timer, -1), ==, FERRY_TIMER_WOKEN);
    /* Both wake-ups are told by one. */
    g_assert_cmpint(ferry_timer_wait(&timer, 0), ==, FERRY_TIMER_DUE);
    ferry_timer_clear(&timer);
}

static gpointer
sleep_until_stopped(gpointer data)
{
    guint woken = 0;

    while (ferry_timer_wait(data, -1) == FERRY_TIMER_WOKEN)
        woken++;
    return GUINT_TO_POINTER(woken);
}

static void
test_stopped(void)
{
    FerryTimer timer;

    ferry_timer_init(&timer);

    GThread *sleeper = g_thread_new("sleeper", sleep_until_stopped, &timer);

    ferry_timer_wake(&timer);
    ferry_timer_stop(&timer);
    g_assert_cmpuint(GPOINTER_TO_UINT(g_thread_join(sleeper)), <=, 1);
    /* For good. */
    ferry_timer_wake(&timer);
    g_assert_cmpint(ferry_timer_wait(&timer, -1), ==, FERRY_TIMER_STOPPED);
    ferry_timer_clear(&timer);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/timer/due", test_due);
    g_test_add_func("/timer/woken-before", test_woken_before);
    g_test_add_func("/timer/stopped", test_stopped);
    return g_test_run();
}
