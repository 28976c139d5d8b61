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
/* The patience with a stall that gets no better, each time. */
#define DECAY 2
/* A record is kept for a window and for all patience together, which is less than two. */
#define KEPT_TIMES 3
/* A stall is over when what remains is so much less than at its best. */
#define OVER 2

/* The beginning of an iteration. */
typedef struct {
    gint64 time_us;
    gint64 well_us; /* by the clock that stands still while the link is ill */
    double bytes;
} Record;

struct FerryMemoryConvergence {
    gint64 window_us;
    GArray *records; /* Record, oldest first; what can still matter */
    FerryMemoryReading last;
    bool begun;        /* there was a reading */
    bool at_beginning; /* an iteration began at the last one */
    gint64 well_us;

    /* What the link carries. */
    gint64 mark_us;
    guint64 mark_bytes;
    bool marks_anew; /* with the next reading */
    double rate;     /* bytes a second; 0: unknown */
    double former_rate;
    double writes;

    /* The stall. */
    gint64 since_us; /* 0: there is none */
    double best;
    double worst_best; /* at its beginning */
    gint64 relax_after_us;
    gint64 relaxed_us; /* by the well clock */

    FerryMemoryAction done; /* GO_ON, SWITCH or PAUSE */
    gint64 done_us;         /* by the well clock */
};

FerryMemoryConvergence *
ferry_memory_convergence_new(gint64 window_us)
{
    FerryMemoryConvergence *self = g_new0(FerryMemoryConvergence, 1);

    self->window_us = window_us;
    self->marks_anew = true;
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

/* Finds the best record that is older than the window. */
static bool
find_best_before_window(const FerryMemoryConvergence *self, guint *ret_index)
{
    const Record *best = NULL;

    for (guint i = 0; i < self->records->len; i++) {
        const Record *record = record_at(self, i);

        if (record->well_us > self->well_us - self->window_us)
            break;
        if (best && best->bytes < record->bytes)
            continue;
        best = record;
        *ret_index = i;
    }
    return best != NULL;
}

static void
begin_stall(FerryMemoryConvergence *self, guint index)
{
    self->since_us = record_at(self, index)->time_us;
    self->best = record_at(self, index)->bytes;
    for (guint i = index; i < self->records->len; i++)
        self->best = MIN(self->best, record_at(self, i)->bytes);
    self->worst_best = self->best;
    self->relax_after_us = self->window_us;
    self->relaxed_us = self->well_us;
}

/* The window begins anew, with the newest record. */
static void
forget_stall(FerryMemoryConvergence *self)
{
    if (self->records->len > 1)
        g_array_remove_range(self->records, 0, self->records->len - 1);
    if (self->records->len > 0)
        g_array_index(self->records, Record, 0).well_us = self->well_us;
    self->since_us = 0;
    self->done = FERRY_MEMORY_GO_ON;
}

/* Nothing as good as the best came again: the next best will do. */
static void
relax(FerryMemoryConvergence *self)
{
    double next = G_MAXDOUBLE;

    if (self->well_us - self->relaxed_us < self->relax_after_us)
        return;
    for (guint i = 0; i < self->records->len; i++) {
        double bytes = record_at(self, i)->bytes;

        if (bytes > self->best * (1.0 + MARGIN))
            next = MIN(next, bytes);
    }
    if (next < G_MAXDOUBLE)
        self->best = next;
    self->relax_after_us /= DECAY;
    self->relaxed_us = self->well_us;
}

/* The best before the window matters while there is no stall; of others, what relax() may come
 * down to. */
static void
drop_old(FerryMemoryConvergence *self)
{
    gint64 until_us = self->well_us - KEPT_TIMES * self->window_us;
    guint end = self->records->len - 1;
    guint count = 0;

    if (!self->since_us)
        (void)find_best_before_window(self, &end);
    while (count < end && record_at(self, count)->well_us < until_us)
        count++;
    if (count > 0)
        g_array_remove_range(self->records, 0, count);
}

static void
begin_iteration(FerryMemoryConvergence *self, const FerryMemoryReading *reading)
{
    const Record record = {.time_us = reading->time_us,
                           .well_us = self->well_us,
                           .bytes = (double)reading->remaining_bytes};
    const Record *before = newest(self);
    guint index = 0;
    bool found = find_best_before_window(self, &index);

    if (before && record.time_us > before->time_us)
        self->writes = smooth(self->writes, record.bytes * G_USEC_PER_SEC /
                                                (double)(record.time_us - before->time_us));
    g_array_append_val(self->records, record);
    if (!self->since_us && found && !is_ill(self) &&
        record.bytes >= record_at(self, index)->bytes * (1.0 - MARGIN))
        begin_stall(self, index);
    self->best = MIN(self->best, record.bytes);
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
    /* While auto-converge still takes more from the guest, nobody knows whether it will do. */
    if (self->begun && reading->throttle_percent > before.throttle_percent)
        forget_stall(self);
    self->begun = true;
    self->at_beginning = begins;
    if (begins)
        begin_iteration(self, reading);
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
    guint count = self->records->len;

    if (self->since_us)
        return FERRY_CONVERGING_NO;
    if (count < 2)
        return FERRY_CONVERGING_UNKNOWN;
    return record_at(self, count - 1)->bytes < record_at(self, count - 2)->bytes * (1.0 - MARGIN)
               ? FERRY_CONVERGING_YES
               : FERRY_CONVERGING_UNKNOWN;
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

FerryMemoryAction
ferry_memory_convergence_prospect(const FerryMemoryConvergence *self,
                                  const FerryMemoryMeans *means,
                                  gint64 *ret_in_us)
{
    *ret_in_us = 0;
    if (!self->since_us)
        return FERRY_MEMORY_GO_ON;
    if (self->done != FERRY_MEMORY_GO_ON) {
        *ret_in_us = grace_left_us(self);
        return FERRY_MEMORY_FAIL;
    }
    *ret_in_us = MAX(self->relaxed_us + self->relax_after_us - self->well_us, 0);
    return choose(self, means);
}

/* Of what is begun at a local minimum; the link may be ill, and no time left for a pause. Post-copy
 * is one of an instant. */
static FerryMemoryAction
decide_at_minimum(const FerryMemoryConvergence *self, const FerryMemoryMeans *means)
{
    FerryMemoryAction action = choose(self, means);
    bool fits = action == FERRY_MEMORY_POST_COPY ||
                pause_ms(self) * G_TIME_SPAN_MILLISECOND <= (double)means->time_left_us;

    return fits && !is_ill(self) ? action : FERRY_MEMORY_GO_ON;
}

FerryMemoryAction
ferry_memory_convergence_decide(FerryMemoryConvergence *self, const FerryMemoryMeans *means)
{
    if (!self->since_us)
        return FERRY_MEMORY_GO_ON;
    if (self->done != FERRY_MEMORY_GO_ON)
        return grace_left_us(self) == 0 && !is_ill(self) ? FERRY_MEMORY_FAIL : FERRY_MEMORY_GO_ON;
    if (!self->at_beginning || newest(self)->bytes > self->best * (1.0 + MARGIN))
        return FERRY_MEMORY_GO_ON;
    self->done = decide_at_minimum(self, means);
    self->done_us = self->well_us;
    if (self->done == FERRY_MEMORY_GO_ON && newest(self)->bytes * OVER < self->worst_best)
        forget_stall(self);
    return self->done;
}
