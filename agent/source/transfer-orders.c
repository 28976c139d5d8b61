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
    self->abort_reason = reason;
    g_message("Migration '%s': aborting the transfer: %s", ferry_migration_id(self->migration),
              reason->message);
}

/* The wish waits for its time. A guest that is stopped before libvirt has made its mind up how it
 * is to arrive arrives stopped; post-copy starts with the memory phase only. */
static void
force_complete(FerryTransfer *self)
{
    g_autoptr(GError) error = NULL;
    bool post_copy = self->options->post_copy;

    if (post_copy ? self->memory_us == 0 : !self->copying)
        return;

    bool ok = post_copy ? ferry_virt_start_post_copy(self->domain, &error)
                        : ferry_virt_pause(self->domain, &error);

    self->forced = true;
    if (ok)
        g_message("Migration '%s': forced to complete by %s", ferry_migration_id(self->migration),
                  post_copy ? "post-copy" : "pausing the guest");
    else
        g_warning("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}

static void
watch_the_clock(FerryTransfer *self, gint64 now)
{
    if (now < self->deadline_us || self->aborting || self->forced)
        return;
    if (self->options->timeout_action == FERRY_TIMEOUT_ACTION_FORCE_COMPLETE)
        force_complete(self);
    else
        ferry_transfer_abort(self, ferry_completion_error(self->migration));
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
    if (ferry_migration_force_requested(self->migration) && !self->forced && !self->aborting)
        force_complete(self);
    watch_the_clock(self, now);
    watch_the_room(self);
    ferry_transfer_steer_disks(self);
    /* Asked at every look: before libvirt's job began the first one is refused. */
    if (self->aborting && !ferry_virt_job_abort(self->domain, &error))
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}
