#include "config.h"

#include "source/transfer-private.h"

#include "ferry/error.h"
#include "ferry/lock.h"
#include "virt/domain-state.h"

/* A job that is not there this many looks in a row is over (one look may fall between two jobs). */
#define IDLE_LOOKS 3
/* A post-copy that libvirt can take up again goes on after about a second. */
#define RESUME_US (30 * G_USEC_PER_SEC)

bool
ferry_transfer_has_answered(const FerryTransfer *self, GError **ret_error)
{
    bool over = ferry_detached_call_wait(self->call, 0, NULL) == FERRY_CALL_OVER;

    if (over)
        ferry_detached_call_result(self->call, ret_error);
    return over;
}

/* Re-attached there is no call that ends: the job's absence is the end. */
static bool
is_over(FerryTransfer *self, bool seen, GError **ret_error)
{
    if (self->call)
        return ferry_transfer_has_answered(self, ret_error);
    self->idle_looks = seen ? 0 : self->idle_looks + 1;
    return self->idle_looks >= IDLE_LOOKS;
}

/* Returns: false when nobody waits for the watch any more. */
static bool
note_alive(FerryTransfer *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->heard_us = g_get_monotonic_time();
    return !self->abandoned;
}

/* The main loop of the destination's QEMU may itself wait for memory that is still on the source:
 * it answers nothing then, and libvirt waits for it without end. */
static bool
resuming_is_vain(FerryTransfer *self)
{
    self->resuming = self->resuming && ferry_virt_domain_observed_state(self->domain) ==
                                           FERRY_OBSERVED_POSTCOPY_FAILED;
    if (!self->resuming || g_get_monotonic_time() - self->started_us < RESUME_US)
        return false;
    self->result.error = ferry_error_new(
        FERRY_ERROR_MIGRATION_ERROR, "Look at QEMU's log on the destination",
        "libvirt did not take it up in %d s; QEMU on the destination does not answer",
        (int)(RESUME_US / G_USEC_PER_SEC));
    return true;
}

static void
watch_until_over(FerryTransfer *self)
{
    while (note_alive(self)) {
        bool seen = ferry_transfer_look(self);

        if (is_over(self, seen, &self->result.error) || resuming_is_vain(self))
            return;
        if (ferry_migration_is_detached(self->migration)) {
            self->result.detached = true;
            return;
        }
        ferry_transfer_obey(self, g_get_monotonic_time());
        ferry_virt_watch_wait(self->watch, FERRY_TRANSFER_LOOK_MS);
    }
}

static void
fill_result(FerryTransfer *self)
{
    FerryTransferResult *result = &self->result;
    gint64 now = g_get_monotonic_time();
    gint64 disks_until = self->memory_us ? self->memory_us : now;

    result->summary = ferry_virt_watch_summary(self->watch);
    result->disk_ms = (guint64)(disks_until - self->started_us) / 1000;
    result->memory_ms = (guint64)(now - disks_until) / 1000;
    /* Our own reason is the better one: libvirt only knows that somebody cancelled, and re-attached
     * there is nobody to tell even that. */
    if (self->abort_reason && (result->error || !self->call)) {
        g_clear_error(&result->error);
        result->error = g_steal_pointer(&self->abort_reason);
    }
    ferry_transfer_end_disks(self);
    if (!result->error && !result->detached && !result->again) {
        ferry_progress_finish(self->progress, now);
        ferry_transfer_tell(self);
    }
    result->moved_bytes = ferry_progress_bytes_moved(self->progress);
}

void
ferry_transfer_watch(FerryTransfer *self)
{
    watch_until_over(self);
    fill_result(self);
}
