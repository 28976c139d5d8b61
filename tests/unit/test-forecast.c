#include "config.h"

#include "ferry/json.h"
#include "model/forecast.h"
#include "model/progress.h"

#include <stdio.h>

/* Transfers as libvirt told them (tests/unit/data/traces), a line a look. */
typedef struct {
    gint64 ms;
    guint64 cur;
    guint64 end;
    guint64 written;
    FerryProgressSample sample;
} Look;

typedef struct {
    GArray *looks;
    guint64 memory_bytes;
    guint64 allocation_bytes;
    guint64 capacity_bytes;
    gint64 end_ms; /* 0: it did not end by itself */
} Trace;

static void
trace_clear(Trace *trace)
{
    g_array_unref(trace->looks);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Trace, trace_clear)

static void
read_look(Trace *trace, const char *line)
{
    unsigned long long n[10];
    Look look = {0};

    int found = sscanf(line, "%llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", &n[0], &n[1],
                       &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &n[9]);
    g_assert_cmpint(found, ==, 10);
    look.ms = (gint64)n[0];
    look.cur = n[1];
    look.end = n[2];
    look.written = n[3];
    look.sample = (FerryProgressSample){
        .phase = n[4] > 0 ? FERRY_PHASE_MEMORY : FERRY_PHASE_DISK,
        .time_us = (gint64)n[0] * 1000,
        .memory_total_bytes = n[4],
        .memory_processed_bytes = n[5],
        .memory_remaining_bytes = n[6],
        .memory_dirty_rate_bytes_s = n[7],
        .memory_iteration = n[8],
        .memory_throughput_bytes_s = n[9],
    };
    g_array_append_val(trace->looks, look);
}

static Trace
read_trace(const char *name)
{
    g_autofree char *file = g_strconcat(name, ".txt", NULL);
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "unit", "data", "traces", file, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    Trace trace = {.looks = g_array_new(false, true, sizeof(Look))};
    bool head = false;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        unsigned long long n[4];

        if (lines[i][0] == '#' || !lines[i][0])
            continue;
        if (head) {
            read_look(&trace, lines[i]);
            continue;
        }
        g_assert_cmpint(sscanf(lines[i], "%llu %llu %llu %llu", &n[0], &n[1], &n[2], &n[3]), ==, 4);
        trace.memory_bytes = n[0];
        trace.allocation_bytes = n[1];
        trace.capacity_bytes = n[2];
        trace.end_ms = (gint64)n[3];
        head = true;
    }
    return trace;
}

static const FerryPolicyMoment moment = {.downtime_ms = 500, .memory_bytes = 256 << 20};

static FerryProgress *
start(const Trace *trace, const char *policy)
{
    FerryProgress *progress = ferry_progress_new(0, trace->memory_bytes);

    ferry_progress_add_disk(progress, "vda", trace->capacity_bytes, trace->allocation_bytes);
    ferry_progress_set_policy(progress, ferry_transfer_policy_find_built_in(policy), &moment);
    return progress;
}

static void
take(FerryProgress *progress, const Look *look)
{
    if (look->sample.phase == FERRY_PHASE_DISK)
        ferry_progress_set_disk(progress, "vda", look->cur, look->end);
    ferry_progress_update(progress, &look->sample);
}

static gint64
eta_ms(const FerryProgress *progress)
{
    g_autoptr(FerryJson) json = ferry_progress_to_json(progress);

    return ferry_json_get_int(json, "eta_ms", -1);
}

static const Look *
look_at(const Trace *trace, guint index)
{
    return &g_array_index(trace->looks, Look, index);
}

/* Within 30 % over the last half; the last two seconds are shorter than what a look is worth. */
static bool
is_close(gint64 eta, gint64 truth)
{
    return eta >= 0 && ABS(eta - truth) <= MAX(truth * 3 / 10, 2000);
}

typedef struct {
    const char *name;
    guint far_percent; /* of the looks may be further away */
} EtaCase;

