#include "config.h"

#include "model/progress.h"

#include "ferry/json.h"
#include "model/forecast.h"

#include <string.h>

/* 100 is said by ferry_progress_finish() only: until then something can still go wrong. */
#define MAX_UNFINISHED_PERCENT 99
#define MAX_ETA_MS (G_GINT64_CONSTANT(365) * 24 * 3600 * 1000)

typedef struct {
    char target[FERRY_PROGRESS_MAX_TARGET];
    guint64 capacity_bytes;
    guint64 allocation_bytes;
    guint64 first_end; /* what its block job had to do at first */
    guint64 cur;
    guint64 end;
    bool over;
} Disk;

struct FerryProgress {
    gint64 started_us;
    gint64 time_us;
    guint64 files_total_bytes;
    guint64 files_processed_bytes;
    GArray *disks;              /* Disk */
    FerryProgressSample sample; /* the last one, but for counters that later ones left out */
    guint64 memory_bytes;       /* what the guest has, until libvirt says what must move */
    bool memory_seen;
    guint64 memory_moved_bytes; /* the highest seen */
    double done;                /* 0 .. 1: never falls */
    bool goes_on;               /* what was moved before the first sample is in it already */
    double counted_bytes;       /* what was moved up to there */
    bool finished;
    FerryConvergence convergence;
    FerryForecast forecast;
};

FerryProgress *
ferry_progress_new(gint64 started_us, guint64 memory_bytes)
{
    FerryProgress *progress = g_new0(FerryProgress, 1);
    progress->started_us = started_us;
    progress->time_us = started_us;
    progress->memory_bytes = memory_bytes;
    progress->disks = g_array_new(/* zero_terminated= */ false, /* clear= */ true, sizeof(Disk));
    return progress;
}

void
ferry_progress_free(FerryProgress *progress)
{
    if (!progress)
        return;
    g_array_unref(progress->disks);
    g_free(progress);
}

void
ferry_progress_go_on(FerryProgress *progress, const json_t *former)
{
    gint64 elapsed_ms = json_integer_value(json_object_get(former, "elapsed_ms"));
    gint64 percent = json_integer_value(json_object_get(former, "percent"));

    progress->done = (double)CLAMP(percent, 0, MAX_UNFINISHED_PERCENT) / 100.0;
    progress->goes_on = percent > 0;
    progress->started_us -= MAX(elapsed_ms, 0) * G_TIME_SPAN_MILLISECOND;
}

static Disk *
disk_at(const FerryProgress *progress, guint index)
{
    return &g_array_index(progress->disks, Disk, index);
}

void
ferry_progress_add_disk(FerryProgress *progress,
                        const char *target,
                        guint64 capacity_bytes,
                        guint64 allocation_bytes)
{
    Disk disk = {.capacity_bytes = capacity_bytes, .allocation_bytes = allocation_bytes};
    g_strlcpy(disk.target, target, sizeof disk.target);
    g_array_append_val(progress->disks, disk);
}

void
ferry_progress_set_files(FerryProgress *progress, guint64 total_bytes, guint64 processed_bytes)
{
    progress->files_total_bytes = MAX(total_bytes, processed_bytes);
    progress->files_processed_bytes = processed_bytes;
}

static Disk *
find_disk(const FerryProgress *progress, const char *target)
{
    for (guint i = 0; i < progress->disks->len; i++)
        if (strncmp(disk_at(progress, i)->target, target, FERRY_PROGRESS_MAX_TARGET - 1) == 0)
            return disk_at(progress, i);
    return NULL;
}

void
ferry_progress_set_disk(FerryProgress *progress, const char *target, guint64 cur, guint64 end)
{
    Disk *disk = find_disk(progress, target);

    /* QEMU says 0 of 0 before the job has looked at the image. */
    if (!disk || end == 0 || cur < disk->cur)
        return;
    if (disk->first_end == 0)
        disk->first_end = end;
    disk->cur = cur;
    disk->end = MAX(disk->end, end);
}

/* The counters of the mirror that follows begin anew, and count what is not there. */
void
ferry_progress_set_disk_there(FerryProgress *progress, const char *target)
{
    Disk *disk = find_disk(progress, target);

    if (disk)
        disk->cur = disk->end = disk->first_end = 1;
}

void
ferry_progress_set_policy(FerryProgress *progress,
                          const FerryTransferPolicy *policy,
                          const FerryPolicyMoment *moment)
{
    progress->forecast.policy = *policy;
    progress->forecast.moment = *moment;
}

void
ferry_progress_set_convergence(FerryProgress *progress, const FerryConvergence *convergence)
{
    progress->convergence = *convergence;
}

/* --- what must move, and what has ------------------------------------------------------------- */

static guint64
add(guint64 left, guint64 right)
{
    guint64 sum = 0;
    return g_uint64_checked_add(&sum, left, right) ? sum : G_MAXUINT64;
}

/* The mirror's end grows by what the guest writes after it was brought: that is no hole. */
static guint64
disk_total(const Disk *disk)
{
    return add(disk->allocation_bytes, disk->end - disk->first_end);
}

