#include "config.h"

#include "model/memory-convergence.h"

/* Of what remains: within it one iteration is as good as another. Those of a guest that writes at
 * one pace differed by 8 %. */
#define MARGIN 0.08
/* The weight of a new rate. */
#define ALPHA 0.4
/* Rates are taken over so much time: QEMU sends in bursts of 100 ms. */
#define RATE_US G_USEC_PER_SEC
/* A link that carries less than this part of what it did is ill... */
#define ILL_PART (1.0 / 3.0)
/* ... until what it did is forgotten, which takes so many windows. */
#define MEMORY_OF_LINK 3
/* A pause so much longer than what is allowed may still come down to it. */
#define POSSIBLE 1.5
/* What was allowed has to show within this time. */
#define GRACE_US (60 * G_USEC_PER_SEC)
/* A stall is seen by so many iterations, which last so much of the window together. */
#define SEEN_ITERATIONS 2
#define SEEN_PART 8
/* What takes less than the link takes for an iteration so many times is no stall. */
#define PASSES 8
/* A stall is over when what remains takes so much less than that, and has fallen. */
#define OVER 2
/* What remains has fallen when it is less than this part. No migration fails while it falls so much
 * in each window: it has an end. */
#define FALLEN 0.8
/* Nobody knows by fewer iterations. */
#define FALL_ITERATIONS 4
/* After so much of the window the next best moment will do... */
#define RELAX_PART 4
/* ... and the patience gets shorter each time. */
#define DECAY 2
/* A record is kept for so many windows. */
#define KEPT_TIMES 2

/* The beginning of an iteration. */
typedef struct {
    gint64 time_us;
    gint64 well_us; /* by the clock that stands still while the link is ill */
    guint64 moved_bytes;
    double bytes;   /* that remain */
    double dirtied; /* since the record before, of which `bytes` is what the last iteration made */
    bool counts;    /* nothing but the guest and a well link had a part in that */
} Record;

/* What the newest records show together. */
typedef struct {
    double writes_s; /* bytes a second */
    double link_s;
} Observation;

struct FerryMemoryConvergence {
    gint64 window_us;
    GArray *records; /* Record, oldest first; what can still matter */
    FerryMemoryReading last;
    bool begun;        /* there was a reading */
    bool at_beginning; /* an iteration began at the last one */
    bool disturbed;    /* this iteration shows nothing of the guest */
    gint64 well_us;

    /* What the link carries. */
    gint64 mark_us;
    guint64 mark_bytes;
    bool marks_anew; /* with the next reading */
    double rate;     /* bytes a second; 0: unknown */
    double former_rate;
    double writes;

    double needs_us; /* that memory still takes; G_MAXDOUBLE: for ever; below 0: not known */

    /* The stall. */
    gint64 since_us; /* 0: there is none */
    gint64 seen_us;  /* when it was seen, by the well clock */
    double seen_bytes;
    double best;
    gint64 relax_after_us;
    gint64 relaxed_us; /* by the well clock */

    FerryMemoryAction done; /* GO_ON, SWITCH, PAUSE or POST_COPY */
    gint64 done_us;         /* by the well clock */
};

FerryMemoryConvergence *
ferry_memory_convergence_new(gint64 window_us)
{
    FerryMemoryConvergence *self = g_new0(FerryMemoryConvergence, 1);

    self->window_us = window_us;
    self->marks_anew = true;
    self->needs_us = -1;
    self->records = g_array_new(/* zero_terminated= */ false, /* clear= */ false, sizeof(Record));
    return self;
}

void
ferry_memory_convergence_free(FerryMemoryConvergence *self)
{
    if (!self)
        return;
    g_array_unref(self->records);
    g_free(self);
}

static const Record *
record_at(const FerryMemoryConvergence *self, guint index)
{
    return &g_array_index(self->records, Record, index);
}

static const Record *
newest(const FerryMemoryConvergence *self)
{
    return self->records->len > 0 ? record_at(self, self->records->len - 1) : NULL;
}

/* --- the link --------------------------------------------------------------------------------- */

static bool
is_ill(const FerryMemoryConvergence *self)
{
    return self->rate < self->former_rate * ILL_PART;
}

static double
smooth(double before, double now)
{
    return before > 0 ? before + ALPHA * (now - before) : now;
}

static void
mark(FerryMemoryConvergence *self, const FerryMemoryReading *reading)
{
    self->marks_anew = false;
    self->mark_us = reading->time_us;
    self->mark_bytes = reading->moved_bytes;
}

