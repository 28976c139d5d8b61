#include "config.h"

#include "model/progress.h"

#include "ferry/json.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define GIB (G_GUINT64_CONSTANT(1) << 30)

static gint64
seconds(gint64 count)
{
    return count * G_USEC_PER_SEC;
}

static void
at_disk(FerryProgress *progress, gint64 second)
{
    const FerryProgressSample sample = {.phase = FERRY_PHASE_DISK, .time_us = seconds(second)};
    ferry_progress_update(progress, &sample);
}

static void
at_memory(
    FerryProgress *progress, gint64 second, guint64 total, guint64 processed, guint64 remaining)
{
    const FerryProgressSample sample = {
        .phase = FERRY_PHASE_MEMORY,
        .time_us = seconds(second),
        .memory_total_bytes = total,
        .memory_processed_bytes = processed,
        .memory_remaining_bytes = remaining,
    };
    ferry_progress_update(progress, &sample);
}

static gint64
number(const json_t *json, const char *part, const char *key)
{
    return ferry_json_get_int(part != NULL ? json_object_get(json, part) : json, key, -1);
}

static bool
eta_is_unknown(const FerryProgress *progress)
{
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_nonnull(json_object_get(json, "eta_ms"));
    return json_is_null(json_object_get(json, "eta_ms"));
}

static gint64
eta_ms(const FerryProgress *progress)
{
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_true(json_is_integer(json_object_get(json, "eta_ms")));
    return number(json, NULL, "eta_ms");
}

/* 300 MiB in a disk of 1 TiB and 100 MiB of memory: the disk is three quarters of the way. In
 * memory's first pass a second one is expected. */
static void
test_weights(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 100 * MIB);
    ferry_progress_add_disk(progress, "vda", 1024 * GIB, 300 * MIB);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 0);
    at_disk(progress, 0);
    ferry_progress_set_disk(progress, "vda", 512 * GIB, 1024 * GIB);
    at_disk(progress, 1);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 37);
    ferry_progress_set_disk(progress, "vda", 1024 * GIB, 1024 * GIB);
    at_disk(progress, 2);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 75);
    at_memory(progress, 3, 100 * MIB, 50 * MIB, 50 * MIB);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 87);
    at_memory(progress, 4, 100 * MIB, 100 * MIB, 0);
    g_assert_cmpuint(ferry_progress_percent(progress), >, 90);
    g_assert_cmpuint(ferry_progress_percent(progress), <, 100);
    g_assert_cmpuint(ferry_progress_bytes_moved(progress), ==, 400 * MIB);
    ferry_progress_finish(progress, seconds(5));
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 100);
}

static void
test_zero_pages_are_cheap(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 1000 * MIB);
    at_memory(progress, 1, 1000 * MIB, 0, 1000 * MIB);
    /* 900 MiB turned out to be zeroes, half of the rest has moved. */
    at_memory(progress, 2, 1000 * MIB, 50 * MIB, 50 * MIB);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 50);
}

static void
test_second_pass_does_not_go_back(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 100 * MIB);
    at_memory(progress, 1, 100 * MIB, 90 * MIB, 10 * MIB);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 90);
    at_memory(progress, 2, 100 * MIB, 100 * MIB, 80 * MIB);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 91);
    at_memory(progress, 3, 100 * MIB, 175 * MIB, 5 * MIB);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 99);
    at_memory(progress, 4, 100 * MIB, 180 * MIB, 0);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 99);
}

static void
test_nothing_allocated(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 100 * MIB);
    ferry_progress_add_disk(progress, "vda", 1024 * GIB, 0);
    ferry_progress_set_disk(progress, "vda", 1, 2);
    at_disk(progress, 1);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 0);
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_cmpint(number(json, "disk", "total_bytes"), ==, 0);
    g_assert_cmpint(number(json, "disk", "processed_bytes"), ==, 0);

    /* Not even memory: there is no share to speak of, and no division by nothing. */
    g_autoptr(FerryProgress) empty = ferry_progress_new(0, 0);
    at_disk(empty, 1);
    g_assert_cmpuint(ferry_progress_percent(empty), ==, 0);
    ferry_progress_finish(empty, seconds(2));
    g_assert_cmpuint(ferry_progress_percent(empty), ==, 100);
}