static guint64
disk_processed(const Disk *disk)
{
    if (disk->over || (disk->end > 0 && disk->cur >= disk->end))
        return disk_total(disk);
    if (disk->end == 0)
        return 0;
    double share = (double)disk->cur / (double)disk->first_end;
    guint64 first = disk->cur < disk->first_end ? (guint64)((double)disk->allocation_bytes * share)
                                                : disk->allocation_bytes;
    guint64 anew = disk->cur > disk->first_end ? disk->cur - disk->first_end : 0;
    return MIN(add(MIN(first, disk->allocation_bytes), anew), disk_total(disk));
}

static void
sum_disks(const FerryProgress *progress, guint64 *ret_total, guint64 *ret_processed)
{
    *ret_total = 0;
    *ret_processed = 0;
    for (guint i = 0; i < progress->disks->len; i++) {
        *ret_total = add(*ret_total, disk_total(disk_at(progress, i)));
        *ret_processed = add(*ret_processed, disk_processed(disk_at(progress, i)));
    }
}

/* Pages of zeroes are remaining but hardly ever moved, so "processed and remaining" falls from the
 * guest's whole memory to what it really uses; before that is known, the whole counts. */
static guint64
memory_remaining(const FerryProgress *progress)
{
    if (progress->finished)
        return 0;
    return progress->memory_seen ? progress->sample.memory_remaining_bytes : progress->memory_bytes;
}

static double
moved(const FerryProgress *progress)
{
    return (double)ferry_progress_bytes_moved(progress);
}

static double
disk_remaining(const FerryProgress *progress)
{
    guint64 total = 0;
    guint64 processed = 0;
    sum_disks(progress, &total, &processed);
    return (double)(progress->files_total_bytes - progress->files_processed_bytes) +
           (double)(total - processed);
}

guint64
ferry_progress_bytes_moved(const FerryProgress *progress)
{
    guint64 total = 0;
    guint64 processed = 0;
    sum_disks(progress, &total, &processed);
    return add(progress->files_processed_bytes, add(processed, progress->memory_moved_bytes));
}

/* --- one reading ------------------------------------------------------------------------------ */

/* Returns: true when what remains fell from a guess to a count. */
static bool
take_sample(FerryProgress *progress, const FerryProgressSample *sample)
{
    FerryProgressSample kept = progress->sample;
    bool first = !progress->memory_seen;
    progress->sample = *sample;
    progress->time_us = MAX(progress->time_us, sample->time_us);
    if (sample->memory_total_bytes == 0) {
        progress->sample.memory_total_bytes = kept.memory_total_bytes;
        progress->sample.memory_processed_bytes = kept.memory_processed_bytes;
        progress->sample.memory_remaining_bytes = kept.memory_remaining_bytes;
        progress->sample.memory_dirty_rate_bytes_s = kept.memory_dirty_rate_bytes_s;
        progress->sample.memory_iteration = kept.memory_iteration;
        return false;
    }
    progress->memory_seen = true;
    progress->memory_moved_bytes =
        MAX(progress->memory_moved_bytes, sample->memory_processed_bytes);
    return first;
}

static bool
disks_are_over(FerryPhase phase)
{
    switch (phase) {
    case FERRY_PHASE_MEMORY:
    case FERRY_PHASE_POST_COPY:
    case FERRY_PHASE_SWITCHOVER:
        return true;
    case FERRY_PHASE_NONE:
    case FERRY_PHASE_DISK:
        return false;
    }
    return false;
}

/* From here on the mirrors only follow the guest's writes; their jobs may be gone already. */
static void
finish_disks(FerryProgress *progress)
{
    for (guint i = 0; i < progress->disks->len; i++)
        disk_at(progress, i)->over = true;
}

/* What a change of phase does to the counters (the rest of the disks is declared done, memory's
 * real size becomes known) is no movement. */
static void
measure(FerryProgress *progress, bool jumped)
{
    const FerryProgressSample *sample = &progress->sample;
    const FerryForecastReading reading = {
        .time_us = progress->time_us,
        .phase = sample->phase,
        .moved = moved(progress),
        .disk_left = disk_remaining(progress),
        .memory_left = (double)memory_remaining(progress),
        .dirty_bytes_s = (double)sample->memory_dirty_rate_bytes_s,
        .iteration = sample->memory_iteration,
        .allowed_ms = progress->convergence.allowed_downtime_ms,
    };

    ferry_forecast_take(&progress->forecast, &reading, jumped);
}

/* What stands still, or runs there, is not in the way any more. */
static bool
is_stalled(const FerryProgress *progress)
{
    return !progress->finished && progress->sample.phase <= FERRY_PHASE_MEMORY &&
           progress->convergence.converging == FERRY_CONVERGING_NO;
}

/* What was moved since is a share of itself and what is left to do now, and so of what was missing
 * to the whole: more work makes it slower, but never takes back. */
