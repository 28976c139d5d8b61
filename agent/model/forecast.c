#include "config.h"

#include "model/forecast.h"

/* How much of the past the smoothed rates remember. */
#define SMOOTHING_S 5.0
#define MIN_RATE 1.0   /* bytes a second: below, nothing moves */
#define MAX_LUMP_S 3.0 /* from one lump of a mirror with a limit to the next */
/* What the guest makes dirty, over what the link brings: at more than this there is no end. */
#define NO_END_RATIO 0.85
/* Shorter passes are those before the switchover, in which QEMU looks all the time. */
#define REAL_PASS_US G_USEC_PER_SEC
/* Of the first pass, in which QEMU does not look. Of its pages half, on the average, were not sent
 * yet when they become dirty, and cost nothing. */
#define UNSEEN_DIRTY_RATIO 0.1
#define UNSEEN_SENT_SHARE 0.5
/* The switchover beside its pause, and what libvirt does after it. */
#define SWITCH_S 1.0
#define MAX_PASSES 64

static void
mix(FerryRate *rate, double bytes_s, double interval_s)
{
    rate->age_s = MIN(rate->age_s + interval_s, SMOOTHING_S);
    double weight = rate->age_s < SMOOTHING_S ? interval_s / rate->age_s
                                              : interval_s / (SMOOTHING_S + interval_s);
    rate->bytes_s += weight * (bytes_s - rate->bytes_s);
    rate->known = true;
}

/* Nothing moves while QEMU makes ready, and in the first look something moved for a part of it. A
 * mirror with a limit moves in lumps: what looks saw from the end of one to that of the next counts
 * as one look. */
static void
feed_rate(FerryRate *rate, double bytes, double interval_s)
{
    bool stands = bytes < 1.0;

    if (!rate->begun) {
        rate->begun = !stands;
        return;
    }
    rate->held_bytes += bytes;
    rate->held_s += interval_s;
    rate->stood = rate->stood || stands;
    bool lump_is_over = stands && rate->held_bytes >= 1.0;
    if (rate->stood && !lump_is_over && rate->held_s < MAX_LUMP_S)
        return;
    mix(rate, rate->held_bytes / rate->held_s, rate->held_s);
    rate->held_bytes = rate->held_s = 0.0;
    rate->stood = false;
}

static bool
moves(const FerryRate *rate)
{
    return rate->known && rate->bytes_s >= MIN_RATE;
}

static double
seconds(gint64 us)
{
    return (double)us / G_USEC_PER_SEC;
}

static double
left(const FerryForecastReading *reading)
{
    return reading->disk_left + reading->memory_left;
}

/* Pages that are all zero cost nearly nothing: the rest shrinks at another pace than that of
 * disks. */
static void
begin_memory(FerryForecast *self, const FerryForecastReading *reading)
{
    bool known = self->link_bytes_s >= MIN_RATE;

    self->memory_us = reading->time_us;
    self->closing = (FerryRate){.begun = known, .known = known, .bytes_s = self->link_bytes_s};
}

static void
begin_pass(FerryForecast *self, const FerryForecastReading *reading)
{
    self->pass_time_us = self->pass_us ? MIN(reading->time_us - self->pass_us, G_TIME_SPAN_DAY) : 0;
    self->pass_us = reading->time_us;
    self->former_bytes = self->pass_bytes;
    self->pass_bytes = reading->memory_left;
}

void
ferry_forecast_take(FerryForecast *self, const FerryForecastReading *reading, bool jumped)
{
    gint64 interval_us = reading->time_us - self->last.time_us;
    bool same_phase = self->any && self->last.phase == reading->phase && !jumped;
    bool same_pass = same_phase && self->last.iteration == reading->iteration;
    bool in_memory = reading->phase >= FERRY_PHASE_MEMORY;

    if (self->any && interval_us <= 0)
        return;
    if (same_phase)
        feed_rate(&self->throughput, reading->moved - self->last.moved, seconds(interval_us));
    if (same_pass)
        feed_rate(&self->closing, left(&self->last) - left(reading), seconds(interval_us));
    if (in_memory && self->memory_us == 0)
        begin_memory(self, reading);
    if (in_memory && !same_pass)
        begin_pass(self, reading);
    /* Mirrors that only follow the guest do not show what the link can do. */
    if (moves(&self->throughput) && (in_memory || reading->disk_left > self->link_bytes_s))
        self->link_bytes_s = self->throughput.bytes_s;
    self->last = *reading;
    self->any = true;
}

/* --- memory ----------------------------------------------------------------------------------- */

/* What QEMU knows of, and what became dirty since it looked. */
static double
outstanding(const FerryForecast *self)
{
    const FerryForecastReading *last = &self->last;

    return last->memory_left + last->dirty_bytes_s * seconds(last->time_us - self->pass_us);
}

static bool
is_first_pass(const FerryForecast *self)
{
    return self->last.iteration <= 1 && self->last.dirty_bytes_s <= 0.0;
}

/* Returns: the share of the link that the guest takes away. QEMU's rate counts a page once a pass,
 * and so is too low where the guest comes round to it sooner; a pass that is no smaller than the
 * one before shows it. */