static void
take_rate(FerryMemoryConvergence *self, const FerryMemoryReading *reading, gint64 interval_us)
{
    double forget = (double)interval_us / (double)(MEMORY_OF_LINK * self->window_us);
    guint64 moved = reading->moved_bytes - MIN(self->mark_bytes, reading->moved_bytes);

    self->rate = smooth(self->rate, (double)moved * G_USEC_PER_SEC / (double)interval_us);
    self->former_rate = MAX(self->rate, self->former_rate * (1.0 - MIN(forget, 1.0)));
    mark(self, reading);
}

static void
measure_link(FerryMemoryConvergence *self, const FerryMemoryReading *reading)
{
    gint64 interval_us = reading->time_us - self->mark_us;

    if (self->marks_anew)
        mark(self, reading);
    else if (interval_us >= RATE_US)
        take_rate(self, reading, interval_us);
}

/* --- the stall -------------------------------------------------------------------------------- */

/* Returns: false where the newest records do not last long enough. @ret_since: the first one. */
static bool
observe(const FerryMemoryConvergence *self, Observation *ret, guint *ret_since)
{
    const Record *last = newest(self);
    guint count = self->records->len;
    double dirtied = 0;

    for (guint i = count; i-- > 1 && record_at(self, i)->counts;) {
        const Record *first = record_at(self, i - 1);
        gint64 time_us = last->time_us - first->time_us;

        dirtied += record_at(self, i)->dirtied;
        if (count - i < SEEN_ITERATIONS || time_us < self->window_us / SEEN_PART)
            continue;
        *ret = (Observation){
            .writes_s = dirtied * G_USEC_PER_SEC / (double)time_us,
            .link_s = (double)(last->moved_bytes - MIN(first->moved_bytes, last->moved_bytes)) *
                      G_USEC_PER_SEC / (double)time_us,
        };
        *ret_since = i - 1;
        return true;
    }
    return false;
}

static double
time_needed_us(double bytes, const Observation *observation)
{
    double gain_s = observation->link_s - observation->writes_s;

    return gain_s > 0 ? bytes * G_USEC_PER_SEC / gain_s : G_MAXDOUBLE;
}

/* The first record is of all memory, most of which may be empty. */
static double
largest_iteration(const FerryMemoryConvergence *self)
{
    double bytes = 0;

    for (guint i = 1; i < self->records->len; i++)
        bytes = MAX(bytes, record_at(self, i)->bytes);
    return bytes;
}

static double
time_allowed_us(const FerryMemoryConvergence *self, const Observation *observation)
{
    double pass_us = observation->link_s > 0
                         ? largest_iteration(self) * G_USEC_PER_SEC / observation->link_s
                         : 0;

    return MAX((double)self->window_us, PASSES * pass_us);
}

/* Returns: true when what remains is much less than the least that remained a window ago, or nobody
 * knows. */
static bool
falls(const FerryMemoryConvergence *self)
{
    double least = G_MAXDOUBLE;

    for (guint i = 0; i + FALL_ITERATIONS < self->records->len; i++) {
        const Record *record = record_at(self, i);

        if (record->well_us <= self->well_us - self->window_us)
            least = MIN(least, record->bytes);
    }
    return least == G_MAXDOUBLE || newest(self)->bytes < least * FALLEN;
}

static void
begin_stall(FerryMemoryConvergence *self, guint since)
{
    self->since_us = record_at(self, since)->time_us;
    self->seen_us = self->well_us;
    self->seen_bytes = newest(self)->bytes;
    self->best = G_MAXDOUBLE;
    for (guint i = since; i < self->records->len; i++)
        self->best = MIN(self->best, record_at(self, i)->bytes);
    self->relax_after_us = self->window_us / RELAX_PART;
    self->relaxed_us = self->well_us;
}

static void
end_stall(FerryMemoryConvergence *self)
{
    self->since_us = 0;
    self->done = FERRY_MEMORY_GO_ON;
}

/* What was seen so far counts no more. */
static void
begin_anew(FerryMemoryConvergence *self)
{
    if (self->records->len > 1)
        g_array_remove_range(self->records, 0, self->records->len - 1);
    self->disturbed = true;
    self->needs_us = -1;
    end_stall(self);
}

static void
judge(FerryMemoryConvergence *self)
{
    Observation observation = {0};
    guint since = 0;

    if (is_ill(self) || !observe(self, &observation, &since))
        return;
    self->needs_us = time_needed_us(newest(self)->bytes, &observation);

    double allowed_us = time_allowed_us(self, &observation);

    if (!self->since_us && self->needs_us > allowed_us)
        begin_stall(self, since);
    else if (self->since_us && self->done == FERRY_MEMORY_GO_ON &&
             self->needs_us < allowed_us / OVER && newest(self)->bytes < self->seen_bytes * FALLEN)
        end_stall(self);
}

