#include "config.h"

#include "source/transfer-private.h"

#include "ferry/error.h"
#include "source/completion.h"
#include "virt/domain.h"

void
ferry_transfer_abort(FerryTransfer *self, GError *reason)
{
    if (self->aborting) {
        g_error_free(reason);
        return;
    }
    self->aborting = true;
    self->again = false;
    self->abort_reason = reason;
    g_message("Migration '%s': aborting the transfer: %s", ferry_migration_id(self->migration),
              reason->message);
}

bool
ferry_transfer_force(FerryTransfer *self, GError **error)
{
    bool post_copy = self->options->post_copy;

    if (!(post_copy ? ferry_virt_start_post_copy(self->domain, error)
                    : ferry_virt_pause(self->domain, error)))
        return false;
    self->forced = true;
    self->paused = !post_copy;
    g_message("Migration '%s': forced to complete by %s", ferry_migration_id(self->migration),
              post_copy ? "post-copy" : "pausing the guest");
    return true;
}

/* The wish waits for its time. A guest that is stopped before libvirt has made its mind up how it
 * is to arrive arrives stopped; post-copy starts with the memory phase only. */
static void
obey_force(FerryTransfer *self)
{
    g_autoptr(GError) error = NULL;

    if (self->options->post_copy ? self->memory_us == 0 : !self->copying)
        return;
    self->force_failed = !ferry_transfer_force(self, &error);
    if (self->force_failed)
        g_warning("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}

/* --- budgets ---------------------------------------------------------------------------------- */

/* Returns: the one that is spent, or NULL. */
static const char *
spent_budget(const FerryTransfer *self, gint64 now, gint64 *ret_since_us)
{
    gint64 memory_end_us =
        self->memory_us + (gint64)self->options->memory_timeout_s * G_USEC_PER_SEC;

    *ret_since_us = self->deadline_us;
    if (now >= self->deadline_us)
        return "completion";
    *ret_since_us = memory_end_us;
    if (self->phase == FERRY_PHASE_MEMORY && self->options->memory_timeout_s > 0 &&
        now >= memory_end_us)
        return "memory";
    return NULL;
}

static GError *
budget_error(const FerryTransfer *self, const char *budget)
{
    GError *error = g_str_equal(budget, "memory") ? ferry_transfer_memory_error(self)
                                                  : ferry_completion_error(self->migration);

    if (self->memory)
        ferry_transfer_add_rates(self, error, budget);
    else if (ferry_disk_convergence_last(self->disks)->mirrors > 0)
        ferry_transfer_add_disk_rates(self, error);
    return error;
}

/* Returns: false where the transfer has to end instead. The disks get the time that they need, and
 * a link that is ill or an iteration that cannot be judged gets a window. */
static bool
force_in_time(FerryTransfer *self, gint64 now, gint64 since_us)
{
    const FerryConfig *config = ferry_migration_agent(self->migration)->config;
    gint64 window_us = (gint64)config->memory_window_s * G_USEC_PER_SEC;
    g_autoptr(GError) error = NULL;

    if (self->phase != FERRY_PHASE_MEMORY)
        return true;
    if (!ferry_transfer_is_short(self))
        return now < MAX(since_us, self->memory_us) + window_us;
    if (ferry_transfer_force(self, &error))
        return true;
    g_warning("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
    return false;
}

static void
watch_the_clock(FerryTransfer *self, gint64 now)
{
    gint64 since_us = 0;
    const char *budget = spent_budget(self, now, &since_us);

    if (!budget || self->aborting || self->forced)
        return;
    if (self->options->timeout_action == FERRY_TIMEOUT_ACTION_FORCE_COMPLETE &&
        force_in_time(self, now, since_us))
        return;
    ferry_transfer_abort(self, budget_error(self, budget));
}

/* Once the guest runs there, nothing is won by an end. */
static void
watch_the_room(FerryTransfer *self)
{
    g_autoptr(GError) shortage = self->room && self->phase <= FERRY_PHASE_MEMORY
                                     ? ferry_room_watch_shortage(self->room)
                                     : NULL;

    if (shortage)
        ferry_transfer_abort(self, g_steal_pointer(&shortage));
}

void
ferry_transfer_obey(FerryTransfer *self, gint64 now)
{
    g_autoptr(GError) error = NULL;

    if (ferry_migration_abort_requested(self->migration) && !self->aborting)
        ferry_transfer_abort(self, ferry_error_new(FERRY_ERROR_CANCELLED, NULL,
                                                   "The migration was aborted by order"));
    if (ferry_migration_force_requested(self->migration) && !self->forced && !self->aborting &&
        !self->force_failed)
        obey_force(self);
    watch_the_clock(self, now);
    watch_the_room(self);
    ferry_transfer_steer_disks(self);
    /* Asked at every look: before libvirt's job began the first one is refused. */
    if (self->aborting && !ferry_virt_job_abort(self->domain, &error))
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}