static void
test_block_job_counters(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 0);
    ferry_progress_add_disk(progress, "vda", 1000, 1000);
    ferry_progress_set_disk(progress, "vda", 0, 0);
    at_disk(progress, 1);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 0);
    ferry_progress_set_disk(progress, "vda", 600, 1000);
    ferry_progress_set_disk(progress, "vdz", 999, 1000);
    at_disk(progress, 2);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 60);
    ferry_progress_set_disk(progress, "vda", 500, 1000); /* falls: ignored */
    ferry_progress_set_disk(progress, "vda", 650, 2000); /* the end grew */
    at_disk(progress, 3);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 61);
    ferry_progress_set_disk(progress, "vda", 5000, 2000);
    at_disk(progress, 4);
    g_assert_cmpuint(ferry_progress_bytes_moved(progress), ==, 2000); /* half of it anew */
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 99);
}

static void
test_rates_and_eta(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 0);
    ferry_progress_add_disk(progress, "vda", 1000 * MIB, 1000 * MIB);
    g_assert_true(eta_is_unknown(progress));
    at_disk(progress, 0);
    g_assert_true(eta_is_unknown(progress));
    for (int second = 1; second <= 50; second++) {
        ferry_progress_set_disk(progress, "vda", (guint64)second * 10 * MIB, 1000 * MIB);
        at_disk(progress, second);
    }
    /* 10 MiB a second, 500 MiB to go. */
    g_assert_cmpint(eta_ms(progress), >=, 49000);
    g_assert_cmpint(eta_ms(progress), <=, 52000);
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_cmpint(number(json, NULL, "throughput_bytes_s"), >=, (gint64)(9 * MIB));
    g_assert_cmpint(number(json, NULL, "throughput_bytes_s"), <=, (gint64)(11 * MIB));
    g_assert_cmpint(number(json, NULL, "elapsed_ms"), ==, 50000);

    /* A second in which nothing moves may lie between two lumps; three shift the estimate, they do
     * not rule it. */
    at_disk(progress, 51);
    g_assert_cmpint(eta_ms(progress), >=, 49000);
    g_assert_cmpint(eta_ms(progress), <=, 51000);
    at_disk(progress, 52);
    at_disk(progress, 53);
    g_assert_cmpint(eta_ms(progress), >, 52000);
    g_assert_cmpint(eta_ms(progress), <, 85000);
    /* A stall makes it unknown in the end. */
    for (int second = 54; second < 400; second++)
        at_disk(progress, second);
    g_assert_true(eta_is_unknown(progress));
}

static void
test_eta_of_memory_that_does_not_converge(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 1000 * MIB);
    for (int second = 0; second <= 60; second++)
        at_memory(progress, second, 1000 * MIB, (guint64)second * 100 * MIB, 500 * MIB);
    g_assert_true(eta_is_unknown(progress));
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_cmpint(number(json, NULL, "throughput_bytes_s"), >=, (gint64)(99 * MIB));
}

/* The jump of the counters when the disks are over is not speed. */
static void
test_change_of_phase_is_no_speed(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 100 * MIB);
    ferry_progress_add_disk(progress, "vda", 100 * GIB, 100 * GIB);
    at_disk(progress, 0);
    ferry_progress_set_disk(progress, "vda", 1 * MIB, 100 * GIB);
    at_disk(progress, 1);
    at_memory(progress, 2, 0, 0, 0);
    at_memory(progress, 3, 100 * MIB, 1 * MIB, 99 * MIB);
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_cmpint(number(json, NULL, "throughput_bytes_s"), <=, (gint64)(2 * MIB));
    g_assert_cmpint(number(json, "disk", "remaining_bytes"), ==, 0);
}

