#include "config.h"

#include "source/transfer-private.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "model/host-versions.h"
#include "source/disk-attempt.h"
#include "virt/disk-writes.h"
#include "virt/host.h"

/* The guest's own counter is one question more to QEMU for each disk: asked less often. */
#define WRITTEN_LOOK_US G_USEC_PER_SEC
/* Shorter than that nothing is a rate. */
#define RATE_MIN_US (2 * G_USEC_PER_SEC)

/* --- looking ---------------------------------------------------------------------------------- */

static void
look_at_written(FerryTransfer *self, gint64 now_us)
{
    FerryWrittenBytes *written = &self->written;
    guint64 bytes = 0;

    if (written->last_us != 0 && now_us - written->last_us < WRITTEN_LOOK_US)
        return;
    bytes = ferry_virt_disks_written_bytes(self->domain, self->instance);
    if (bytes == 0)
        return;
    if (written->first_bytes == 0)
        *written = (FerryWrittenBytes){.first_bytes = bytes, .first_us = now_us};
    written->last_bytes = bytes;
    written->last_us = now_us;
}

/* Until the first mirror nothing hinders the guest; what it wrote so far is no rate of theirs. */
static void
see_mirrors(FerryTransfer *self, gint64 now_us)
{
    self->written = (FerryWrittenBytes){0};
    look_at_written(self, now_us);

    FERRY_LOCK_SCOPE(&self->lock);

    if (!self->abandoned)
        ferry_disk_attempt_note_mirrors(self->migration, self->written.last_bytes);
}

/* Fills in what is done about it; nothing: it goes on as it is. */
static void
tell_action(const FerryTransfer *self, FerryDisksState state, FerryStall *stall)
{
    gint64 in_us = ferry_disk_convergence_action_in_us(self->disks);

    if (state == FERRY_DISKS_STALLED || ferry_disk_convergence_is_synchronous(self->disks)) {
        stall->action = "fail";
    } else if (self->options->disk_writes != FERRY_DISK_WRITES_AUTO) {
        return;
    } else if (ferry_disk_attempt_may_repeat(self->migration)) {
        stall->action = "synchronous-writes";
    } else {
        in_us = ferry_disk_convergence_hopeless_in_us(self->disks);
        stall->action = in_us < G_MAXINT64 ? "fail" : NULL;
    }
    stall->action_in_ms = stall->action ? (guint64)in_us / 1000 : 0;
}

static FerryConvergence
describe(const FerryTransfer *self)
{
    FerryDisksState state = ferry_disk_convergence_state(self->disks);
    FerryConvergence convergence = {.converging = FERRY_CONVERGING_NO, .stall.of = "disk"};
    FerryDiskRates rates = {0};

    (void)ferry_disk_convergence_rates(self->disks, &rates);
    if (state == FERRY_DISKS_UNKNOWN)
        return (FerryConvergence){.converging = FERRY_CONVERGING_UNKNOWN};
    if (state == FERRY_DISKS_CONVERGING)
        return (FerryConvergence){.converging = FERRY_CONVERGING_YES};
    convergence.stall.writes_bytes_s = rates.dirtied_bytes_s;
    convergence.stall.link_bytes_s = rates.copied_bytes_s;
    tell_action(self, state, &convergence.stall);
    return convergence;
}

void
ferry_transfer_look_at_disks(FerryTransfer *self, gint64 now_us)
{
    FerryDiskSample sample = {.time_us = now_us};
    FerryConvergence convergence = {0};

    for (guint i = 0; i < self->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(self->instance->disks, i);
        guint64 cur = 0;
        guint64 end = 0;

        if (!disk->migrate || !ferry_virt_disk_describe(self->domain, disk->target, &cur, &end))
            continue;
        self->copying = true;
        ferry_progress_set_disk(self->progress, disk->target, cur, end);
        /* Without an end it has not begun. */
        sample.mirrors += end > 0;
        sample.copied_bytes += cur;
        sample.remaining_bytes += end > cur ? end - cur : 0;
        sample.capacity_bytes += end > 0 ? disk->capacity_bytes : 0;
    }
    if (sample.mirrors > 0 && ferry_disk_convergence_last(self->disks)->mirrors == 0)
        see_mirrors(self, now_us);
    else
        look_at_written(self, now_us);
    sample.written_bytes = self->written.last_bytes;
    ferry_disk_convergence_add(self->disks, &sample);
    convergence = describe(self);
    ferry_progress_set_convergence(self->progress, &convergence);
}

/* --- what is done ----------------------------------------------------------------------------- */

static void
tell_stall(FerryTransfer *self)
{
    FerryConvergence convergence = describe(self);

    if (self->disks_stalled)
        return;
    self->disks_stalled = true;
    g_message("Migration '%s': the disks of '%s' do not converge: %" G_GUINT64_FORMAT
              " bytes/s become dirty, %" G_GUINT64_FORMAT " bytes/s are copied",
              ferry_migration_id(self->migration), self->instance->name,
              convergence.stall.writes_bytes_s, convergence.stall.link_bytes_s);
    ferry_transfer_tell_stall(self, &convergence.stall,
                              ferry_disk_convergence_since_us(self->disks));
}