/* Much of the first one's memory is zero, which nobody knows before it is looked at. */
static const EtaCase eta_cases[] = {{"quiet", 40}, {"disk-sequential", 5}, {"memory-half", 5}};

static void
test_eta(gconstpointer data)
{
    const EtaCase *eta_case = data;
    g_auto(Trace) trace = read_trace(eta_case->name);
    g_autoptr(FerryProgress) progress = start(&trace, "fixed");
    guint seen = 0;
    guint far = 0;

    for (guint i = 0; i < trace.looks->len; i++) {
        const Look *look = look_at(&trace, i);
        gint64 truth = trace.end_ms - look->ms;

        take(progress, look);
        g_test_message("%6" G_GINT64_FORMAT " ms: %2u %%, ETA %6" G_GINT64_FORMAT
                       ", truth %6" G_GINT64_FORMAT "%s",
                       look->ms, ferry_progress_percent(progress), eta_ms(progress), truth,
                       is_close(eta_ms(progress), truth) ? "" : " !");
        if (look->ms * 2 < trace.end_ms)
            continue;
        seen++;
        far += !is_close(eta_ms(progress), truth);
    }
    g_test_message("%u of %u are far", far, seen);
    g_assert_cmpuint(far * 100, <=, seen * eta_case->far_percent);
}

/* Memory that is written twice as fast as it is brought: neither an end nor a full bar. */
static void
test_no_end(void)
{
    g_auto(Trace) trace = read_trace("memory-double");
    g_autoptr(FerryProgress) progress = start(&trace, "fixed");

    for (guint i = 0; i < trace.looks->len; i++) {
        const Look *look = look_at(&trace, i);

        take(progress, look);
        g_test_message("%6" G_GINT64_FORMAT " ms: %2u %%, ETA %6" G_GINT64_FORMAT, look->ms,
                       ferry_progress_percent(progress), eta_ms(progress));
        if (look->sample.memory_iteration > 2)
            g_assert_cmpint(eta_ms(progress), ==, -1);
    }
    g_assert_cmpuint(ferry_progress_percent(progress), <, 95);
}

/* It never falls, and does not wait near the end. */
static void
test_percent(gconstpointer data)
{
    g_auto(Trace) trace = read_trace(data);
    g_autoptr(FerryProgress) progress = start(&trace, "fixed");
    guint before = 0;

    for (guint i = 0; i < trace.looks->len; i++) {
        const Look *look = look_at(&trace, i);

        take(progress, look);
        g_assert_cmpuint(ferry_progress_percent(progress), >=, before);
        before = ferry_progress_percent(progress);
        if (look->ms + 3000 < trace.end_ms)
            g_assert_cmpuint(before, <, 95);
    }
    g_assert_cmpuint(before, >=, 75);
}

/* A second attempt begins at zero with its own counters: what is missing is shared by all of it. */
static void
test_second_attempt(void)
{
    g_auto(Trace) trace = read_trace("quiet");
    g_autoptr(FerryProgress) first = start(&trace, "fixed");

    for (guint i = 0; i < trace.looks->len / 2; i++)
        take(first, look_at(&trace, i));
    guint before = ferry_progress_percent(first);
    g_assert_cmpuint(before, >, 10);

    g_autoptr(FerryProgress) second = start(&trace, "fixed");
    g_autoptr(FerryJson) former = ferry_progress_to_json(first);
    ferry_progress_go_on(second, former);
    g_assert_cmpuint(ferry_progress_percent(second), ==, before);
    for (guint i = 0; i < trace.looks->len / 2; i++)
        take(second, look_at(&trace, i));
    g_assert_cmpuint(ferry_progress_percent(second), >, before + 10);
    g_assert_cmpuint(ferry_progress_percent(second), <, 2 * before);
}