static void
test_json(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(seconds(10), 256 * MIB);
    ferry_progress_add_disk(progress, "vda", 20 * GIB, 300 * MIB);
    ferry_progress_add_disk(progress, "vdb", GIB, 100 * MIB);
    ferry_progress_set_disk(progress, "vda", 10 * GIB, 20 * GIB);
    at_disk(progress, 12);
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_cmpint(number(json, NULL, "elapsed_ms"), ==, 2000);
    g_assert_cmpint(number(json, "disk", "total_bytes"), ==, (gint64)(400 * MIB));
    g_assert_cmpint(number(json, "disk", "processed_bytes"), ==, (gint64)(150 * MIB));
    g_assert_cmpint(number(json, "disk", "remaining_bytes"), ==, (gint64)(250 * MIB));
    const json_t *disks = json_object_get(json_object_get(json, "disk"), "disks");
    g_assert_cmpuint(json_object_size(disks), ==, 2);
    g_assert_cmpint(number(disks, "vda", "total_bytes"), ==, (gint64)(300 * MIB));
    g_assert_cmpint(number(disks, "vda", "processed_bytes"), ==, (gint64)(150 * MIB));
    g_assert_cmpint(number(disks, "vda", "remaining_bytes"), ==, (gint64)(150 * MIB));
    g_assert_cmpint(number(disks, "vda", "capacity_bytes"), ==, (gint64)(20 * GIB));
    g_assert_cmpint(number(json, "memory", "total_bytes"), ==, (gint64)(256 * MIB));
    g_assert_cmpint(number(json, "memory", "remaining_bytes"), ==, (gint64)(256 * MIB));

    const FerryProgressSample sample = {
        .phase = FERRY_PHASE_MEMORY,
        .time_us = seconds(13),
        .memory_total_bytes = 260 * MIB,
        .memory_processed_bytes = 10 * MIB,
        .memory_remaining_bytes = 200 * MIB,
        .memory_dirty_rate_bytes_s = 3 * MIB,
        .memory_iteration = 2,
        .expected_downtime_ms = 77,
        .throttle_percent = 20,
    };
    ferry_progress_update(progress, &sample);
    g_autoptr(FerryJson) later = ferry_progress_to_json(progress);
    g_assert_cmpint(number(later, "memory", "total_bytes"), ==, (gint64)(260 * MIB));
    g_assert_cmpint(number(later, "memory", "processed_bytes"), ==, (gint64)(10 * MIB));
    g_assert_cmpint(number(later, "memory", "remaining_bytes"), ==, (gint64)(200 * MIB));
    g_assert_cmpint(number(later, "memory", "dirty_rate_bytes_s"), ==, (gint64)(3 * MIB));
    g_assert_cmpint(number(later, "memory", "iteration"), ==, 2);
    g_assert_cmpint(number(later, NULL, "expected_downtime_ms"), ==, 77);
    g_assert_cmpint(number(later, NULL, "throttle_percent"), ==, 20);

    ferry_progress_finish(progress, seconds(20));
    at_memory(progress, 30, 260 * MIB, 0, 200 * MIB); /* too late: ignored */
    g_autoptr(FerryJson) last = ferry_progress_to_json(progress);
    g_assert_cmpint(number(last, NULL, "percent"), ==, 100);
    g_assert_cmpint(number(last, NULL, "eta_ms"), ==, 0);
    g_assert_cmpint(number(last, NULL, "elapsed_ms"), ==, 10000);
    g_assert_cmpint(number(last, "memory", "remaining_bytes"), ==, 0);
    g_assert_cmpint(number(last, "disk", "remaining_bytes"), ==, 0);
}

/* A reading without memory's counters, as some come between two phases, takes nothing back. */
static void
test_reading_without_memory(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 100 * MIB);
    at_memory(progress, 1, 100 * MIB, 60 * MIB, 40 * MIB);
    at_memory(progress, 2, 0, 0, 0);
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_cmpint(number(json, "memory", "processed_bytes"), ==, (gint64)(60 * MIB));
    g_assert_cmpint(number(json, "memory", "remaining_bytes"), ==, (gint64)(40 * MIB));
    g_assert_cmpint(number(json, NULL, "percent"), ==, 60);
}

static json_t *
field(const FerryProgress *progress, const char *key)
{
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    return json_incref(json_object_get(json, key));
}

