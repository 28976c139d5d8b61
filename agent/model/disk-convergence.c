#include "config.h"

#include "model/disk-convergence.h"

/* A window has to be longer than a gust of writes, and under a limit than the pauses between QEMU's
 * bursts of 16 MiB, of which it has four; with a slow link it ends all the same. */
#define WINDOW_MIN_US (3 * G_USEC_PER_SEC)
#define WINDOW_MAX_US (60 * G_USEC_PER_SEC)
#define WINDOW_BYTES (G_GUINT64_CONSTANT(64) << 20)
/* Looks are kept at this distance, and for a window. */
#define SPACING_US (G_USEC_PER_SEC / 2)

/* Going on is in vain when it would take so many times as long as beginning anew. Less would give
 * up copies that only take their time, for writes that cost the guest half its pace. */
#define IN_VAIN_TIMES 2
/* For how long it has to be so, which is longer than one gust of writes makes windows look bad; the
 * longer the more there is to lose by beginning anew. */
#define HOLD_US (4 * G_USEC_PER_SEC)
#define HOLD_MOST_US (20 * G_USEC_PER_SEC)
#define HOLD_PART 4
/* A guest that writes this part of what the link carries leaves the copy nothing that counts. */
#define WHOLE_LINK 0.9
/* A link that carries less than half of what it did is ill rather than the guest too busy. */
#define HOLD_ILL_US (45 * G_USEC_PER_SEC)
/* What has moved since. */
#define MOVES_US (2 * G_USEC_PER_SEC)
/* Where nothing is left to be done but to give up. */
#define HOLD_LAST_US (60 * G_USEC_PER_SEC)
/* No byte for longer than QEMU pauses under the least limit, 1 MiB a second: the link is cut. What
 * was seen until it heals is no measure of the guest. */
#define CUT_US (20 * G_USEC_PER_SEC)

struct FerryDiskConvergence {
    gint64 stall_us;
    bool synchronous;
    GArray *samples; /* FerryDiskSample, oldest first */
    FerryDiskSample last;
    guint64 whole_bytes; /* the most that was left at a time: what beginning anew would copy */
    gint64 begun_us;     /* the first look */
    gint64 moved_us;     /* when a byte was last seen to move, or none had to */
    gint64 vain_us;      /* since when going on is in vain; 0: it is not */
    bool has_window;
    FerryDiskRates rates;
    guint64 best_bytes_s; /* the best copied_bytes_s so far: what the link can take */
};

FerryDiskConvergence *
ferry_disk_convergence_new(gint64 stall_us, bool synchronous)
{
    FerryDiskConvergence *self = g_new0(FerryDiskConvergence, 1);

    self->stall_us = stall_us;
    self->synchronous = synchronous;
    self->samples = g_array_new(FALSE, FALSE, sizeof(FerryDiskSample));
    return self;
}

void
ferry_disk_convergence_free(FerryDiskConvergence *self)
{
    if (!self)
        return;
    g_array_unref(self->samples);
    g_free(self);
}

static void
begin_window(FerryDiskConvergence *self)
{
    g_array_set_size(self->samples, 0);
    self->has_window = false;
    self->vain_us = 0;
}

void
ferry_disk_convergence_set_synchronous(FerryDiskConvergence *self)
{
    self->synchronous = true;
    begin_window(self);
}

void
ferry_disk_convergence_forget_link(FerryDiskConvergence *self)
{
    self->best_bytes_s = 0;
    begin_window(self);
}

static const FerryDiskSample *
sample_at(const FerryDiskConvergence *self, guint index)
{
    return &g_array_index(self->samples, FerryDiskSample, index);
}

/* Returns: (nullable): the youngest look that is old enough to be the window's beginning. */
static const FerryDiskSample *
window_begin(const FerryDiskConvergence *self)
{
    for (guint i = self->samples->len; i-- > 0;) {
        const FerryDiskSample *begin = sample_at(self, i);
        gint64 age_us = self->last.time_us - begin->time_us;

        if (age_us >= WINDOW_MAX_US ||
            (age_us >= WINDOW_MIN_US &&
             self->last.copied_bytes - begin->copied_bytes >= WINDOW_BYTES))
            return begin;
    }
    return NULL;
}

