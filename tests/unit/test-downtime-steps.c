#include "config.h"

#include "model/downtime-steps.h"

#define GIB (G_GUINT64_CONSTANT(1) << 30)

static gint64
seconds(gint64 count)
{
    return count * G_USEC_PER_SEC;
}

static void
test_defaults_of_the_configuration(void)
{
    /* 75 seconds for each of 4 GiB: a step of 45 ms every 300 seconds. */
    const FerryDowntimeSteps steps = {.maximum_ms = 500, .steps = 10, .delay_s = 75, .data_gib = 4};
    g_assert_cmpuint(ferry_downtime_allowed_ms(&steps, 0), ==, 50);
    g_assert_cmpuint(ferry_downtime_allowed_ms(&steps, seconds(300) - 1), ==, 50);
    g_assert_cmpuint(ferry_downtime_allowed_ms(&steps, seconds(300)), ==, 95);
    g_assert_cmpuint(ferry_downtime_allowed_ms(&steps, seconds(600)), ==, 140);
    g_assert_cmpuint(ferry_downtime_allowed_ms(&steps, seconds(2999)), ==, 455);
    g_assert_cmpuint(ferry_downtime_allowed_ms(&steps, seconds(3000)), ==, 500);
    g_assert_cmpuint(ferry_downtime_allowed_ms(&steps, G_MAXINT64), ==, 500);
}

static void
test_edges(void)
{
    const FerryDowntimeSteps at_once = {
        .maximum_ms = 500, .steps = 1, .delay_s = 75, .data_gib = 4};
    g_assert_cmpuint(ferry_downtime_allowed_ms(&at_once, 0), ==, 500);
    const FerryDowntimeSteps no_steps = {.maximum_ms = 500, .data_gib = 4};
    g_assert_cmpuint(ferry_downtime_allowed_ms(&no_steps, 0), ==, 500);
    const FerryDowntimeSteps no_delay = {.maximum_ms = 500, .steps = 10, .data_gib = 4};
    g_assert_cmpuint(ferry_downtime_allowed_ms(&no_delay, 0), ==, 500);
    const FerryDowntimeSteps tiny = {.maximum_ms = 3, .steps = 10, .delay_s = 3, .data_gib = 2};
    g_assert_cmpuint(ferry_downtime_allowed_ms(&tiny, 0), ==, 1);
    g_assert_cmpuint(ferry_downtime_allowed_ms(&tiny, -seconds(5)), ==, 1);
    g_assert_cmpuint(ferry_downtime_allowed_ms(&tiny, seconds(60)), ==, 3);
    const FerryDowntimeSteps none = {.maximum_ms = 0, .steps = 10, .delay_s = 3, .data_gib = 2};
    g_assert_cmpuint(ferry_downtime_allowed_ms(&none, seconds(100)), ==, 1);
    const FerryDowntimeSteps huge = {
        .maximum_ms = G_MAXUINT, .steps = 3, .delay_s = G_MAXUINT, .data_gib = G_MAXUINT64};
    g_assert_cmpuint(ferry_downtime_allowed_ms(&huge, G_MAXINT64), ==, G_MAXUINT / 3);
}

static void
test_never_falls_and_stays_in_range(void)
{
    for (guint round = 0; round < 500; round++) {
        const FerryDowntimeSteps steps = {
            .maximum_ms = (guint)g_test_rand_int_range(1, 2000000),
            .steps = (guint)g_test_rand_int_range(0, 50),
            .delay_s = (guint)g_test_rand_int_range(0, 100),
            .data_gib = (guint64)g_test_rand_int_range(2, 200),
        };
        guint last = 1;
        for (gint64 second = 0; second < 200000; second += g_test_rand_int_range(1, 20000)) {
            guint allowed = ferry_downtime_allowed_ms(&steps, seconds(second));
            g_assert_cmpuint(allowed, >=, last);
            g_assert_cmpuint(allowed, <=, steps.maximum_ms);
            last = allowed;
        }
    }
}

static void
test_data_gib(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    instance->memory_bytes = 256 * 1024 * 1024;
    g_assert_cmpuint(ferry_downtime_data_gib(instance), ==, 2);
    instance->memory_bytes = 4 * GIB + 1;
    g_assert_cmpuint(ferry_downtime_data_gib(instance), ==, 5);
    FerryDisk *moves = ferry_disk_new();
    moves->migrate = true;
    moves->allocation_bytes = 0;
    g_ptr_array_add(instance->disks, moves);
    FerryDisk *stays = ferry_disk_new();
    stays->allocation_bytes = 100 * GIB;
    g_ptr_array_add(instance->disks, stays);
    g_assert_cmpuint(ferry_downtime_data_gib(instance), ==, 7);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/downtime-steps/defaults", test_defaults_of_the_configuration);
    g_test_add_func("/downtime-steps/edges", test_edges);
    g_test_add_func("/downtime-steps/never-falls", test_never_falls_and_stays_in_range);
    g_test_add_func("/downtime-steps/data-gib", test_data_gib);
    return g_test_run();
}
