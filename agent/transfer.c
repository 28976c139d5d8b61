#include "config.h"

#include "transfer.h"

#include "downtime-steps.h"
#include "ferry/error.h"
#include "transfer-call.h"
#include "virt-auto.h"
#include "virt-domain.h"
#include "virt-migrate.h"

/* How often we look when libvirt tells nothing by itself. */
#define LOOK_MS 250
/* A job that is not there this many looks in a row is over (one look may fall between two jobs). */
#define IDLE_LOOKS 3

typedef struct {
    FerryMigration *migration;
    const FerryOrderOptions *options;
    FerryInstance *instance;
    virDomainPtr domain;
    FerryVirtWatch *watch;
    FerryProgress *progress;
    FerryTransferCall *call; /* NULL when re-attached */
    GError *abort_reason;    /* why we ended it ourselves */

    FerryPhase phase;
    gint64 started_us; /* monotonic */
    gint64 memory_us;  /* when the memory phase began; 0 before */
    guint downtime_ms; /* last set */
    guint idle_looks;
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

static void
force_complete(Transfer *self)
{
    g_autoptr(GError) error = NULL;
    bool post_copy = self->options->post_copy && self->memory_us > 0;
    bool ok = post_copy ? ferry_virt_start_post_copy(self->domain, &error)
                        : ferry_virt_pause(self->domain, &error);

    /* Post-copy starts with the memory phase only: until then the wish waits. */
    if (self->options->post_copy && !post_copy)
        return;
    self->forced = true;
    if (ok)
        g_message("Migration '%s': forced to complete by %s", ferry_migration_id(self->migration),
                  post_copy ? "post-copy" : "pausing the guest");
    else
        g_warning("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
}

/* The order's own timeout, or the configuration's for each GiB of what moves. */
static gint64
completion_timeout_us(const Transfer *self)
{
    const FerryConfig *config = ferry_migration_agent(self->migration)->config;
    guint64 seconds =
        self->options->has_completion_timeout
            ? self->options->completion_timeout_s
            : config->live_migration_completion_timeout_s * ferry_downtime_data_gib(self->instance);

    return (gint64)seconds * G_USEC_PER_SEC;
}

static void
watch_the_clock(Transfer *self, gint64 now)
{
    gint64 limit = completion_timeout_us(self);

    if (limit == 0 || now - self->started_us < limit || self->aborting || self->forced)
        return;
    if (self->options->timeout_action == FERRY_TIMEOUT_ACTION_FORCE_COMPLETE)
        force_complete(self);
    else
        begin_abort(self,
                    ferry_error_new(FERRY_ERROR_MIGRATION_TIMEOUT,
                                    "Give more time (completion_timeout_s) or let it be forced "
                                    "(timeout_action)",
                                    "The transfer did not complete in %" G_GINT64_FORMAT " s",
                                    limit / G_USEC_PER_SEC));
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
phase_of(const Transfer *self, const FerryJobLook *look)
{
    FerrySight sight = ferry_virt_domain_state_sight(self->domain);

    if (sight == FERRY_SIGHT_POSTCOPY)
        return FERRY_PHASE_POST_COPY;
    if (sight == FERRY_SIGHT_PAUSED_MIGRATION)
        return FERRY_PHASE_SWITCHOVER;
    return look->has_memory ? FERRY_PHASE_MEMORY : FERRY_PHASE_DISK;
}

static void
look_at_disks(Transfer *self)
{
    for (guint i = 0; i < self->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(self->instance->disks, i);
        guint64 cur = 0;
        guint64 end = 0;

        if (disk->migrate && ferry_virt_disk_look(self->domain, disk->target, &cur, &end))
            ferry_progress_set_disk(self->progress, disk->target, cur, end);
    }
}

static void
take_look(Transfer *self, FerryJobLook *look)
{
    FerryPhase phase = phase_of(self, look);
    FerryPhase before = self->phase;

    /* Phases go forward only: a late counter of the disks does not bring them back. The pause in
     * which post-copy begins looks like the switchover until libvirt heard of it. */
    self->phase = phase == FERRY_PHASE_POST_COPY ? phase : MAX(phase, before);
    if (self->phase > FERRY_PHASE_DISK && self->memory_us == 0)
        enter_memory(self, look->sample.time_us);
    /* One more look when the disks are done shows their last bytes. */
    if (before <= FERRY_PHASE_DISK)
        look_at_disks(self);
    look->sample.phase = self->phase;
    ferry_progress_update(self->progress, &look->sample);
    ferry_migration_report_progress(self->migration, ferry_progress_to_json(self->progress));
    ferry_migration_enter_phase(self->migration, self->phase);
}

/* Returns: true when a job was seen. */
static bool
look_once(Transfer *self)
{
    FerryJobLook look = {0};
    g_autoptr(GError) error = NULL;

    if (!ferry_virt_job_look(self->domain, &look, &error)) {
        g_debug("Migration '%s': %s", ferry_migration_id(self->migration), error->message);
        return false;
    }
    if (!look.active)
        return false;
    take_look(self, &look);
    step_downtime(self, look.sample.time_us);
    return true;
}

/* Re-attached there is no call that ends: the job's absence is the end. */
static bool
is_over(Transfer *self, bool seen, GError **ret_error)
{
    if (self->call)
        return ferry_transfer_call_is_over(self->call, ret_error);
    self->idle_looks = seen ? 0 : self->idle_looks + 1;
    return self->idle_looks >= IDLE_LOOKS;
}

static void
watch_until_over(Transfer *self, FerryTransferResult *result)
{
    for (;;) {
        bool seen = look_once(self);

        if (is_over(self, seen, &result->error))
            return;
        if (ferry_migration_is_detached(self->migration)) {
            result->detached = true;
            return;
        }
        obey_orders(self, g_get_monotonic_time());
        ferry_virt_watch_wait(self->watch, LOOK_MS);
    }
}

/* --- running ---------------------------------------------------------------------------------- */

static void
declare_disks(Transfer *self)
{
    for (guint i = 0; i < self->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(self->instance->disks, i);

        if (disk->migrate)
            ferry_progress_add_disk(self->progress, disk->target, disk->capacity_bytes,
                                    disk->allocation_bytes);
    }
}

static void
fill_result(Transfer *self, FerryTransferResult *result)
{
    gint64 now = g_get_monotonic_time();
    gint64 disks_until = self->memory_us ? self->memory_us : now;

    result->summary = ferry_virt_watch_summary(self->watch);
    result->disk_ms = (guint64)(disks_until - self->started_us) / 1000;
    result->memory_ms = (guint64)(now - disks_until) / 1000;
    if (!result->error && !result->detached) {
        ferry_progress_finish(self->progress, now);
        ferry_migration_report_progress(self->migration, ferry_progress_to_json(self->progress));
    }
    result->moved_bytes = ferry_progress_bytes_moved(self->progress);
    /* Our own reason is the better one: libvirt only knows that somebody cancelled. */
    if (self->abort_reason && result->error) {
        g_error_free(result->error);
        result->error = g_steal_pointer(&self->abort_reason);
    }
    g_clear_error(&self->abort_reason);
}

bool
ferry_transfer_run(FerryMigration *migration,
                   FerryTransferMode mode,
                   FerryTransferResult *ret_result,
                   GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    FerryInstance *instance = ferry_migration_instance(migration);
    FerryTransferResult result = {0};
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, instance->uuid, error) : NULL;

    if (!domain)
        return false;

    gint64 now = g_get_monotonic_time();
    g_autoptr(FerryVirtWatch) watch = ferry_virt_watch_new(agent->virt, instance->uuid);
    g_autoptr(FerryProgress) progress = ferry_progress_new(now, instance->memory_bytes);
    g_autoptr(FerryTransferCall) call = NULL;
    Transfer self = {.migration = migration,
                     .options = ferry_migration_options(migration),
                     .instance = instance,
                     .domain = domain,
                     .watch = watch,
                     .progress = progress,
                     .started_us = now};

    if (mode == FERRY_TRANSFER_START) {
        call = ferry_transfer_call_start(migration, watch, error);
        if (!call)
            return false;
    }
    self.call = call;
    declare_disks(&self);
    ferry_migration_set_watch(migration, watch);
    watch_until_over(&self, &result);
    ferry_migration_set_watch(migration, NULL);
    fill_result(&self, &result);
    *ret_result = result;
    return true;
}