static guint64
per_second(guint64 bytes, gint64 time_us)
{
    return (guint64)((double)bytes * G_USEC_PER_SEC / (double)time_us);
}

static guint64
difference(guint64 now, guint64 before)
{
    return now > before ? now - before : 0;
}

/* Nothing where nobody could tell what it had written at the beginning. */
static guint64
written_since(const FerryDiskSample *begin, const FerryDiskSample *end)
{
    return begin->written_bytes > 0 ? difference(end->written_bytes, begin->written_bytes) : 0;
}

static void
measure(FerryDiskConvergence *self, const FerryDiskSample *begin)
{
    const FerryDiskSample *end = &self->last;
    gint64 time_us = end->time_us - begin->time_us;

    self->has_window = true;
    self->rates = (FerryDiskRates){
        .copied_bytes_s = per_second(end->copied_bytes - begin->copied_bytes, time_us),
        .dirtied_bytes_s = per_second(difference(end->copied_bytes + end->remaining_bytes,
                                                 begin->copied_bytes + begin->remaining_bytes),
                                      time_us),
        .written_bytes_s = per_second(written_since(begin, end), time_us),
    };
    self->best_bytes_s = MAX(self->best_bytes_s, self->rates.copied_bytes_s);
}

/* With synchronous writes what the guest writes counts as copied and as dirtied at once; a mirror
 * that is slow because of it still ends. */
static bool
is_vain(const FerryDiskConvergence *self)
{
    double copied = (double)self->rates.copied_bytes_s;
    double gain = copied - (double)self->rates.dirtied_bytes_s;

    if (self->last.remaining_bytes == 0 || self->rates.copied_bytes_s == 0)
        return false;
    if (gain <= 0 || self->synchronous)
        return gain <= 0;
    /* remaining / gain > IN_VAIN_TIMES * whole / copied */
    return (double)self->last.remaining_bytes * copied >
           IN_VAIN_TIMES * (double)self->whole_bytes * gain;
}

static void
note_movement(FerryDiskConvergence *self, const FerryDiskSample *sample)
{
    if (sample->mirrors == 0 || sample->remaining_bytes == 0 ||
        sample->mirrors != self->last.mirrors || sample->copied_bytes != self->last.copied_bytes)
        self->moved_us = sample->time_us;
}

/* Mirrors that were begun before the first look had copied something by then. */
static guint64
whole_at_first(const FerryDiskSample *sample)
{
    guint64 bytes = sample->copied_bytes + sample->remaining_bytes;

    return sample->capacity_bytes > 0 ? MIN(bytes, sample->capacity_bytes) : bytes;
}

static void
keep(FerryDiskConvergence *self)
{
    guint count = self->samples->len;

    if (count > 0 && self->last.time_us - sample_at(self, count - 1)->time_us < SPACING_US)
        return;
    g_array_append_val(self->samples, self->last);
    while (self->last.time_us - sample_at(self, 0)->time_us > WINDOW_MAX_US + SPACING_US)
        g_array_remove_index(self->samples, 0);
}

/* Returns: true where what was seen before @sample does not count: a mirror came or went, whose
 * bytes are no rate, or nothing moves. */
static bool
breaks_window(const FerryDiskConvergence *self, const FerryDiskSample *sample)
{
    return sample->mirrors != self->last.mirrors ||
           sample->copied_bytes < self->last.copied_bytes ||
           sample->time_us - self->moved_us >= CUT_US;
}

void
ferry_disk_convergence_add(FerryDiskConvergence *self, const FerryDiskSample *sample)
{
    note_movement(self, sample);
    if (breaks_window(self, sample))
        begin_window(self);
    self->last = *sample;
    if (self->begun_us == 0 && sample->mirrors > 0)
        self->begun_us = sample->time_us;
    if (self->whole_bytes == 0)
        self->whole_bytes = whole_at_first(sample);
    self->whole_bytes = MAX(self->whole_bytes, sample->remaining_bytes);
    keep(self);

    const FerryDiskSample *begin = window_begin(self);

    if (!begin)
        return;
    measure(self, begin);
    if (!is_vain(self))
        self->vain_us = 0;
    else if (self->vain_us == 0)
        self->vain_us = sample->time_us;
}

