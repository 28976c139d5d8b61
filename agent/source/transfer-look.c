#include "config.h"

#include "source/transfer-private.h"

#include "ferry/lock.h"
#include "virt/domain-state.h"
#include "virt/domain.h"

/* An earlier life of the agent may have done it. */
static bool
is_paused_by_us(const FerryTransfer *self)
{
    return self->paused ||
           (ferry_migration_force_requested(self->migration) && !self->options->post_copy);
}

static FerryPhase
phase_of(const FerryTransfer *self, const FerryJobInfo *info)
{
    FerryObservedState observed = ferry_virt_domain_observed_state(self->domain);

    if (observed == FERRY_OBSERVED_POSTCOPY)
        return FERRY_PHASE_POST_COPY;
    /* The phase is what is being copied, not whether the guest stands: it may have been paused so
     * that the rest goes faster. */
    if (!info->has_memory)
        return FERRY_PHASE_DISK;
    if (observed != FERRY_OBSERVED_PAUSED_MIGRATION ||
        (is_paused_by_us(self) && info->sample.memory_remaining_bytes > 0))
        return FERRY_PHASE_MEMORY;
    return FERRY_PHASE_SWITCHOVER;
}

void
ferry_transfer_tell(FerryTransfer *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (self->abandoned)
        return;
    ferry_migration_report_progress(self->migration, ferry_progress_to_json(self->progress));
    ferry_migration_enter_phase(self->migration, self->phase);
}

void
ferry_transfer_tell_stall(FerryTransfer *self, const FerryStall *stall, gint64 since_us)
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (!self->abandoned)
        ferry_migration_tell_stall(self->migration, stall, since_us);
}

static void
take_look(FerryTransfer *self, FerryJobInfo *info)
{
    FerryPhase phase = phase_of(self, info);
    FerryPhase before = self->phase;

    /* Phases go forward only: a late counter of the disks does not bring them back. The pause in
     * which post-copy begins looks like the switchover until libvirt heard of it. */
    self->phase = phase == FERRY_PHASE_POST_COPY ? phase : MAX(phase, before);
    if (self->phase > FERRY_PHASE_DISK && self->memory_us == 0)
        ferry_transfer_enter_memory(self, info->sample.time_us);
    /* One more look when the disks are done shows their last bytes. */
    if (before <= FERRY_PHASE_DISK)
        ferry_transfer_look_at_disks(self, info->sample.time_us);
    info->sample.phase = self->phase;
    ferry_progress_update(self->progress, &info->sample);
    ferry_transfer_tell(self);
}

bool
ferry_transfer_look(FerryTransfer *self)
{
    FerryJobInfo info = {0};
    g_autoptr(GError) error = NULL;

    if (!ferry_virt_job_info(self->domain, &info, &error)) {
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
        return false;
    }
    if (!info.outgoing)
        return false;
    take_look(self, &info);
    ferry_transfer_see_attempt(self);
    ferry_transfer_tune(self, &info.sample);
    ferry_transfer_steer_memory(self, &info);
    return true;
}
