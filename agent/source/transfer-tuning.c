#include "config.h"

#include "source/transfer-private.h"

#include "model/tuning.h"
#include "source/transfer-call.h"
#include "virt/mirror-limit.h"

/* Returns: of how many copies the limit was changed. */
static guint
limit_by_libvirt(FerryTransfer *self, guint64 share, GError **error)
{
    guint count = 0;

    for (guint i = 0; i < self->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(self->instance->disks, i);
        guint64 cur = 0;
        guint64 end = 0;

        if (!disk->migrate || !ferry_virt_disk_describe(self->domain, disk->target, &cur, &end))
            continue;
        if (!ferry_virt_mirror_limit(self->domain, disk->target, share, error))
            return count;
        count++;
    }
    return count;
}

static guint
limit_by_monitor(FerryTransfer *self, guint64 share, GError **error)
{
    guint count = 0;

    if (self->copying && ferry_virt_mirrors_limit_by_monitor(self->domain, share, &count, error) &&
        count > 0)
        g_message("Migration '%s': the limit of %u disks was changed by QEMU's own command",
                  ferry_migration_id(self->migration), count);
    return count;
}

static guint
count_mirrors(const FerryTransfer *self)
{
    guint count = 0;

    for (guint i = 0; i < self->instance->disks->len; i++)
        count += ((const FerryDisk *)g_ptr_array_index(self->instance->disks, i))->migrate;
    return count;
}

/* libvirt begins the copies one after the other, with the limit that it was called with: what is
 * not there yet is seen to at a later look. */
static void
limit_mirrors(FerryTransfer *self)
{
    const FerryAgent *agent = ferry_migration_agent(self->migration);
    guint64 share = ferry_transfer_disk_share(self->instance, self->options->bandwidth_mibps);
    g_autoptr(GError) error = NULL;
    guint count = G_MAXUINT;

    switch (ferry_mirror_limit_of(self->instance->libvirt_version, agent->config)) {
    case FERRY_MIRROR_LIMIT_LIBVIRT:
        count = limit_by_libvirt(self, share, &error);
        break;
    case FERRY_MIRROR_LIMIT_MONITOR:
        count = limit_by_monitor(self, share, &error);
        break;
    case FERRY_MIRROR_LIMIT_STAYS:
        break;
    }
    self->mirrors_due = !error && count < count_mirrors(self);
    if (error)
        g_warning("Migration '%s': %s; the disks go on under the former limit",
                  ferry_migration_id(self->migration), error->message);
}

void
ferry_transfer_limit_memory(FerryTransfer *self)
{
    guint64 limit = self->options->bandwidth_mibps;
    g_autoptr(GError) error = NULL;

    /* The disks had to share a limit, or it was another one; memory has it alone. */
    if (limit == 0 && !self->was_limited)
        return;
    self->was_limited = limit > 0;
    if (!ferry_virt_set_memory_bandwidth(self->domain, limit, self->phase == FERRY_PHASE_POST_COPY,
                                         &error))
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}

/* What was conceded to memory that does not converge was so by what held before. */
static void
take_means(FerryTransfer *self)
{
    self->conceded_ms = 0;
    if (self->memory)
        ferry_memory_convergence_forget_action(self->memory);
}

static bool
has_same_means(const FerryTuning *a, const FerryTuning *b)
{
    return a->policy == b->policy && a->downtime_ms == b->downtime_ms &&
           a->max_pause_ms == b->max_pause_ms;
}

static void
take_changes(FerryTransfer *self)
{
    const FerryTuning before = ferry_tuning_of(&self->tuned);
    const FerryTuning now = ferry_migration_tuning(self->migration);

    if (ferry_tuning_equal(&before, &now))
        return;
    ferry_tuning_apply(&now, &self->tuned);
    if (!has_same_means(&before, &now))
        take_means(self);
    if (before.bandwidth_mibps == now.bandwidth_mibps)
        return;
    /* What the link carries from now on is another matter than what it did. */
    ferry_disk_convergence_forget_link(self->disks);
    if (self->memory)
        ferry_memory_convergence_begin_anew(self->memory);
    self->mirrors_due = self->memory_us == 0;
    if (!self->mirrors_due)
        ferry_transfer_limit_memory(self);
}

/* --- the switchover under a limit ------------------------------------------------------------- */

/* QEMU asks itself by the rate that it sees, which is the limit, how long the pause would be; the
 * pause itself is not limited. libvirt from 11.1 on tells it better; before, the limit is lifted
 * for a moment, once what is left would fit: then QEMU sees what the link takes. */
#define LIFT_US G_USEC_PER_SEC
#define LIFT_AGAIN_US (10 * G_USEC_PER_SEC)

static bool
is_worth_lifting(const FerryTransfer *self, const FerryProgressSample *sample, guint64 link_mibps)
{
    guint64 fits = link_mibps * 1024 * 1024 / 1000 * self->downtime_ms;

    return sample->memory_remaining_bytes <= fits &&
           (self->lifted_us == 0 || sample->time_us - self->lifted_us > LIFT_AGAIN_US);
}

static void
set_lifted(FerryTransfer *self, bool lifted, guint64 mibps)
{
    g_autoptr(GError) error = NULL;

    if (!ferry_virt_set_memory_bandwidth(self->domain, mibps, /* post_copy= */ false, &error)) {
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
        return;
    }
    self->is_lifted = lifted;
    if (self->memory)
        ferry_memory_convergence_forget_link(self->memory);
}

static void
see_to_the_switchover(FerryTransfer *self, const FerryProgressSample *sample)
{
    guint64 limit = self->options->bandwidth_mibps;
    guint64 link = ferry_migration_agent(self->migration)->config->switchover_bandwidth_mibps;

    if (self->phase != FERRY_PHASE_MEMORY || self->told_switchover || limit == 0 || link <= limit)
        return;
    if (self->is_lifted && sample->time_us - self->lifted_us > LIFT_US) {
        set_lifted(self, /* lifted= */ false, limit);
    } else if (!self->is_lifted && is_worth_lifting(self, sample, link)) {
        self->lifted_us = sample->time_us;
        set_lifted(self, /* lifted= */ true, link);
    }
}

void
ferry_transfer_tune(FerryTransfer *self, const FerryProgressSample *sample)
{
    take_changes(self);
    if (self->mirrors_due && self->memory_us == 0)
        limit_mirrors(self);
    see_to_the_switchover(self, sample);
}