bool
ferry_disk_convergence_is_synchronous(const FerryDiskConvergence *self)
{
    return self->synchronous;
}

const FerryDiskSample *
ferry_disk_convergence_last(const FerryDiskConvergence *self)
{
    return &self->last;
}

static gint64
hold_us(const FerryDiskConvergence *self)
{
    if (self->synchronous)
        return HOLD_LAST_US;
    if (self->rates.copied_bytes_s < self->best_bytes_s / 2)
        return HOLD_ILL_US;
    return CLAMP((self->vain_us - self->begun_us) / HOLD_PART, HOLD_US, HOLD_MOST_US);
}

static bool
is_stalled(const FerryDiskConvergence *self)
{
    return self->stall_us > 0 && self->last.mirrors > 0 &&
           self->last.time_us - self->moved_us >= self->stall_us;
}

FerryDisksState
ferry_disk_convergence_state(const FerryDiskConvergence *self)
{
    if (is_stalled(self))
        return FERRY_DISKS_STALLED;
    if (!self->has_window)
        return FERRY_DISKS_UNKNOWN;
    return self->vain_us == 0 ? FERRY_DISKS_CONVERGING : FERRY_DISKS_DIVERGING;
}

gint64
ferry_disk_convergence_action_in_us(const FerryDiskConvergence *self)
{
    gint64 lasted_us = self->vain_us ? self->last.time_us - self->vain_us : 0;

    if (is_stalled(self))
        return 0;
    return MAX(hold_us(self) - lasted_us, 0);
}

gint64
ferry_disk_convergence_hopeless_in_us(const FerryDiskConvergence *self)
{
    if (self->vain_us == 0 || self->rates.copied_bytes_s > self->rates.dirtied_bytes_s)
        return G_MAXINT64;
    return MAX(self->vain_us + HOLD_LAST_US - self->last.time_us, 0);
}

gint64
ferry_disk_convergence_since_us(const FerryDiskConvergence *self)
{
    return is_stalled(self) ? self->moved_us : self->vain_us;
}

bool
ferry_disk_convergence_rates(const FerryDiskConvergence *self, FerryDiskRates *ret_rates)
{
    *ret_rates = self->has_window ? self->rates : (FerryDiskRates){0};
    return self->has_window;
}

guint64
ferry_disk_convergence_again_bytes(const FerryDiskConvergence *self)
{
    const FerryDiskSample *last = &self->last;

    if (last->copied_bytes >= self->whole_bytes)
        return last->remaining_bytes;

    guint64 again = difference(last->remaining_bytes + last->copied_bytes, self->whole_bytes);

    return (guint64)((double)again * (double)self->whole_bytes /
                     (double)MAX(last->copied_bytes, 1));
}

guint64
ferry_disk_convergence_link_bytes_s(const FerryDiskConvergence *self)
{
    return self->best_bytes_s;
}

/* A link that carries nothing is not the guest's fault: what was copied is not thrown away. */
static bool
moves(const FerryDiskConvergence *self)
{
    return self->last.time_us - self->moved_us < MOVES_US;
}

FerryDiskAction
ferry_disk_convergence_action(const FerryDiskConvergence *self, FerryDiskWrites writes)
{
    switch (ferry_disk_convergence_state(self)) {
    case FERRY_DISKS_STALLED:
        return FERRY_DISK_ACTION_GIVE_UP_STALL;
    case FERRY_DISKS_DIVERGING:
        if (ferry_disk_convergence_action_in_us(self) == 0 && moves(self))
            break;
        return FERRY_DISK_ACTION_NONE;
    case FERRY_DISKS_UNKNOWN:
    case FERRY_DISKS_CONVERGING:
        return FERRY_DISK_ACTION_NONE;
    }
    if (self->synchronous)
        return FERRY_DISK_ACTION_GIVE_UP;
    return writes == FERRY_DISK_WRITES_AUTO ? FERRY_DISK_ACTION_SYNCHRONOUS
                                            : FERRY_DISK_ACTION_NONE;
}

bool
ferry_disk_writes_exceed(guint64 written_bytes_s, guint64 link_bytes_s)
{
    return link_bytes_s > 0 && (double)written_bytes_s > (double)link_bytes_s * WHOLE_LINK;
}