/* What the rules say is shown: no ETA and no rising percentage while it does not converge. */
static void
test_convergence(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 0);
    ferry_progress_add_disk(progress, "vda", 1000 * MIB, 1000 * MIB);
    for (int second = 0; second <= 10; second++) {
        ferry_progress_set_disk(progress, "vda", (guint64)second * 10 * MIB, 1000 * MIB);
        at_disk(progress, second);
    }
    g_autoptr(FerryJson) unknown = ferry_progress_to_json(progress);
    g_assert_true(json_is_null(json_object_get(unknown, "converging")));
    g_assert_true(json_is_null(json_object_get(unknown, "stalled")));
    g_assert_cmpint(number(unknown, NULL, "allowed_downtime_ms"), ==, 0);
    g_assert_false(eta_is_unknown(progress));

    const FerryConvergence stalled = {.converging = FERRY_CONVERGING_NO,
                                      .allowed_downtime_ms = 150,
                                      .stall = {.of = "disk",
                                                .writes_bytes_s = 31 * MIB,
                                                .link_bytes_s = 24 * MIB,
                                                .action = "synchronous-writes",
                                                .action_in_ms = 20000}};
    ferry_progress_set_convergence(progress, &stalled);
    guint percent = ferry_progress_percent(progress);
    ferry_progress_set_disk(progress, "vda", 900 * MIB, 1000 * MIB);
    at_disk(progress, 11);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, percent);
    g_assert_true(eta_is_unknown(progress));
    g_autoptr(FerryJson) no = field(progress, "converging");
    g_assert_true(json_is_false(no));
    g_autoptr(FerryJson) stall = field(progress, "stalled");
    g_assert_cmpstr(ferry_json_get_string(stall, "of"), ==, "disk");
    g_assert_cmpint(number(stall, NULL, "writes_bytes_s"), ==, 31 * MIB);
    g_assert_cmpint(number(stall, NULL, "link_bytes_s"), ==, 24 * MIB);
    g_assert_cmpstr(ferry_json_get_string(stall, "action"), ==, "synchronous-writes");
    g_assert_cmpint(number(stall, NULL, "action_in_ms"), ==, 20000);

    const FerryConvergence again = {.converging = FERRY_CONVERGING_YES, .allowed_downtime_ms = 200};
    ferry_progress_set_convergence(progress, &again);
    ferry_progress_set_disk(progress, "vda", 950 * MIB, 1000 * MIB);
    at_disk(progress, 12);
    g_assert_cmpuint(ferry_progress_percent(progress), >, percent);
    g_assert_false(eta_is_unknown(progress));
    g_autoptr(FerryJson) yes = ferry_progress_to_json(progress);
    g_assert_true(json_is_true(json_object_get(yes, "converging")));
    g_assert_true(json_is_null(json_object_get(yes, "stalled")));
    g_assert_cmpint(number(yes, NULL, "allowed_downtime_ms"), ==, 200);

    /* The switchover has begun: nothing is in its way any more. */
    ferry_progress_set_convergence(progress, &stalled);
    const FerryProgressSample switching = {.phase = FERRY_PHASE_SWITCHOVER, .time_us = seconds(13)};
    ferry_progress_update(progress, &switching);
    g_autoptr(FerryJson) none = field(progress, "stalled");
    g_assert_true(json_is_null(none));
}

static guint64
any_number(void)
{
    guint64 bits = ((guint64)g_random_int() << 32) | g_random_int();
    return bits >> g_random_int_range(0, 64);
}

static FerryProgressSample
any_sample(void)
{
    return (FerryProgressSample){
        .phase = (FerryPhase)g_random_int_range(FERRY_PHASE_NONE, FERRY_PHASE_SWITCHOVER + 1),
        .time_us = (gint64)(any_number() >> 1),
        .memory_total_bytes = any_number(),
        .memory_processed_bytes = any_number(),
        .memory_remaining_bytes = any_number(),
        .memory_dirty_rate_bytes_s = any_number(),
        .memory_iteration = any_number(),
        .expected_downtime_ms = any_number(),
        .throttle_percent = g_random_int(),
    };
}

static void
assert_counters(const json_t *counters)
{
    gint64 total = ferry_json_get_int(counters, "total_bytes", -1);
    gint64 processed = ferry_json_get_int(counters, "processed_bytes", -1);
    gint64 remaining = ferry_json_get_int(counters, "remaining_bytes", -1);
    g_assert_cmpint(total, >=, 0);
    g_assert_cmpint(processed, >=, 0);
    g_assert_cmpint(processed, <=, total);
    g_assert_cmpint(remaining, >=, 0);
}

