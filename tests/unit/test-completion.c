#include "config.h"

#include "ferry/clock.h"
#include "ferry/json.h"
#include "source/completion.h"

#define BEGIN (G_GINT64_CONSTANT(1795435935) * G_USEC_PER_SEC + 250000)

static void
add(json_t *steps, const char *name, gint64 begun_s, gint64 ended_s)
{
    g_autofree char *begun = ferry_clock_format_iso(BEGIN + begun_s * G_USEC_PER_SEC);
    g_autofree char *ended =
        ended_s ? ferry_clock_format_iso(BEGIN + ended_s * G_USEC_PER_SEC) : NULL;

    json_array_append_new(
        steps, json_pack("{s:s, s:s, s:s?}", "name", name, "started_at", begun, "ended_at", ended));
}

static gint64
spent_s(const json_t *steps, gint64 now_s)
{
    gint64 spent_us = ferry_completion_spent_us(steps, BEGIN + now_s * G_USEC_PER_SEC);

    g_assert_cmpint(spent_us % G_USEC_PER_SEC, ==, 0);
    return spent_us / G_USEC_PER_SEC;
}

static void
test_steps_of_the_transfer_count(void)
{
    g_autoptr(FerryJson) steps = json_array();

    g_assert_cmpint(spent_s(steps, 1000), ==, 0);
    add(steps, "check", 0, 10);
    add(steps, "prepare", 10, 20);
    g_assert_cmpint(spent_s(steps, 1000), ==, 0);
    add(steps, "files", 20, 23);
    add(steps, "trim", 23, 63);
    add(steps, "snapshot", 63, 64);
    g_assert_cmpint(spent_s(steps, 1000), ==, 4);
    add(steps, "seed", 64, 0);
    g_assert_cmpint(spent_s(steps, 70), ==, 10);
    add(steps, "transfer", 70, 0);
    g_assert_cmpint(spent_s(steps, 72), ==, 14);
}

static void
test_clock_that_was_set_back(void)
{
    g_autoptr(FerryJson) steps = json_array();

    add(steps, "files", 20, 25);
    add(steps, "seed", 1000, 0);
    g_assert_cmpint(spent_s(steps, 30), ==, 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/completion/steps-of-the-transfer-count", test_steps_of_the_transfer_count);
    g_test_add_func("/completion/clock-that-was-set-back", test_clock_that_was_set_back);
    return g_test_run();
}