/* Nothing as good as the best came again: the next best will do. */
static void
relax(FerryMemoryConvergence *self)
{
    double next = G_MAXDOUBLE;

    if (self->well_us - self->relaxed_us < self->relax_after_us)
        return;
    for (guint i = 0; i < self->records->len; i++) {
        const Record *record = record_at(self, i);

        if (record->time_us >= self->since_us && record->bytes > self->best * (1.0 + MARGIN))
            next = MIN(next, record->bytes);
    }
    if (next < G_MAXDOUBLE)
        self->best = next;
    self->relax_after_us /= DECAY;
    self->relaxed_us = self->well_us;
}

static void
drop_old(FerryMemoryConvergence *self)
{
    gint64 until_us = self->well_us - KEPT_TIMES * self->window_us;
    guint count = 0;

    while (count + FALL_ITERATIONS + 1 < self->records->len &&
           record_at(self, count)->well_us < until_us)
        count++;
    if (count > 0)
        g_array_remove_range(self->records, 0, count);
}

/* Between two beginnings what remains falls by what is moved and grows by what becomes dirty. What
 * has moved says less than what was to be moved where pages are empty, so that a single iteration
 * tells it better: all of what remains became dirty in it. */
static double
dirtied_since(const Record *before, const FerryMemoryReading *reading, guint64 iterations)
{
    double remaining = (double)reading->remaining_bytes;
    double moved = (double)(reading->moved_bytes - MIN(before->moved_bytes, reading->moved_bytes));

    return iterations > 1 ? MAX(remaining, remaining - before->bytes + moved) : remaining;
}

static void
begin_iteration(FerryMemoryConvergence *self,
                const FerryMemoryReading *reading,
                const FerryMemoryReading *before_reading)
{
    const Record *before = newest(self);
    guint64 iterations = reading->iteration - MIN(before_reading->iteration, reading->iteration);
    Record record = {.time_us = reading->time_us,
                     .well_us = self->well_us,
                     .moved_bytes = reading->moved_bytes,
                     .bytes = (double)reading->remaining_bytes,
                     .dirtied = before ? dirtied_since(before, reading, iterations) : 0,
                     .counts = !self->disturbed};

    if (before && record.time_us > before->time_us)
        self->writes = smooth(self->writes, record.dirtied * G_USEC_PER_SEC /
                                                (double)(record.time_us - before->time_us));
    /* Nobody saw how long the one has lasted that an agent meets when it starts. */
    self->disturbed = !before && reading->iteration > 1;
    g_array_append_val(self->records, record);
    if (self->since_us)
        self->best = MIN(self->best, record.bytes);
    judge(self);
    drop_old(self);
}

void
ferry_memory_convergence_add(FerryMemoryConvergence *self, const FerryMemoryReading *reading)
{
    const FerryMemoryReading before = self->last;
    bool begins = !self->begun || reading->iteration != before.iteration;

    if (self->begun && !is_ill(self))
        self->well_us += MAX(reading->time_us - before.time_us, 0);
    self->last = *reading;
    measure_link(self, reading);
    self->disturbed |= is_ill(self);
    /* While auto-converge still takes more from the guest, nobody knows whether it will do. */
    if (self->begun && reading->throttle_percent > before.throttle_percent)
        begin_anew(self);
    self->begun = true;
    self->at_beginning = begins;
    if (begins)
        begin_iteration(self, reading, &before);
    if (self->since_us)
        relax(self);
}

void
ferry_memory_convergence_forget_link(FerryMemoryConvergence *self)
{
    self->rate = 0;
    self->former_rate = 0;
    /* What is under way still goes at the former pace. */
    self->marks_anew = true;
}

void
ferry_memory_convergence_begin_anew(FerryMemoryConvergence *self)
{
    ferry_memory_convergence_forget_link(self);
    begin_anew(self);
}

void
ferry_memory_convergence_forget_action(FerryMemoryConvergence *self)
{
    self->done = FERRY_MEMORY_GO_ON;
}

static double
left(const FerryMemoryConvergence *self)
{
    const Record *record = newest(self);

    return record ? MAX(record->bytes, (double)self->last.remaining_bytes) : 0;
}

static double
pause_ms(const FerryMemoryConvergence *self)
{
    return self->rate > 0 ? left(self) * 1000.0 / self->rate : G_MAXDOUBLE;
}

