#include "config.h"

#include "source/transfer.h"

#include "ferry/error.h"
#include "ferry/lock.h"
#include "model/downtime-steps.h"
#include "source/completion.h"
#include "source/migration-progress.h"
#include "source/room-watch.h"
#include "source/transfer-call.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/migrate.h"
#include "virt/time-limits.h"
#include "virt/virt.h"

/* How often we look when libvirt tells nothing by itself. */
#define LOOK_MS 250
/* A job that is not there this many looks in a row is over (one look may fall between two jobs). */
#define IDLE_LOOKS 3
#define SILENCE_US (FERRY_WATCH_SILENCE_S * G_USEC_PER_SEC)
/* A post-copy that libvirt can take up again goes on after about a second. */
#define RESUME_US (30 * G_USEC_PER_SEC)
/* The agent that stops does not wait for it as long. */
#define STOP_SILENCE_US G_USEC_PER_SEC

/* libvirt's call and the sampler, which looks at it: both detached. These are the sampler's data;
 * it alone asks libvirt, and may hang there. */
typedef struct {
    FerryMigration *migration;        /* immutable */
    const FerryOrderOptions *options; /* immutable */
    const FerryInstance *instance;    /* immutable */
    virConnectPtr connection;         /* immutable */
    virDomainPtr domain;              /* immutable; on that connection */
    FerryVirtWatch *watch;            /* immutable */
    FerryDetachedCall *call;          /* immutable; NULL when re-attached */
    FerryRoomWatch *room;             /* immutable; NULL where no disk is on its way any more */
    gint64 deadline_us;               /* immutable; monotonic */

    GMutex lock;
    bool abandoned; /* guarded by lock, set by the saga's thread, which went on: touch the migration
                      * no more */
    gint64 heard_us; /* guarded by lock; monotonic, when libvirt last answered */

    /* The sampler's; the saga's thread's once the sampler is over. */
    FerryTransferResult result;
    FerryProgress *progress;
    GError *abort_reason; /* why we ended it ourselves */
    FerryPhase phase;
    gint64 started_us; /* monotonic */
    gint64 memory_us;  /* when the memory phase began; 0 before */
    guint downtime_ms; /* last set */
    guint idle_looks;
    bool resuming; /* a post-copy is to be taken up, and has not been so far */
    bool copying;  /* a disk or memory is on its way */
    bool aborting;
    bool forced;
} Transfer;

void
ferry_transfer_result_clear(FerryTransferResult *result)
{
    g_clear_error(&result->error);
}

/* --- orders and clocks ------------------------------------------------------------------------ */

static void
begin_abort(Transfer *self, GError *reason)
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
force_complete(Transfer *self)
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
watch_the_clock(Transfer *self, gint64 now)
{
    if (now < self->deadline_us || self->aborting || self->forced)
        return;
    if (self->options->timeout_action == FERRY_TIMEOUT_ACTION_FORCE_COMPLETE)
        force_complete(self);
    else
        begin_abort(self, ferry_completion_error(self->migration));
}

/* Once the guest runs there, nothing is won by an end. */
static void
watch_the_room(Transfer *self)
{
    g_autoptr(GError) shortage = self->room && self->phase <= FERRY_PHASE_MEMORY
                                     ? ferry_room_watch_shortage(self->room)
                                     : NULL;

    if (shortage)
        begin_abort(self, g_steal_pointer(&shortage));
}