static void
note_rate(FerryTransfer *self)
{
    FerryWrittenBytes *written = &self->written;
    gint64 time_us = written->last_us - written->first_us;

    FERRY_LOCK_SCOPE(&self->lock);

    if (!self->abandoned && time_us >= RATE_MIN_US && written->last_bytes >= written->first_bytes)
        ferry_disk_attempt_note_rate(
            self->migration, (guint64)((double)(written->last_bytes - written->first_bytes) *
                                       G_USEC_PER_SEC / (double)time_us));
    *written = (FerryWrittenBytes){0};
}

static void
note_link(FerryTransfer *self)
{
    guint64 bytes_s = ferry_disk_convergence_link_bytes_s(self->disks);

    FERRY_LOCK_SCOPE(&self->lock);

    if (!self->abandoned && !self->was_limited && bytes_s > 0)
        ferry_disk_attempt_note_link(self->migration, bytes_s);
}

void
ferry_transfer_add_disk_rates(const FerryTransfer *self, GError *error)
{
    const FerryDiskSample *last = ferry_disk_convergence_last(self->disks);
    FerryDiskRates rates = {0};

    (void)ferry_disk_convergence_rates(self->disks, &rates);
    ferry_error_set_detail(error, "copied_bytes", json_integer((json_int_t)last->copied_bytes));
    ferry_error_set_detail(error, "remaining_bytes",
                           json_integer((json_int_t)last->remaining_bytes));
    ferry_error_set_detail(error, "link_bytes_s", json_integer((json_int_t)rates.copied_bytes_s));
    ferry_error_set_detail(error, "dirtied_bytes_s",
                           json_integer((json_int_t)rates.dirtied_bytes_s));
    ferry_error_set_detail(error, "written_bytes_s",
                           json_integer((json_int_t)rates.written_bytes_s));
}

/* Returns: (transfer full): @reason goes into the details, with what was seen. */
static GError *
timeout_error(const FerryTransfer *self, const char *reason, const char *hint, const char *message)
{
    GError *error = ferry_error_new(FERRY_ERROR_MIGRATION_TIMEOUT, hint, "%s", message);

    ferry_error_set_detail(error, "reason", json_string(reason));
    ferry_error_set_detail(error, "of", json_string("disk"));
    ferry_error_set_detail(error, "budget", json_string("disk"));
    ferry_transfer_add_disk_rates(self, error);
    return error;
}

/* Returns: true where QEMU's own commands may be used, which libvirt notes as a taint. */
static bool
permits_monitor(const FerryTransfer *self)
{
    return ferry_migration_agent(self->migration)->config->monitor_commands;
}

/* QEMU would wait for what is on its way as long as the kernel does. */
static void
disconnect(FerryTransfer *self)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < self->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(self->instance->disks, i);

        if (disk->migrate)
            g_ptr_array_add(targets, disk->target);
    }
    if (!ferry_virt_mirrors_disconnect(self->domain, targets, &error))
        g_message("Migration '%s': the mirrors' connections stay: %s",
                  ferry_migration_id(self->migration), error->message);
}

static void
give_up_stalled(FerryTransfer *self)
{
    guint64 left = ferry_disk_convergence_last(self->disks)->remaining_bytes;
    g_autofree char *message = g_strdup_printf(
        "No byte of the disks of '%s' has moved for %u s; %" G_GUINT64_FORMAT " bytes are left",
        self->instance->name, self->options->disk_stall_timeout_s, left);

    ferry_transfer_abort(self, timeout_error(self, "disk-stalled",
                                             "Look at the migration network between the hosts, or "
                                             "order a longer disk_stall_timeout_s",
                                             message));
    if (permits_monitor(self))
        disconnect(self);
    else
        g_message("Migration '%s': it ends when the link carries something again, or the kernel "
                  "gives up QEMU's connections (about 15 minutes); [migration] "
                  "monitor_commands would let the agent close them",
                  ferry_migration_id(self->migration));
}

static void
give_up_diverging(FerryTransfer *self)
{
    bool synchronous = ferry_disk_convergence_is_synchronous(self->disks);
    FerryDiskRates rates = {0};

    (void)ferry_disk_convergence_rates(self->disks, &rates);

    g_autofree char *message =
        g_strdup_printf("The disks of '%s' do not converge%s: %" G_GUINT64_FORMAT
                        " bytes/s become dirty, %" G_GUINT64_FORMAT " bytes/s are copied",
                        self->instance->name, synchronous ? ", even with synchronous writes" : "",
                        rates.dirtied_bytes_s, rates.copied_bytes_s);

    ferry_transfer_abort(
        self, timeout_error(self, "not-converging",
                            synchronous ? "Give the migration more bandwidth, or order it when "
                                          "the instance writes less"
                                        : "Order it anew with disk_writes synchronous; with a "
                                          "newer virt-ferry on the destination it goes over by "
                                          "itself",
                            message));
}