static FerryConverging
converging(const FerryMemoryConvergence *self)
{
    if (self->since_us)
        return FERRY_CONVERGING_NO;
    return self->needs_us < 0 ? FERRY_CONVERGING_UNKNOWN : FERRY_CONVERGING_YES;
}

FerryMemoryState
ferry_memory_convergence_state(const FerryMemoryConvergence *self)
{
    bool known = self->rate > 0 && self->records->len > 0;

    return (FerryMemoryState){
        .converging = converging(self),
        .since_us = self->since_us,
        .left_bytes = (guint64)left(self),
        .writes_bytes_s = (guint64)self->writes,
        .link_bytes_s = (guint64)self->rate,
        .pause_ms = known ? (guint64)MIN(pause_ms(self), (double)G_MAXINT64 / 2) : 0,
        .link_is_ill = is_ill(self),
        .done = self->done,
    };
}

/* --- what is done about it -------------------------------------------------------------------- */

static bool
may_come_down_to(const FerryMemoryConvergence *self, guint allowed_ms)
{
    return pause_ms(self) <= allowed_ms * POSSIBLE;
}

static FerryMemoryAction
choose(const FerryMemoryConvergence *self, const FerryMemoryMeans *means)
{
    switch (means->at_end) {
    case FERRY_POLICY_WAIT:
        return FERRY_MEMORY_GO_ON;
    case FERRY_POLICY_POST_COPY:
        if (means->post_copy)
            return FERRY_MEMORY_POST_COPY;
        break;
    case FERRY_POLICY_PAUSE:
        return may_come_down_to(self, means->max_pause_ms) ? FERRY_MEMORY_PAUSE : FERRY_MEMORY_FAIL;
    case FERRY_POLICY_FAIL:
        break;
    }
    return may_come_down_to(self, means->downtime_ms) ? FERRY_MEMORY_SWITCH : FERRY_MEMORY_FAIL;
}

static gint64
grace_left_us(const FerryMemoryConvergence *self)
{
    return MAX(self->done_us + GRACE_US - self->well_us, 0);
}

static gint64
window_left_us(const FerryMemoryConvergence *self)
{
    return MAX(self->seen_us + self->window_us - self->well_us, 0);
}

FerryMemoryAction
ferry_memory_convergence_prospect(const FerryMemoryConvergence *self,
                                  const FerryMemoryMeans *means,
                                  gint64 *ret_in_us)
{
    FerryMemoryAction action = FERRY_MEMORY_GO_ON;

    *ret_in_us = 0;
    if (!self->since_us)
        return FERRY_MEMORY_GO_ON;
    if (self->done != FERRY_MEMORY_GO_ON) {
        *ret_in_us = grace_left_us(self);
        return FERRY_MEMORY_FAIL;
    }
    action = choose(self, means);
    *ret_in_us = action == FERRY_MEMORY_FAIL
                     ? window_left_us(self)
                     : MAX(self->relaxed_us + self->relax_after_us - self->well_us, 0);
    return action;
}

/* What is begun is begun at a local minimum, while the link is well and where the time left is
 * enough for it. Post-copy is a pause of an instant. */
static bool
is_the_moment(const FerryMemoryConvergence *self,
              FerryMemoryAction action,
              const FerryMemoryMeans *means)
{
    if (!self->at_beginning || is_ill(self))
        return false;
    if (action == FERRY_MEMORY_FAIL)
        return window_left_us(self) == 0 && !falls(self);
    return newest(self)->bytes <= self->best * (1.0 + MARGIN) &&
           (action == FERRY_MEMORY_POST_COPY ||
            pause_ms(self) * G_TIME_SPAN_MILLISECOND <= (double)means->time_left_us);
}

FerryMemoryAction
ferry_memory_convergence_decide(FerryMemoryConvergence *self, const FerryMemoryMeans *means)
{
    FerryMemoryAction action = FERRY_MEMORY_GO_ON;

    if (!self->since_us || self->rate <= 0)
        return FERRY_MEMORY_GO_ON;
    if (self->done != FERRY_MEMORY_GO_ON)
        return grace_left_us(self) == 0 && !is_ill(self) ? FERRY_MEMORY_FAIL : FERRY_MEMORY_GO_ON;
    action = choose(self, means);
    if (action == FERRY_MEMORY_GO_ON || !is_the_moment(self, action, means))
        return FERRY_MEMORY_GO_ON;
    self->done = action;
    self->done_us = self->well_us;
    return action;
}
