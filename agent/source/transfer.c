#include "config.h"

#include "source/transfer.h"

#include "ferry/lock.h"
#include "source/completion.h"
#include "source/disk-attempt.h"
#include "source/migration-progress.h"
#include "source/transfer-call.h"
#include "source/transfer-private.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/virt.h"

/* The agent that stops does not wait for it as long. */
#define STOP_SILENCE_US G_USEC_PER_SEC

void
ferry_transfer_result_clear(FerryTransferResult *result)
{
    g_clear_error(&result->error);
}

static void
transfer_free(gpointer data)
{
    FerryTransfer *self = data;
    g_autoptr(virConnect) connection G_GNUC_UNUSED = self->connection;
    g_autoptr(virDomain) domain G_GNUC_UNUSED = self->domain;

    /* Before the watch that it wakes. */
    ferry_detached_call_abandon(self->call);
    ferry_room_watch_free(self->room);
    ferry_virt_watch_free(self->watch);
    ferry_progress_free(self->progress);
    ferry_disk_convergence_free(self->disks);
    ferry_memory_convergence_free(self->memory);
    ferry_migration_unref(self->migration);
    ferry_transfer_result_clear(&self->result);
    g_clear_error(&self->abort_reason);
    g_mutex_clear(&self->lock);
    g_free(self);
}

static bool
run_sampler(gpointer data, GError **error)
{
    ferry_transfer_watch(data);
    return true;
}

static gint64
limit_us(const FerryTransfer *self)
{
    return (gint64)ferry_migration_agent(self->migration)->silence_ms * 1000;
}

/* Returns: true when the saga goes on without a sampler that hangs. */
static bool
has_way_out(const FerryTransfer *self, gint64 silence_us, FerryTransferResult *result)
{
    if (ferry_migration_is_detached(self->migration) &&
        silence_us > MIN(STOP_SILENCE_US, limit_us(self))) {
        result->detached = true;
        return true;
    }
    /* The call came back: what the hosts show is looked at without the job's counters. */
    return silence_us > limit_us(self) && self->call &&
           ferry_transfer_has_answered(self, &result->error);
}

/* Returns: true when the sampler was given up. */
static bool
give_up(FerryTransfer *self, bool *said, FerryTransferResult *result)
{
    FERRY_LOCK_SCOPE(&self->lock);
    gint64 silence_us = g_get_monotonic_time() - self->heard_us;

    self->abandoned = has_way_out(self, silence_us, result);
    if (!self->abandoned && !*said && silence_us > limit_us(self)) {
        *said = true;
        g_warning("Migration '%s': libvirt does not answer questions about '%s'; its QEMU may "
                  "hang. Orders about it wait",
                  ferry_migration_id(self->migration), self->instance->name);
    }
    return self->abandoned;
}

/* Takes the result from the sampler, or leaves it behind where it hangs. */
static FerryTransferResult
await_end(FerryDetachedCall *sampler)
{
    FerryTransfer *self = ferry_detached_call_data(sampler);
    FerryTransferResult result = {0};
    bool said = false;

    while (ferry_detached_call_wait(sampler, FERRY_TRANSFER_LOOK_MS, NULL) != FERRY_CALL_OVER)
        if (give_up(self, &said, &result))
            return result;
    result = self->result;
    self->result = (FerryTransferResult){0};
    return result;
}

static FerryTransfer *
transfer_new(FerryMigration *migration, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryInstance *instance = ferry_migration_instance(migration);
    gint64 now = g_get_monotonic_time();
    bool described = ferry_migration_check_described(migration, /* destination_too= */ true, error);
    g_autoptr(virConnect) connection = described ? ferry_virt_connect(agent->virt, error) : NULL;
    virDomainPtr domain =
        connection ? ferry_virt_domain_find(connection, instance->uuid, error) : NULL;

    if (!domain)
        return NULL;

    FerryTransfer *self = g_new0(FerryTransfer, 1);

    g_mutex_init(&self->lock);
    self->migration = ferry_migration_ref(migration);
    self->tuned = *ferry_migration_options(migration);
    self->options = &self->tuned;
    self->was_limited =
        self->tuned.bandwidth_mibps > 0 || ferry_migration_tuning(migration).bandwidth_mibps > 0;
    self->instance = instance;
    self->connection = g_steal_pointer(&connection);
    self->domain = domain;
    self->watch = ferry_virt_watch(agent->virt, instance->uuid);
    self->progress = ferry_source_progress_new(migration, true);
    self->disks =
        ferry_disk_convergence_new((gint64)self->options->disk_stall_timeout_s * G_USEC_PER_SEC,
                                   ferry_disk_attempt_is_synchronous(migration));
    self->deadline_us = ferry_completion_deadline_us(migration);
    self->started_us = now;
    self->heard_us = now;
    return self;
}

/* The disks and the switch are over; nothing is left to be forced. */
static void
begin_in_post_copy(FerryTransfer *self)
{
    self->phase = FERRY_PHASE_POST_COPY;
    self->memory_us = self->started_us;
    self->forced = true;
    self->resuming = true;
}

/* The call is given what holds now; copies that run already may not have heard of it. */
static void
take_tuning(FerryTransfer *self, FerryTransferMode mode)
{
    const FerryTuning tuning = ferry_migration_tuning(self->migration);

    self->mirrors_due =
        mode == FERRY_TRANSFER_REATTACH && tuning.bandwidth_mibps != self->tuned.bandwidth_mibps;
    ferry_tuning_apply(&tuning, &self->tuned);
}

static FerryRoomWatch *
watch_destination(FerryMigration *migration)
{
    const FerryRoomQuestion question = ferry_migration_room_question(migration);

    return ferry_room_watch_start(&question);
}

bool
ferry_transfer_run(FerryMigration *migration,
                   FerryTransferMode mode,
                   FerryTransferResult *ret_result,
                   GError **error)
{
    FerryTransfer *self = transfer_new(migration, error);

    if (!self)
        return false;
    if (mode == FERRY_TRANSFER_RESUME)
        begin_in_post_copy(self);
    take_tuning(self, mode);
    if (mode != FERRY_TRANSFER_REATTACH) {
        self->call =
            ferry_transfer_call_start(migration, self->watch, mode == FERRY_TRANSFER_RESUME, error);
        if (!self->call) {
            transfer_free(self);
            return false;
        }
    }
    self->told_switchover = ferry_transfer_told_switchover(migration);
    if (mode != FERRY_TRANSFER_RESUME) {
        ferry_transfer_take_up_attempt(self);
        self->room = watch_destination(migration);
    }

    FerryDetachedWork work = {
        .thread = "vf-watch", .func = run_sampler, .data = self, .free_data = transfer_free};

    ferry_migration_set_watch(migration, self->watch);
    g_autoptr(FerryDetachedCall) sampler = ferry_detached_call_start(&work);

    *ret_result = await_end(sampler);
    ferry_migration_set_watch(migration, NULL);
    return true;
}