static void
obey_orders(Transfer *self, gint64 now)
{
    g_autoptr(GError) error = NULL;

    if (ferry_migration_abort_requested(self->migration) && !self->aborting)
        begin_abort(self, ferry_error_new(FERRY_ERROR_CANCELLED, NULL,
                                          "The migration was aborted by order"));
    if (ferry_migration_force_requested(self->migration) && !self->forced && !self->aborting)
        force_complete(self);
    watch_the_clock(self, now);
    watch_the_room(self);
    /* Asked at every look: before libvirt's job began the first one is refused. */
    if (self->aborting && !ferry_virt_job_abort(self->domain, &error))
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void
enter_memory(Transfer *self, gint64 now)
{
    g_autoptr(GError) error = NULL;

    self->memory_us = now;
    self->copying = true;
    /* The disks had to share the limit; memory has it alone. */
    if (self->options->bandwidth_mibps > 0 &&
        !ferry_virt_set_memory_bandwidth(self->domain, self->options->bandwidth_mibps, &error))
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}

static void
step_downtime(Transfer *self, gint64 now)
{
    const FerryConfig *config = ferry_migration_agent(self->migration)->config;
    FerryDowntimeSteps steps = {.maximum_ms = self->options->downtime_ms,
                                .steps = config->live_migration_downtime_steps,
                                .delay_s = config->live_migration_downtime_delay_s,
                                .data_gib = ferry_downtime_data_gib(self->instance)};
    guint allowed = ferry_downtime_allowed_ms(&steps, self->memory_us ? now - self->memory_us : 0);
    g_autoptr(GError) error = NULL;

    if (allowed == self->downtime_ms)
        return;
    if (ferry_virt_set_downtime(self->domain, allowed, &error))
        self->downtime_ms = allowed;
    else
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}

static FerryPhase
phase_of(const Transfer *self, const FerryJobInfo *info)
{
    FerryObservedState observed = ferry_virt_domain_observed_state(self->domain);

    if (observed == FERRY_OBSERVED_POSTCOPY)
        return FERRY_PHASE_POST_COPY;
    if (observed == FERRY_OBSERVED_PAUSED_MIGRATION)
        return FERRY_PHASE_SWITCHOVER;
    return info->has_memory ? FERRY_PHASE_MEMORY : FERRY_PHASE_DISK;
}

static void
look_at_disks(Transfer *self)
{
    for (guint i = 0; i < self->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(self->instance->disks, i);
        guint64 cur = 0;
        guint64 end = 0;

        if (!disk->migrate || !ferry_virt_disk_describe(self->domain, disk->target, &cur, &end))
            continue;
        self->copying = true;
        ferry_progress_set_disk(self->progress, disk->target, cur, end);
    }
}

/* The migration hears of it, unless its saga gave the watch up and went on. */
static void
tell(Transfer *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (self->abandoned)
        return;
    ferry_migration_report_progress(self->migration, ferry_progress_to_json(self->progress));
    ferry_migration_enter_phase(self->migration, self->phase);
}

static void
take_look(Transfer *self, FerryJobInfo *info)
{
    FerryPhase phase = phase_of(self, info);
    FerryPhase before = self->phase;

    /* Phases go forward only: a late counter of the disks does not bring them back. The pause in
     * which post-copy begins looks like the switchover until libvirt heard of it. */
    self->phase = phase == FERRY_PHASE_POST_COPY ? phase : MAX(phase, before);
    if (self->phase > FERRY_PHASE_DISK && self->memory_us == 0)
        enter_memory(self, info->sample.time_us);
    /* One more look when the disks are done shows their last bytes. */
    if (before <= FERRY_PHASE_DISK)
        look_at_disks(self);
    info->sample.phase = self->phase;
    ferry_progress_update(self->progress, &info->sample);
    tell(self);
}

/* Returns: true when a job was seen. */
static bool
look_once(Transfer *self)
{
    FerryJobInfo info = {0};
    g_autoptr(GError) error = NULL;

    if (!ferry_virt_job_info(self->domain, &info, &error)) {
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
        return false;
    }
    if (!info.active)
        return false;
    take_look(self, &info);
    step_downtime(self, info.sample.time_us);
    return true;
}

/* Returns: true once libvirt answered; then *ret_error is its error, or stays NULL. */
static bool
has_answered(const Transfer *self, GError **ret_error)
{
    bool over = ferry_detached_call_wait(self->call, 0, NULL) == FERRY_CALL_OVER;

    if (over)
        ferry_detached_call_result(self->call, ret_error);
    return over;
}

/* Re-attached there is no call that ends: the job's absence is the end. */
static bool
is_over(Transfer *self, bool seen, GError **ret_error)
{
    if (self->call)
        return has_answered(self, ret_error);
    self->idle_looks = seen ? 0 : self->idle_looks + 1;
    return self->idle_looks >= IDLE_LOOKS;
}

/* Returns: false when nobody waits for the watch any more. */
static bool
note_alive(Transfer *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->heard_us = g_get_monotonic_time();
    return !self->abandoned;
}

/* The main loop of the destination's QEMU may itself wait for memory that is still on the source:
 * it answers nothing then, and libvirt waits for it without end. */
static bool
resuming_is_vain(Transfer *self)
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
watch_until_over(Transfer *self)
{
    while (note_alive(self)) {
        bool seen = look_once(self);

        if (is_over(self, seen, &self->result.error) || resuming_is_vain(self))
            return;
        if (ferry_migration_is_detached(self->migration)) {
            self->result.detached = true;
            return;
        }
        obey_orders(self, g_get_monotonic_time());
        ferry_virt_watch_wait(self->watch, LOOK_MS);
    }
}

/* --- running ---------------------------------------------------------------------------------- */

static void
fill_result(Transfer *self)
{
    FerryTransferResult *result = &self->result;
    gint64 now = g_get_monotonic_time();
    gint64 disks_until = self->memory_us ? self->memory_us : now;

    result->summary = ferry_virt_watch_summary(self->watch);
    result->disk_ms = (guint64)(disks_until - self->started_us) / 1000;
    result->memory_ms = (guint64)(now - disks_until) / 1000;
    if (!result->error && !result->detached) {
        ferry_progress_finish(self->progress, now);
        tell(self);
    }
    result->moved_bytes = ferry_progress_bytes_moved(self->progress);
    /* Our own reason is the better one: libvirt only knows that somebody cancelled. */
    if (self->abort_reason && result->error) {
        g_error_free(result->error);
        result->error = g_steal_pointer(&self->abort_reason);
    }
}

static void
transfer_free(gpointer data)
{
    Transfer *self = data;
    g_autoptr(virConnect) connection G_GNUC_UNUSED = self->connection;
    g_autoptr(virDomain) domain G_GNUC_UNUSED = self->domain;

    /* Before the watch that it wakes. */
    ferry_detached_call_abandon(self->call);
    ferry_room_watch_free(self->room);
    ferry_virt_watch_free(self->watch);
    ferry_progress_free(self->progress);
    ferry_migration_unref(self->migration);
    ferry_transfer_result_clear(&self->result);
    g_clear_error(&self->abort_reason);
    g_mutex_clear(&self->lock);
    g_free(self);
}

static bool
run_sampler(gpointer data, GError **error)
{
    Transfer *self = data;

    watch_until_over(self);
    fill_result(self);
    return true;
}

/* Returns: true when the saga goes on without a sampler that hangs. */
static bool
has_way_out(const Transfer *self, gint64 silence_us, FerryTransferResult *result)
{
    if (ferry_migration_is_detached(self->migration) && silence_us > STOP_SILENCE_US) {
        result->detached = true;
        return true;
    }
    /* The call came back: what the hosts show is looked at without the job's counters. */
    return silence_us > SILENCE_US && self->call && has_answered(self, &result->error);
}

/* Returns: true when the sampler was given up. */
static bool
give_up(Transfer *self, bool *said, FerryTransferResult *result)
{
    FERRY_LOCK_SCOPE(&self->lock);
    gint64 silence_us = g_get_monotonic_time() - self->heard_us;

    self->abandoned = has_way_out(self, silence_us, result);
    if (!self->abandoned && !*said && silence_us > SILENCE_US) {
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
    Transfer *self = ferry_detached_call_data(sampler);
    FerryTransferResult result = {0};
    bool said = false;

    while (ferry_detached_call_wait(sampler, LOOK_MS, NULL) != FERRY_CALL_OVER)
        if (give_up(self, &said, &result))
            return result;
    result = self->result;
    self->result = (FerryTransferResult){0};
    return result;
}

static Transfer *
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

    Transfer *self = g_new0(Transfer, 1);

    g_mutex_init(&self->lock);
    self->migration = ferry_migration_ref(migration);
    self->options = ferry_migration_options(migration);
    self->instance = instance;
    self->connection = g_steal_pointer(&connection);
    self->domain = domain;
    self->watch = ferry_virt_watch(agent->virt, instance->uuid);
    self->progress = ferry_source_progress_new(migration, true);
    self->deadline_us = ferry_completion_deadline_us(migration);
    self->started_us = now;
    self->heard_us = now;
    return self;
}

/* The disks and the switch are over; nothing is left to be forced. */
static void
begin_in_post_copy(Transfer *self)
{
    self->phase = FERRY_PHASE_POST_COPY;
    self->memory_us = self->started_us;
    self->forced = true;
    self->resuming = true;
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
    Transfer *self = transfer_new(migration, error);

    if (!self)
        return false;
    if (mode == FERRY_TRANSFER_RESUME)
        begin_in_post_copy(self);
    if (mode != FERRY_TRANSFER_REATTACH) {
        self->call =
            ferry_transfer_call_start(migration, self->watch, mode == FERRY_TRANSFER_RESUME, error);
        if (!self->call) {
            transfer_free(self);
            return false;
        }
    }
    if (mode != FERRY_TRANSFER_RESUME)
        self->room = watch_destination(migration);

    FerryDetachedWork work = {
        .thread = "vf-watch", .func = run_sampler, .data = self, .free_data = transfer_free};

    ferry_migration_set_watch(migration, self->watch);
    g_autoptr(FerryDetachedCall) sampler = ferry_detached_call_start(&work);

    *ret_result = await_end(sampler);
    ferry_migration_set_watch(migration, NULL);
    return true;
}