/* A mirror with a limit moves 16 MiB, seen in two looks, and then nothing for two seconds. */
static void
test_lumps(void)
{
    FerryForecast forecast = {0};
    FerryForecastReading reading = {.phase = FERRY_PHASE_DISK, .disk_left = 256 << 20};
    gint64 before = 0;

    for (guint look = 0; look < 80; look++) {
        double lump = look % 8 == 0 ? 12 << 20 : look % 8 == 1 ? 4 << 20 : 0;

        reading.time_us = (look + 1) * G_USEC_PER_SEC / 4;
        reading.moved += lump;
        reading.disk_left -= lump;
        ferry_forecast_take(&forecast, &reading, false);

        gint64 eta = ferry_forecast_eta_ms(&forecast);

        g_test_message("%u ms: ETA %d ms", look * 250, (int)eta);
        if (look > 32)
            g_assert_cmpint(ABS(eta - (before - 250)), <=, 500);
        before = eta;
    }
}

/* One that has stood for longer than between two lumps is not near its end because of that. */
static void
test_stands_still(void)
{
    FerryForecast forecast = {0};
    FerryForecastReading reading = {.phase = FERRY_PHASE_DISK, .disk_left = 256 << 20};
    gint64 before = -1;

    for (guint look = 0; look < 40; look++) {
        reading.time_us = (look + 1) * G_USEC_PER_SEC / 4;
        reading.moved += look < 20 ? 2 << 20 : 0;
        reading.disk_left -= look < 20 ? 2 << 20 : 0;
        ferry_forecast_take(&forecast, &reading, false);
        if (look == 19)
            before = ferry_forecast_eta_ms(&forecast);
    }
    g_assert_cmpint(ferry_forecast_eta_ms(&forecast), >, before);
}

/* Passes that do not become smaller end where the policy allows a pause for one of them. */
static void
test_next_steps(void)
{
    const FerryForecastReading first = {.time_us = 1,
                                        .phase = FERRY_PHASE_MEMORY,
                                        .memory_left = 20e6,
                                        .dirty_bytes_s = 40e6,
                                        .iteration = 2,
                                        .allowed_ms = 100};
    FerryForecast forecast = {
        .policy = *ferry_transfer_policy_find_built_in("minimal-downtime"),
        .moment = {.downtime_ms = 1000, .memory_bytes = 256 << 20},
    };
    FerryForecastReading reading = first;

    ferry_forecast_take(&forecast, &reading, false);
    for (guint i = 0; i < 4 * 2; i++) {
        reading.time_us += G_USEC_PER_SEC / 4;
        reading.moved += 10e6;
        reading.memory_left = 20e6 - 10e6 * (i % 2);
        reading.iteration += i % 2 == 0;
        ferry_forecast_take(&forecast, &reading, false);
    }
    /* 20 MB at 40 MB/s are half a second, which it allows after the sixth pass. */
    gint64 eta = ferry_forecast_eta_ms(&forecast);
    g_test_message("iteration %d, ETA %d ms", (int)reading.iteration, (int)eta);
    g_assert_cmpint(eta, >, 0);
    g_assert_cmpint(eta, <, 4000);
    forecast.moment.downtime_ms = 300;
    g_assert_cmpint(ferry_forecast_eta_ms(&forecast), ==, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/forecast/eta/quiet", &eta_cases[0], test_eta);
    g_test_add_data_func("/forecast/eta/disk-sequential", &eta_cases[1], test_eta);
    g_test_add_data_func("/forecast/eta/memory-half", &eta_cases[2], test_eta);
    g_test_add_data_func("/forecast/percent/quiet", "quiet", test_percent);
    g_test_add_data_func("/forecast/percent/disk-small", "disk-small", test_percent);
    g_test_add_data_func("/forecast/percent/disk-sequential", "disk-sequential", test_percent);
    g_test_add_data_func("/forecast/percent/memory-half", "memory-half", test_percent);
    g_test_add_func("/forecast/second-attempt", test_second_attempt);
    g_test_add_func("/forecast/next-steps", test_next_steps);
    g_test_add_func("/forecast/lumps", test_lumps);
    g_test_add_func("/forecast/stands-still", test_stands_still);
    g_test_add_func("/forecast/no-end", test_no_end);
    return g_test_run();
}
