/* The alarm of a sleeping thread. */
#include "config.h"

#include "runtime/timer.h"

static void
test_due(void)
{
    FerryAlarm alarm;

    ferry_alarm_init(&alarm);
    g_assert_cmpint(ferry_alarm_wait(&alarm, 0), ==, FERRY_ALARM_DUE);
    g_assert_cmpint(ferry_alarm_wait(&alarm, 1000), ==, FERRY_ALARM_DUE);
    ferry_alarm_clear(&alarm);
}

static void
test_woken_before(void)
{
    FerryAlarm alarm;

    ferry_alarm_init(&alarm);
    ferry_alarm_wake(&alarm);
    ferry_alarm_wake(&alarm);
    g_assert_cmpint(ferry_alarm_wait(&alarm, -1), ==, FERRY_ALARM_WOKEN);
    /* Both wake-ups are told by one. */
    g_assert_cmpint(ferry_alarm_wait(&alarm, 0), ==, FERRY_ALARM_DUE);
    ferry_alarm_clear(&alarm);
}

static gpointer
sleep_until_stopped(gpointer data)
{
    guint woken = 0;

    while (ferry_alarm_wait(data, -1) == FERRY_ALARM_WOKEN)
        woken++;
    return GUINT_TO_POINTER(woken);
}

static void
test_stopped(void)
{
    FerryAlarm alarm;

    ferry_alarm_init(&alarm);

    GThread *sleeper = g_thread_new("sleeper", sleep_until_stopped, &alarm);

    ferry_alarm_wake(&alarm);
    ferry_alarm_stop(&alarm);
    g_assert_cmpuint(GPOINTER_TO_UINT(g_thread_join(sleeper)), <=, 1);
    /* For good. */
    ferry_alarm_wake(&alarm);
    g_assert_cmpint(ferry_alarm_wait(&alarm, -1), ==, FERRY_ALARM_STOPPED);
    ferry_alarm_clear(&alarm);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/alarm/due", test_due);
    g_test_add_func("/alarm/woken-before", test_woken_before);
    g_test_add_func("/alarm/stopped", test_stopped);
    return g_test_run();
}