/* At once, and nothing is lost; at the price of libvirt's taint. */
static bool
switch_running(FerryTransfer *self)
{
    g_autofree char *qemu =
        permits_monitor(self) ? ferry_virt_host_qemu_version(self->connection) : NULL;
    g_autoptr(GError) error = NULL;

    if (self->switch_tried || !ferry_version_is_at_least(qemu, "8.2.0"))
        return false;
    self->switch_tried = true;
    if (!ferry_virt_mirrors_synchronise(self->domain, &error)) {
        g_message("Migration '%s': the running mirrors stay as they are: %s",
                  ferry_migration_id(self->migration), error->message);
        return false;
    }
    return true;
}

/* Returns: false when the saga gave the watch up and went on. */
static bool
note(FerryTransfer *self, void (*func)(FerryMigration *migration))
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (!self->abandoned)
        func(self->migration);
    return !self->abandoned;
}

static void
end_for_another(FerryTransfer *self)
{
    if (self->aborting)
        return;
    ferry_transfer_abort(self,
                         ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, NULL,
                                         "its mirrors do not catch up with the guest's writes; it "
                                         "begins once more, with synchronous writes"));
    self->again = true;
}

static bool
had_better_seed(const FerryTransfer *self)
{
    FerryDiskRates rates = {0};

    return ferry_disk_convergence_rates(self->disks, &rates) &&
           ferry_disk_attempt_may_seed(self->migration,
                                       ferry_disk_convergence_again_bytes(self->disks),
                                       rates.copied_bytes_s);
}

static void
begin_again(FerryTransfer *self)
{
    bool seeds = had_better_seed(self);

    /* Noted first: an agent that dies right here goes on with it. */
    if (note(self, seeds ? ferry_disk_attempt_end_for_seeds : ferry_disk_attempt_end_first))
        end_for_another(self);
}

void
ferry_transfer_take_up_attempt(FerryTransfer *self)
{
    switch (ferry_disk_attempt_state(self->migration)) {
    case FERRY_DISK_ATTEMPT_UNDER_WAY:
    case FERRY_DISK_ATTEMPT_SEEDING: /* of before the transfer */
        break;
    case FERRY_DISK_ATTEMPT_ENDING:
        self->ending = true;
        /* Where no job is seen it has ended. */
        self->again = true;
        break;
    case FERRY_DISK_ATTEMPT_BEGINNING:
        self->beginning = true;
        /* Where nobody has called libvirt and no job is seen, either, it has not begun. */
        self->again = !self->call;
        break;
    }
}

static void
go_synchronous(FerryTransfer *self)
{
    if (switch_running(self)) {
        note_rate(self);
        if (note(self, ferry_disk_attempt_note_switched))
            ferry_disk_convergence_set_synchronous(self->disks);
    } else if (ferry_disk_attempt_may_repeat(self->migration)) {
        begin_again(self);
    } else if (ferry_disk_convergence_hopeless_in_us(self->disks) == 0) {
        give_up_diverging(self);
    }
}

/* Told once for each, when it has lasted; also where nothing is done about it. */
static void
watch_for_stall(FerryTransfer *self)
{
    FerryDisksState state = ferry_disk_convergence_state(self->disks);
    bool diverging = state == FERRY_DISKS_DIVERGING;

    if (state == FERRY_DISKS_STALLED ||
        (diverging && ferry_disk_convergence_action_in_us(self->disks) == 0))
        tell_stall(self);
    else if (!diverging)
        self->disks_stalled = false;
}

void
ferry_transfer_steer_disks(FerryTransfer *self)
{
    if (self->aborting || self->phase != FERRY_PHASE_DISK)
        return;
    watch_for_stall(self);
    switch (ferry_disk_convergence_action(self->disks, self->options->disk_writes)) {
    case FERRY_DISK_ACTION_NONE:
        break;
    case FERRY_DISK_ACTION_SYNCHRONOUS:
        /* A guest that was stopped writes no more. */
        if (!self->forced)
            go_synchronous(self);
        break;
    case FERRY_DISK_ACTION_GIVE_UP:
        give_up_diverging(self);
        break;
    case FERRY_DISK_ACTION_GIVE_UP_STALL:
        give_up_stalled(self);
        break;
    }
}

/* --- its end ---------------------------------------------------------------------------------- */

/* Once its disks have arrived nothing is won by another. */
static void
see_ending(FerryTransfer *self)
{
    self->ending = false;
    if (self->phase == FERRY_PHASE_DISK)
        end_for_another(self);
    else if (note(self, ferry_disk_attempt_forget_switching))
        self->again = false;
}

void
ferry_transfer_see_attempt(FerryTransfer *self)
{
    if (self->ending)
        see_ending(self);
    if (!self->beginning || !note(self, ferry_disk_attempt_forget_switching))
        return;
    self->beginning = false;
    self->again = false;
}

void
ferry_transfer_end_disks(FerryTransfer *self)
{
    FerryTransferResult *result = &self->result;

    note_rate(self);
    note_link(self);
    if (!self->again || result->detached || (self->call && !result->error))
        return;
    result->again = !ferry_migration_abort_requested(self->migration);
    if (result->again || !result->error)
        return;
    g_error_free(result->error);
    result->error =
        ferry_error_new(FERRY_ERROR_CANCELLED, NULL, "The migration was aborted by order");
}