static double
dirty_ratio(const FerryForecast *self)
{
    bool real = self->former_bytes > 0.0 && self->pass_time_us >= REAL_PASS_US;
    double shrunk = real ? self->pass_bytes / self->former_bytes : 0.0;

    if (is_first_pass(self))
        return UNSEEN_DIRTY_RATIO;
    return MAX(self->last.dirty_bytes_s / self->throughput.bytes_s, shrunk);
}

/* The second pass, whose size nobody knows in the first. */
static double
unseen_bytes(const FerryForecast *self)
{
    double pass_s = seconds(self->last.time_us - self->pass_us) +
                    self->last.memory_left / self->closing.bytes_s;

    return pass_s * self->throughput.bytes_s * UNSEEN_DIRTY_RATIO * UNSEEN_SENT_SHARE;
}

static guint
allowed_after(const FerryForecast *self, guint64 passes)
{
    FerryPolicyMoment moment = self->moment;
    guint64 over = self->last.iteration > 0 ? self->last.iteration - 1 : 0;

    if (!self->policy.name)
        return (guint)self->last.allowed_ms;
    moment.iterations = over + passes;
    moment.memory_us = self->last.time_us - self->memory_us + (gint64)passes * self->pass_time_us;
    return MAX((guint)MIN(self->last.allowed_ms, G_MAXUINT),
               ferry_transfer_policy_allowed_ms(&self->policy, &moment));
}

/* Where passes do not become smaller: until the policy allows a pause for one as it is. Returns:
 * seconds; negative where it never does. */
static double
until_allowed_s(const FerryForecast *self)
{
    double rate = self->throughput.bytes_s;
    double pause_s = self->pass_bytes / rate;

    for (guint passes = 1; self->pass_time_us > 0 && passes <= MAX_PASSES; passes++)
        if ((double)allowed_after(self, passes) / 1000.0 >= pause_s)
            return self->last.memory_left / rate + (passes - 1) * seconds(self->pass_time_us) +
                   pause_s;
    return -1.0;
}

/* The switch is made once what is left fits into the pause that is allowed. */
static double
until_small_s(const FerryForecast *self)
{
    double rate = self->throughput.bytes_s;
    double ratio = dirty_ratio(self);
    double bytes = outstanding(self);
    double pause = MIN(bytes, (double)allowed_after(self, 0) / 1000.0 * rate);

    if (ratio > NO_END_RATIO)
        return -1.0;
    return (bytes - pause) / (rate * (1.0 - ratio)) + pause / rate;
}

static double
memory_s(const FerryForecast *self)
{
    if (!moves(&self->throughput))
        return -1.0;
    if (is_first_pass(self))
        return moves(&self->closing)
                   ? self->last.memory_left / self->closing.bytes_s +
                         unseen_bytes(self) / self->throughput.bytes_s / (1.0 - dirty_ratio(self))
                   : -1.0;
    double small = until_small_s(self);
    return small >= 0.0 ? small : until_allowed_s(self);
}

static double
memory_work(const FerryForecast *self)
{
    double ratio = moves(&self->throughput) ? dirty_ratio(self) : UNSEEN_DIRTY_RATIO;

    if (ratio > NO_END_RATIO)
        return -1.0;
    if (!is_first_pass(self))
        return outstanding(self) / (1.0 - ratio);
    bool known = moves(&self->throughput) && moves(&self->closing);
    return self->last.memory_left + (known ? unseen_bytes(self) / (1.0 - ratio) : 0.0);
}

/* --- disks, and memory after them ------------------------------------------------------------- */

/* Returns: how many bytes have to be moved for each that is left; negative: there is no end. What
 * moves without a rest that shrinks is written anew by the guest. */
static double
disk_factor(const FerryForecast *self)
{
    /* Mirrors that only follow the guest have next to nothing left. */
    if (!moves(&self->throughput) || !self->closing.known ||
        self->last.disk_left <= self->link_bytes_s)
        return 1.0;
    if (self->closing.bytes_s < self->throughput.bytes_s * (1.0 - NO_END_RATIO))
        return -1.0;
    return MAX(self->throughput.bytes_s / self->closing.bytes_s, 1.0);
}

static bool
is_in_memory(const FerryForecast *self)
{
    return self->last.phase >= FERRY_PHASE_MEMORY;
}

/* Only what the destination lacks is left, nothing becomes dirty. */
static bool
is_post_copy(const FerryForecast *self)
{
    return self->last.phase == FERRY_PHASE_POST_COPY;
}

double
ferry_forecast_work_left(const FerryForecast *self)
{
    double factor = disk_factor(self);

    if (is_post_copy(self))
        return left(&self->last);
    if (is_in_memory(self))
        return memory_work(self);
    return factor < 0.0 ? -1.0 : self->last.disk_left * factor + self->last.memory_left;
}

gint64
ferry_forecast_eta_ms(const FerryForecast *self)
{
    double work = ferry_forecast_work_left(self);
    double s = -1.0;

    if (is_in_memory(self) && !is_post_copy(self))
        s = memory_s(self);
    else if (self->link_bytes_s >= MIN_RATE && moves(&self->throughput) && self->closing.known &&
             work >= 0.0)
        s = MAX((work + self->throughput.held_bytes) / self->link_bytes_s - self->throughput.held_s,
                0.0);
    if (s < 0.0 || s * 1000.0 > (double)G_MAXINT64 / 2)
        return -1;
    return (gint64)((s + (is_post_copy(self) ? 0.0 : SWITCH_S)) * 1000.0);
}