static void
assert_sound(const FerryProgress *progress, guint last_percent, guint highest)
{
    guint percent = ferry_progress_percent(progress);
    g_assert_cmpuint(percent, >=, last_percent);
    g_assert_cmpuint(percent, <=, highest);
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_cmpint(number(json, NULL, "percent"), ==, percent);
    g_assert_true(eta_is_unknown(progress) || number(json, NULL, "eta_ms") >= 0);
    g_assert_cmpint(number(json, NULL, "elapsed_ms"), >=, 0);
    g_assert_cmpint(number(json, NULL, "throughput_bytes_s"), >=, 0);
    assert_counters(json_object_get(json, "disk"));
    const char *target;
    json_t *disk;
    json_object_foreach(json_object_get(json_object_get(json, "disk"), "disks"), target, disk)
        assert_counters(disk);
}

/* Whatever libvirt says, in whatever order. */
static void
test_any_samples(void)
{
    static const char *const targets[] = {"vda", "vdb", "vdc", "none"};
    g_random_set_seed((guint32)g_test_rand_int());
    for (guint round = 0; round < 300; round++) {
        g_autoptr(FerryProgress) progress =
            ferry_progress_new((gint64)(any_number() >> 1), any_number());
        for (int i = 0; i < g_random_int_range(0, 4); i++)
            ferry_progress_add_disk(progress, targets[i], any_number(), any_number());
        guint percent = 0;
        for (guint reading = 0; reading < 20; reading++) {
            ferry_progress_set_disk(progress, targets[g_random_int_range(0, 4)], any_number(),
                                    any_number());
            const FerryProgressSample sample = any_sample();
            ferry_progress_update(progress, &sample);
            assert_sound(progress, percent, 99);
            percent = ferry_progress_percent(progress);
        }
        ferry_progress_finish(progress, (gint64)(any_number() >> 1));
        assert_sound(progress, 100, 100);
    }
}

/* 100 MiB of files, 300 of a disk, 100 of memory: files count as the rest does, and come first. */
static void
test_files_come_first(void)
{
    g_autoptr(FerryProgress) progress = ferry_progress_new(0, 100 * MIB);
    const FerryProgressSample sample = {.phase = FERRY_PHASE_NONE, .time_us = seconds(1)};
    ferry_progress_add_disk(progress, "vda", GIB, 300 * MIB);
    ferry_progress_set_files(progress, 100 * MIB, 50 * MIB);
    ferry_progress_update(progress, &sample);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 10);
    g_assert_cmpuint(ferry_progress_bytes_moved(progress), ==, 50 * MIB);

    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);
    g_assert_cmpint(number(json, "files", "total_bytes"), ==, 100 * MIB);
    g_assert_cmpint(number(json, "files", "processed_bytes"), ==, 50 * MIB);
    g_assert_cmpint(number(json, "files", "remaining_bytes"), ==, 50 * MIB);
    ferry_progress_set_files(progress, 100 * MIB, 120 * MIB);
    ferry_progress_set_disk(progress, "vda", 1, 3);
    at_disk(progress, 2);
    g_assert_cmpuint(ferry_progress_percent(progress), ==, 42);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/progress/files", test_files_come_first);
    g_test_add_func("/progress/weights", test_weights);
    g_test_add_func("/progress/zero-pages", test_zero_pages_are_cheap);
    g_test_add_func("/progress/second-pass", test_second_pass_does_not_go_back);
    g_test_add_func("/progress/nothing-allocated", test_nothing_allocated);
    g_test_add_func("/progress/block-job-counters", test_block_job_counters);
    g_test_add_func("/progress/rates-and-eta", test_rates_and_eta);
    g_test_add_func("/progress/no-convergence", test_eta_of_memory_that_does_not_converge);
    g_test_add_func("/progress/change-of-phase", test_change_of_phase_is_no_speed);
    g_test_add_func("/progress/json", test_json);
    g_test_add_func("/progress/reading-without-memory", test_reading_without_memory);
    g_test_add_func("/progress/convergence", test_convergence);
    g_test_add_func("/progress/any-samples", test_any_samples);
    return g_test_run();
}