static void
raise_percent(FerryProgress *progress)
{
    double bytes = moved(progress);
    double since = progress->goes_on ? 0.0 : MAX(bytes - progress->counted_bytes, 0.0);
    double work = ferry_forecast_work_left(&progress->forecast);
    progress->goes_on = false;
    progress->counted_bytes = MAX(bytes, progress->counted_bytes);
    if (is_stalled(progress) || work < 0.0 || since + work <= 0.0)
        return;
    progress->done += (1.0 - progress->done) * since / (since + work);
}

void
ferry_progress_update(FerryProgress *progress, const FerryProgressSample *sample)
{
    if (progress->finished)
        return;
    bool jumped = take_sample(progress, sample);
    if (disks_are_over(sample->phase))
        finish_disks(progress);
    measure(progress, jumped);
    raise_percent(progress);
}

void
ferry_progress_finish(FerryProgress *progress, gint64 time_us)
{
    progress->time_us = MAX(progress->time_us, time_us);
    finish_disks(progress);
    progress->sample.memory_remaining_bytes = 0;
    progress->finished = true;
}

guint
ferry_progress_percent(const FerryProgress *progress)
{
    /* A hair above: 0.37 may be a little less than that. */
    guint percent = (guint)(100.0 * progress->done + 1e-6);
    return progress->finished ? 100 : MIN(percent, MAX_UNFINISHED_PERCENT);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *
integer(guint64 value)
{
    return json_integer((json_int_t)MIN(value, G_MAXINT64));
}

static void
set(json_t *object, const char *key, guint64 value)
{
    json_object_set_new(object, key, integer(value));
}

static guint64
throughput(const FerryProgress *progress)
{
    double bytes_s = progress->forecast.throughput.bytes_s;
    if (!progress->forecast.throughput.known || bytes_s < 0.0 || progress->finished)
        return 0;
    return bytes_s < (double)G_MAXINT64 ? (guint64)bytes_s : G_MAXINT64;
}

static json_t *
eta_to_json(const FerryProgress *progress)
{
    if (progress->finished)
        return json_integer(0);
    gint64 eta_ms = is_stalled(progress) ? -1 : ferry_forecast_eta_ms(&progress->forecast);
    return eta_ms < 0 || eta_ms > MAX_ETA_MS ? json_null() : json_integer(eta_ms);
}

static json_t *
counters_to_json(guint64 total, guint64 processed)
{
    json_t *object = json_object();
    set(object, "total_bytes", total);
    set(object, "processed_bytes", processed);
    set(object, "remaining_bytes", total - processed);
    return object;
}

static json_t *
disks_to_json(const FerryProgress *progress)
{
    guint64 total = 0;
    guint64 processed = 0;
    sum_disks(progress, &total, &processed);
    json_t *disks = json_object();
    for (guint i = 0; i < progress->disks->len; i++) {
        const Disk *disk = disk_at(progress, i);
        json_t *object = counters_to_json(disk_total(disk), disk_processed(disk));
        set(object, "capacity_bytes", disk->capacity_bytes);
        json_object_set_new(disks, disk->target, object);
    }
    json_t *object = counters_to_json(total, processed);
    json_object_set_new(object, "disks", disks);
    return object;
}

static json_t *
memory_to_json(const FerryProgress *progress)
{
    const FerryProgressSample *sample = &progress->sample;
    json_t *object = json_object();
    set(object, "total_bytes",
        progress->memory_seen ? sample->memory_total_bytes : progress->memory_bytes);
    set(object, "processed_bytes", progress->memory_moved_bytes);
    set(object, "remaining_bytes", memory_remaining(progress));
    set(object, "dirty_rate_bytes_s", sample->memory_dirty_rate_bytes_s);
    set(object, "iteration", sample->memory_iteration);
    return object;
}

static void
add_convergence(json_t *object, const FerryProgress *progress)
{
    const FerryConvergence *convergence = &progress->convergence;
    bool unknown = convergence->converging == FERRY_CONVERGING_UNKNOWN;

    json_object_set_new(object, "converging",
                        progress->finished ? json_true()
                        : unknown          ? json_null()
                                           : json_boolean(!is_stalled(progress)));
    set(object, "allowed_downtime_ms", convergence->allowed_downtime_ms);
    json_object_set_new(object, "stalled",
                        is_stalled(progress) ? ferry_stall_to_json(&convergence->stall)
                                             : json_null());
}

json_t *
ferry_progress_to_json(const FerryProgress *progress)
{
    json_t *object = json_object();
    set(object, "percent", ferry_progress_percent(progress));
    json_object_set_new(object, "eta_ms", eta_to_json(progress));
    set(object, "elapsed_ms",
        (guint64)MAX(progress->time_us - progress->started_us, 0) / G_TIME_SPAN_MILLISECOND);
    json_object_set_new(
        object, "files",
        counters_to_json(progress->files_total_bytes, progress->files_processed_bytes));
    json_object_set_new(object, "disk", disks_to_json(progress));
    json_object_set_new(object, "memory", memory_to_json(progress));
    set(object, "throughput_bytes_s", throughput(progress));
    set(object, "expected_downtime_ms", progress->sample.expected_downtime_ms);
    set(object, "throttle_percent", progress->sample.throttle_percent);
    add_convergence(object, progress);
    return object;
}
