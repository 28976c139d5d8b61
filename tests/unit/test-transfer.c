/* The transfer and the watch over it: what the agent asks of libvirt while the instance crosses. */
#include "config.h"

#include "source/transfer.h"

#include "ferry/json.h"
#include "model/instance.h"
#include "model/migrate-data.h"
#include "source-fixture.h"

#include <string.h>

#define AWAIT_US (15 * G_USEC_PER_SEC)
/* Each event is a reason to look, so that the sampler does not wait for its time between two. */
#define EVENTS_US (20 * 1000)

/* ferry_transfer_run() in a thread, so that the test can let things happen meanwhile. */
typedef struct {
    SourceFixture source;
    FerryTransferMode mode;
    GThread *thread;
    GThread *events;
    gint over; /* atomic: no event any more */
    bool begun;
    FerryTransferResult result;
    GError *error;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    source_set_up(&self->source, user_data);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    g_atomic_int_set(&self->over, true);
    g_clear_pointer(&self->events, g_thread_join);
    ferry_transfer_result_clear(&self->result);
    g_clear_error(&self->error);
    source_tear_down(&self->source, user_data);
}

static gpointer
run(gpointer data)
{
    Fixture *self = data;

    self->begun =
        ferry_transfer_run(self->source.migration, self->mode, &self->result, &self->error);
    return NULL;
}

static gpointer
send_events(gpointer data)
{
    Fixture *self = data;

    for (; !g_atomic_int_get(&self->over); g_usleep(EVENTS_US))
        fake_event_lifecycle(UUID);
    return NULL;
}

static void
begin(Fixture *self, FerryTransferMode mode)
{
    self->mode = mode;
    self->events = g_thread_new("events", send_events, self);
    self->thread = g_thread_new("transfer", run, self);
}

static void
start(Fixture *self, FerryTransferMode mode, json_t *options)
{
    source_migration(&self->source, FERRY_STATUS_RUNNING, options);
    begin(self, mode);
}

/* An earlier life of the agent has spent its time. */
static void
start_late(Fixture *self, const char *timeout_action)
{
    source_migration(
        &self->source, FERRY_STATUS_RUNNING,
        json_pack("{s:i, s:s}", "completion_timeout_s", 5, "timeout_action", timeout_action));
    agent_begin_step(&self->source.agent, MIGRATION, "transfer", 5);
    begin(self, FERRY_TRANSFER_START);
}

static void
join(Fixture *self)
{
    g_thread_join(self->thread);
    g_assert_no_error(self->error);
    g_assert_true(self->begun);
}

/* Disks are done, memory is on its way. */
static void
show_memory(void)
{
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_TOTAL, 1024 * MIB);
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_PROCESSED, 256 * MIB);
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_REMAINING, 768 * MIB);
}

static void
start_job(gpointer data)
{
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
}

static json_t *
progress_of(Fixture *self)
{
    g_autoptr(FerryRecord) record = ferry_migration_snapshot(self->source.migration);

    return json_incref(record->progress);
}

static void
await_phase(Fixture *self, FerryPhase phase)
{
    gint64 deadline = g_get_monotonic_time() + AWAIT_US;

    for (;;) {
        g_autoptr(FerryRecord) record = ferry_migration_snapshot(self->source.migration);

        if (record->phase == phase)
            return;
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        g_usleep(5000);
    }
}

/* --- the call --------------------------------------------------------------------------------- */

static void
test_call(Fixture *self, gconstpointer user_data)
{
    start(self, FERRY_TRANSFER_START, json_pack("{s:i, s:b}", "bandwidth_mib_s", 100, "tls", 1));
    join(self);

    g_autofree char *disks = fake_migration_param(VIR_MIGRATE_PARAM_MIGRATE_DISKS);
    g_autofree char *uri = fake_migration_param(VIR_MIGRATE_PARAM_URI);
    g_autofree char *bandwidth = fake_migration_param(VIR_MIGRATE_PARAM_BANDWIDTH);
    g_autofree char *certified = fake_migration_param(VIR_MIGRATE_PARAM_TLS_DESTINATION);
    g_autofree char *connections = fake_migration_param(VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS);
    unsigned int wanted = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_ABORT_ON_ERROR |
                          VIR_MIGRATE_NON_SHARED_INC | VIR_MIGRATE_PERSIST_DEST |
                          VIR_MIGRATE_UNDEFINE_SOURCE | VIR_MIGRATE_TLS;

    g_assert_null(self->result.error);
    g_assert_cmphex(fake_migration_flags() & wanted, ==, wanted);
    g_assert_cmphex(fake_migration_flags() & VIR_MIGRATE_NON_SHARED_DISK, ==, 0);
    g_assert_cmpstr(disks, ==, "vda");
    g_assert_cmpstr(uri, ==, "tcp://kvm02");
    g_assert_cmpstr(bandwidth, ==, "100");
    g_assert_cmpstr(certified, ==, "kvm02");
    g_assert_cmpstr(connections, ==, "2");
    g_assert_false(fake_domain_exists(UUID));
}

static void
test_libvirt_refuses(Fixture *self, gconstpointer user_data)
{
    fake_call_fail("virDomainMigrateToURI3", VIR_ERR_OPERATION_FAILED, "Unable to connect");
    start(self, FERRY_TRANSFER_START, NULL);
    join(self);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_nonnull(strstr(self->result.error->message, "Unable to connect"));
    g_assert_true(fake_domain_exists(UUID));
}

/* libvirt forgot the copy of an earlier try in QEMU: it is removed, and the call made again. */
static void
test_forgotten_copy(Fixture *self, gconstpointer user_data)
{
    static const char *const orders[] = {"virDomainQemuMonitorCommand", NULL};

    fake_call_fail("virDomainMigrateToURI3", VIR_ERR_INTERNAL_ERROR,
                   "Duplicate nodes with node-name='migration-vda-format'");
    start(self, FERRY_TRANSFER_START, NULL);
    join(self);

    g_autofree char *asked = fake_calls_list(orders);

    g_assert_null(self->result.error);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 2);
    g_assert_nonnull(strstr(asked, "migration-vda-format"));
    g_assert_nonnull(strstr(asked, "migration-vda-storage"));
}

static void
test_instance_is_gone(Fixture *self, gconstpointer user_data)
{
    fake_domain_remove(UUID);
    start(self, FERRY_TRANSFER_START, NULL);
    g_thread_join(self->thread);
    g_assert_false(self->begun);
    g_assert_error(self->error, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
}

/* --- the watch -------------------------------------------------------------------------------- */

static void
test_progress(Fixture *self, gconstpointer user_data)
{
    fake_migration_hold();
    fake_block_job_set(UUID, "vda", VIR_DOMAIN_BLOCK_JOB_TYPE_COPY, 2 * MIB, 8 * MIB);
    start(self, FERRY_TRANSFER_START, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    show_memory();
    await_phase(self, FERRY_PHASE_MEMORY);
    fake_bus_await_notified("migration.progress", 1);

    g_autoptr(FerryJson) progress = progress_of(self);
    const json_t *disk = json_object_get(progress, "disk");
    const json_t *memory = json_object_get(progress, "memory");

    g_assert_cmpint(ferry_json_get_int(memory, "remaining_bytes", 0), ==, 768 * MIB);
    g_assert_nonnull(json_object_get(json_object_get(disk, "disks"), "vda"));
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
    g_assert_null(self->result.error);
    g_assert_false(self->result.detached);
}

/* By the clock, for those who want it: without delay all of it at once. */
static void
test_downtime_steps_of_nova(Fixture *self, gconstpointer user_data)
{
    static const char *const calls[] = {"virDomainMigrateSetMaxDowntime", NULL};

    self->source.agent.config->live_migration_downtime_steps = 2;
    self->source.agent.config->live_migration_downtime_delay_s = 0;
    fake_migration_hold();
    start(self, FERRY_TRANSFER_START,
          json_pack("{s:i, s:s}", "downtime_ms", 400, "policy", "nova"));
    fake_call_await("virDomainMigrateSetMaxDowntime", 1);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);

    g_autofree char *set = fake_calls_list(calls);

    g_assert_cmpstr(set, ==, "virDomainMigrateSetMaxDowntime web-1 400\n");
}

/* By iterations that are over, whatever the time and the disks; two after the last step all that
 * the order allows. */
static void
test_downtime_by_iterations(Fixture *self, gconstpointer user_data)
{
    static const char *const calls[] = {"virDomainMigrateSetMaxDowntime", NULL};
    static const guint iterations[] = {1, 3, 7, 9};

    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, json_pack("{s:i}", "downtime_ms", 4000));
    for (guint i = 0; i < G_N_ELEMENTS(iterations); i++) {
        fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_ITERATION, iterations[i]);
        show_memory();
        fake_call_await("virDomainMigrateSetMaxDowntime", i + 1);
    }
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);

    g_autofree char *set = fake_calls_list(calls);

    g_assert_cmpstr(set, ==,
                    "virDomainMigrateSetMaxDowntime web-1 100\n"
                    "virDomainMigrateSetMaxDowntime web-1 200\n"
                    "virDomainMigrateSetMaxDowntime web-1 500\n"
                    "virDomainMigrateSetMaxDowntime web-1 4000\n");
}

static void
test_downtime_is_set_again(Fixture *self, gconstpointer user_data)
{
    static const char *const calls[] = {"virDomainMigrateSetMaxDowntime", NULL};

    self->source.agent.config->live_migration_downtime_steps = 4;
    self->source.agent.config->live_migration_downtime_delay_s = 3600;
    /* Refused once, before libvirt's job has begun: it is set at the next look. */
    fake_call_fail("virDomainMigrateSetMaxDowntime", VIR_ERR_OPERATION_INVALID, "no job");
    fake_migration_hold();
    start(self, FERRY_TRANSFER_START,
          json_pack("{s:i, s:s}", "downtime_ms", 400, "policy", "nova"));
    fake_call_await("virDomainMigrateSetMaxDowntime", 2);
    fake_call_await("virDomainGetJobStats", 5);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);

    g_autofree char *set = fake_calls_list(calls);

    /* A quarter of the maximum, and once it is set nobody sets it again. */
    g_assert_cmpstr(set, ==,
                    "virDomainMigrateSetMaxDowntime web-1 100\n"
                    "virDomainMigrateSetMaxDowntime web-1 100\n");
}

static void
test_bandwidth_of_memory(Fixture *self, gconstpointer user_data)
{
    static const char *const calls[] = {"virDomainMigrateSetMaxSpeed", NULL};

    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, json_pack("{s:i}", "bandwidth_mib_s", 70));
    await_phase(self, FERRY_PHASE_DISK);
    g_assert_cmpuint(fake_call_count("virDomainMigrateSetMaxSpeed"), ==, 0);
    show_memory();
    fake_call_await("virDomainMigrateSetMaxSpeed", 1);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);

    g_autofree char *set = fake_calls_list(calls);

    g_assert_cmpstr(set, ==, "virDomainMigrateSetMaxSpeed web-1 70\n");
}

static void
tune(Fixture *self, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) changes = json_loads(text, 0, NULL);
    bool changed = ferry_migration_tune(self->source.migration, changes, &error);

    g_assert_no_error(error);
    g_assert_true(changed);
}

/* Memory takes a limit at once; that of the disks stays where libvirt does not get through. */
static void
test_tuned(Fixture *self, gconstpointer user_data)
{
    static const char *const calls[] = {"virDomainMigrateSetMaxSpeed", "virDomainBlockJobSetSpeed",
                                        "virDomainQemuMonitorCommand", NULL};

    fake_migration_hold();
    fake_block_job_set(UUID, "vda", VIR_DOMAIN_BLOCK_JOB_TYPE_COPY, 2 * MIB, 8 * MIB);
    start(self, FERRY_TRANSFER_START, json_pack("{s:i}", "bandwidth_mib_s", 70));
    await_phase(self, FERRY_PHASE_DISK);
    tune(self, "{\"bandwidth_mib_s\": 80}");
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 3);
    show_memory();
    fake_call_await("virDomainMigrateSetMaxSpeed", 1);
    tune(self, "{\"bandwidth_mib_s\": 0, \"downtime_ms\": 900}");
    fake_call_await("virDomainMigrateSetMaxSpeed", 2);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);

    g_autofree char *set = fake_calls_list(calls);

    g_assert_cmpstr(set, ==,
                    "virDomainMigrateSetMaxSpeed web-1 80\n"
                    "virDomainMigrateSetMaxSpeed web-1 8796093022207\n");
}

/* Under a limit QEMU would think that the pause lasts too long. */
static void
test_lifted(Fixture *self, gconstpointer user_data)
{
    static const char *const calls[] = {"virDomainMigrateSetMaxSpeed", NULL};

    self->source.agent.config->switchover_bandwidth_mibps = 1000;
    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, json_pack("{s:i}", "bandwidth_mib_s", 70));
    show_memory();
    fake_call_await("virDomainMigrateSetMaxSpeed", 1);
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 3);
    g_assert_cmpuint(fake_call_count("virDomainMigrateSetMaxSpeed"), ==, 1);
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_REMAINING, MIB);
    fake_call_await("virDomainMigrateSetMaxSpeed", 3);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);

    g_autofree char *set = fake_calls_list(calls);

    g_assert_cmpstr(set, ==,
                    "virDomainMigrateSetMaxSpeed web-1 70\n"
                    "virDomainMigrateSetMaxSpeed web-1 1000\n"
                    "virDomainMigrateSetMaxSpeed web-1 70\n");
}

static void
set_libvirt_version(Fixture *self, const char *version)
{
    FerryInstance *instance = (FerryInstance *)ferry_migration_instance(self->source.migration);
    FerryMigrateData *data =
        (FerryMigrateData *)ferry_migration_migrate_data(self->source.migration);

    g_free(instance->libvirt_version);
    instance->libvirt_version = g_strdup(version);
    g_free(data->libvirt_version);
    data->libvirt_version = g_strdup(version);
}

/* @told: by the call of an earlier life. Returns: (transfer full): what was set. */
static char *
limit_after_restart(Fixture *self, bool told)
{
    static const char *const calls[] = {"virDomainMigrateSetMaxSpeed", NULL};

    self->source.agent.config->switchover_bandwidth_mibps = 1000;
    source_migration(&self->source, FERRY_STATUS_RUNNING, NULL);
    set_libvirt_version(self, "12.0.0");
    if (told)
        ferry_migration_add_report(self->source.migration,
                                   json_pack("{s:b}", "told_switchover", true));
    tune(self, "{\"bandwidth_mib_s\": 70}");
    start_job(NULL);
    show_memory();
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_REMAINING, MIB);
    begin(self, FERRY_TRANSFER_REATTACH);
    fake_call_await("virDomainMigrateSetMaxSpeed", told ? 1 : 2);
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 3);
    fake_job_set(UUID, VIR_DOMAIN_JOB_NONE, 0);
    join(self);
    return fake_calls_list(calls);
}

/* The limit came after the call, which told QEMU nothing of the link: it is lifted. What holds is
 * set at once. */
static void
test_tuned_before_restart(Fixture *self, gconstpointer user_data)
{
    g_autofree char *set = limit_after_restart(self, /* told= */ false);

    g_assert_true(g_str_has_prefix(set, "virDomainMigrateSetMaxSpeed web-1 70\n"
                                        "virDomainMigrateSetMaxSpeed web-1 1000\n"));
}

static void
test_told_before_restart(Fixture *self, gconstpointer user_data)
{
    g_autofree char *set = limit_after_restart(self, /* told= */ true);

    g_assert_cmpstr(set, ==, "virDomainMigrateSetMaxSpeed web-1 70\n");
}

/* For such a life it is noted. */
static void
test_told(Fixture *self, gconstpointer user_data)
{
    self->source.agent.config->switchover_bandwidth_mibps = 1000;
    source_migration(&self->source, FERRY_STATUS_RUNNING,
                     json_pack("{s:i}", "bandwidth_mib_s", 70));
    set_libvirt_version(self, "12.0.0");
    begin(self, FERRY_TRANSFER_START);
    join(self);
    g_assert_true(ferry_json_get_bool(ferry_migration_record(self->source.migration)->report,
                                      "told_switchover", false));
}

static void
test_tuned_by_monitor(Fixture *self, gconstpointer user_data)
{
    self->source.agent.config->monitor_commands = true;
    fake_migration_hold();
    fake_block_job_set(UUID, "vda", VIR_DOMAIN_BLOCK_JOB_TYPE_COPY, 2 * MIB, 8 * MIB);
    start(self, FERRY_TRANSFER_START, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    tune(self, "{\"bandwidth_mib_s\": 80}");
    /* It shows no copy yet: it is asked again. */
    fake_call_await("virDomainQemuMonitorCommand", 3);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
    g_assert_null(self->result.error);
}

/* What an earlier life of the agent was told holds. */
static void
test_tuned_before(Fixture *self, gconstpointer user_data)
{
    FerryConfig *config = self->source.agent.config;
    FerryRecord *record = NULL;

    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    tune(self, "{\"bandwidth_mib_s\": 9, \"max_pause_ms\": 7000}");
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
    record = agent_record(&self->source.agent, ferry_migration_id(self->source.migration),
                          FERRY_ROLE_SOURCE);
    g_assert_cmpint(ferry_json_get_int(record->parameters, "max_pause_ms", 0), ==, 7000);

    g_autoptr(FerryMigration) again =
        ferry_migration_new(ferry_migration_agent(self->source.migration), record,
                            ferry_order_options_recall(NULL, config));

    g_assert_cmpuint(ferry_migration_tuning(again).bandwidth_mibps, ==, 9);
    g_assert_cmpuint(ferry_migration_tuning(again).max_pause_ms, ==, 7000);
    g_assert_cmpuint(ferry_rate_get(ferry_migration_rate(again)), ==, 9);
}

static void
test_switchover(Fixture *self, gconstpointer user_data)
{
    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, NULL);
    show_memory();
    await_phase(self, FERRY_PHASE_MEMORY);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
    await_phase(self, FERRY_PHASE_SWITCHOVER);
    fake_event_job_completed(UUID, 77);
    g_usleep(50 * 1000);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
    g_assert_true(self->result.summary.valid);
    g_assert_cmpuint(self->result.summary.downtime_ms, ==, 77);
}

/* --- orders ----------------------------------------------------------------------------------- */

static void
test_abort(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), ==, 0);
    g_assert_true(ferry_migration_request_abort(self->source.migration, &error));
    join(self);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), >=, 1);
    /* Our own reason, not libvirt's. */
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_CANCELLED);
    g_assert_true(fake_domain_exists(UUID));
}

/* Before libvirt's job has begun the first one is refused: it is asked for again. */
static void
test_abort_is_repeated(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_call_fail_times("virDomainAbortJob", 2, VIR_ERR_OPERATION_INVALID, "no job is active");
    fake_call_hook("virDomainAbortJob", start_job, NULL);
    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    g_assert_true(ferry_migration_request_abort(self->source.migration, &error));
    join(self);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), ==, 3);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_CANCELLED);
}

static void
test_force_by_pause(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const char *action = NULL;

    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    g_assert_true(ferry_migration_request_force(self->source.migration, &action, &error));
    g_assert_cmpstr(action, ==, "pause");
    /* Not before something is on its way: a guest that is stopped too early arrives stopped. */
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 2);
    g_assert_cmpuint(fake_call_count("virDomainSuspend"), ==, 0);
    show_memory();
    fake_call_await("virDomainSuspend", 1);
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 2);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
    g_assert_cmpuint(fake_call_count("virDomainSuspend"), ==, 1);
    g_assert_cmpuint(fake_call_count("virDomainMigrateStartPostCopy"), ==, 0);
}

static void
test_force_by_post_copy(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const char *action = NULL;

    self->source.agent.config->live_migration_permit_post_copy = true;
    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, json_pack("{s:b}", "post_copy", 1));
    show_memory();
    await_phase(self, FERRY_PHASE_MEMORY);
    g_assert_true(ferry_migration_request_force(self->source.migration, &action, &error));
    g_assert_cmpstr(action, ==, "post-copy");
    fake_call_await("virDomainMigrateStartPostCopy", 1);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY);
    await_phase(self, FERRY_PHASE_POST_COPY);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
    g_assert_cmpuint(fake_call_count("virDomainSuspend"), ==, 0);
    g_assert_cmphex(fake_migration_flags() & VIR_MIGRATE_POSTCOPY, !=, 0);
}

/* --- the time is over ------------------------------------------------------------------------- */

static void
test_timeout_aborts(Fixture *self, gconstpointer user_data)
{
    fake_migration_hold();
    start_late(self, "abort");
    join(self);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_MIGRATION_TIMEOUT);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), >=, 1);

    const json_t *details = ferry_error_details(self->result.error);

    g_assert_cmpstr(ferry_json_get_string(details, "budget"), ==, "completion");
    g_assert_cmpstr(ferry_json_get_string(details, "step"), ==, "transfer");
    g_assert_true(json_is_integer(json_object_get(details, "link_bytes_s")));
}

/* Memory on its way: 40 MiB move in a second, and each tenth of one begins an iteration. */
typedef struct {
    guint64 left;
    gint64 since_us;
} Memory;

static void
move_memory(gpointer data)
{
    Memory *memory = data;
    gint64 now_us = g_get_monotonic_time();

    memory->since_us = memory->since_us ? memory->since_us : now_us;
    guint64 tenths = (guint64)(now_us - memory->since_us) * 10 / G_USEC_PER_SEC;

    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_TOTAL, 1024 * MIB);
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_PROCESSED, (1 + tenths) * 4 * MIB);
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_REMAINING, memory->left);
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_ITERATION, 1 + tenths);
}

/* The sampler has taken its last step with it: the domain may go. */
static void
stop_memory(void)
{
    fake_call_hook("virDomainGetJobStats", NULL, NULL);
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 1);
}

/* A pause that is short enough is begun, and what is copied is memory still. */
static void
test_timeout_forces(Fixture *self, gconstpointer user_data)
{
    Memory memory = {.left = 20 * MIB};

    fake_migration_hold();
    fake_call_hook("virDomainGetJobStats", move_memory, &memory);
    start_late(self, "force_complete");
    fake_call_await("virDomainSuspend", 1);
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 3);
    await_phase(self, FERRY_PHASE_MEMORY);
    stop_memory();
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
    g_assert_null(self->result.error);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), ==, 0);
}

/* While disks move the guest is not stopped. */
static void
test_timeout_waits_for_disks(Fixture *self, gconstpointer user_data)
{
    fake_migration_hold();
    fake_block_job_set(UUID, "vda", VIR_DOMAIN_BLOCK_JOB_TYPE_COPY, 2 * MIB, 8 * MIB);
    start_late(self, "force_complete");
    fake_call_await("virDomainGetJobStats", 10);
    await_phase(self, FERRY_PHASE_DISK);
    g_assert_cmpuint(fake_call_count("virDomainSuspend"), ==, 0);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), ==, 0);
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
}

/* A pause that would be too long is not begun: the transfer ends instead. */
static void
test_timeout_begins_no_long_pause(Fixture *self, gconstpointer user_data)
{
    Memory memory = {.left = 768 * MIB};

    self->source.agent.config->memory_window_s = 1;
    fake_migration_hold();
    fake_call_hook("virDomainGetJobStats", move_memory, &memory);
    start_late(self, "force_complete");
    join(self);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_MIGRATION_TIMEOUT);
    g_assert_cmpuint(fake_call_count("virDomainSuspend"), ==, 0);
}

/* --- memory that does not converge ------------------------------------------------------------ */

static guint
count_events(Fixture *self, const char *type, json_t **ret_payload)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries =
        ferry_journal_outbox_peek(self->source.agent.agent.journal, 0, 1000, &error);
    guint count = 0;

    g_assert_no_error(error);
    for (guint i = 0; i < entries->len; i++) {
        const FerryOutboxEntry *entry = g_ptr_array_index(entries, i);

        if (!g_str_equal(entry->event_type, type))
            continue;
        count++;
        json_decref(*ret_payload);
        *ret_payload = json_incref(entry->payload);
    }
    return count;
}

static void
test_not_converging(Fixture *self, gconstpointer user_data)
{
    Memory memory = {.left = 120 * MIB};
    g_autoptr(FerryJson) payload = NULL;

    self->source.agent.config->memory_window_s = 1;
    fake_migration_hold();
    fake_call_hook("virDomainGetJobStats", move_memory, &memory);
    start(self, FERRY_TRANSFER_START, NULL);
    join(self);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_MIGRATION_TIMEOUT);

    const json_t *details = ferry_error_details(self->result.error);

    g_assert_cmpstr(ferry_json_get_string(details, "reason"), ==, "not-converging");
    g_assert_cmpstr(ferry_json_get_string(details, "budget"), ==, "memory");
    g_assert_cmpint(ferry_json_get_int(details, "link_bytes_s", 0), >, 0);
    g_assert_true(g_str_has_prefix(ferry_error_hint(self->result.error),
                                   "Order \"policy\" suspend-if-needed"));
    g_assert_cmpuint(count_events(self, "migration.stalled", &payload), ==, 1);

    const json_t *stalled = json_object_get(payload, "stalled");

    g_assert_cmpstr(ferry_json_get_string(stalled, "of"), ==, "memory");
    g_assert_cmpstr(ferry_json_get_string(stalled, "action"), ==, "fail");
    g_assert_nonnull(ferry_json_get_string(stalled, "since"));
    g_assert_cmpuint(fake_call_count("virDomainSuspend"), ==, 0);
}

/* What the link carries is the order's own limit: that is said first, with what lifts it. */
static void
test_not_converging_under_a_limit(Fixture *self, gconstpointer user_data)
{
    Memory memory = {.left = 120 * MIB};

    self->source.agent.config->memory_window_s = 1;
    fake_migration_hold();
    fake_call_hook("virDomainGetJobStats", move_memory, &memory);
    start(self, FERRY_TRANSFER_START, json_pack("{s:i}", "bandwidth_mib_s", 42));
    join(self);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_MIGRATION_TIMEOUT);

    const char *hint = ferry_error_hint(self->result.error);

    g_assert_true(g_str_has_prefix(hint, "Its limit of 42 MiB/s"));
    g_assert_nonnull(strstr(hint, "virt-ferry tune ID --bandwidth 0"));
    g_assert_nonnull(strstr(hint, "switchover_bandwidth"));
    g_assert_nonnull(strstr(hint, "suspend-if-needed"));
}

/* The policy that may pause allows max_pause_ms then. */
static void
test_pause_by_policy(Fixture *self, gconstpointer user_data)
{
    static const char *const calls[] = {"virDomainMigrateSetMaxDowntime", NULL};
    Memory memory = {.left = 120 * MIB};

    self->source.agent.config->memory_window_s = 1;
    fake_migration_hold();
    fake_call_hook("virDomainGetJobStats", move_memory, &memory);
    start(self, FERRY_TRANSFER_START,
          json_pack("{s:s, s:i, s:i}", "policy", "suspend-if-needed", "downtime_ms", 100,
                    "max_pause_ms", 6000));
    fake_call_await("virDomainMigrateSetMaxDowntime", 2);
    stop_memory();
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);

    g_autofree char *set = fake_calls_list(calls);

    g_assert_null(self->result.error);
    g_assert_cmpstr(set, ==,
                    "virDomainMigrateSetMaxDowntime web-1 100\n"
                    "virDomainMigrateSetMaxDowntime web-1 6000\n");
}

static guint
last_downtime(void)
{
    static const char *const calls[] = {"virDomainMigrateSetMaxDowntime", NULL};
    g_autofree char *set = fake_calls_list(calls);
    const char *last = NULL;

    g_strchomp(set);
    last = strrchr(set, ' ');
    return last ? (guint)g_ascii_strtoull(last, NULL, 10) : 0;
}

static void
await_downtime(guint milliseconds)
{
    gint64 deadline = g_get_monotonic_time() + AWAIT_US;

    for (; last_downtime() != milliseconds; g_usleep(5000))
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
}

/* What is ordered once the former policy has done what it could holds, too. */
static void
test_tuned_after_the_switch(Fixture *self, gconstpointer user_data)
{
    Memory memory = {.left = 24 * MIB};

    self->source.agent.config->memory_window_s = 1;
    fake_migration_hold();
    fake_call_hook("virDomainGetJobStats", move_memory, &memory);
    start(self, FERRY_TRANSFER_START,
          json_pack("{s:i, s:i}", "downtime_ms", 500, "max_pause_ms", 6000));
    await_phase(self, FERRY_PHASE_MEMORY);
    /* The stall, and all that was allowed before. */
    g_usleep(4 * G_USEC_PER_SEC);
    g_assert_cmpuint(last_downtime(), ==, 500);
    tune(self, "{\"policy\": \"suspend-if-needed\"}");
    await_downtime(6000);
    tune(self, "{\"max_pause_ms\": 2000}");
    await_downtime(2000);
    stop_memory();
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
    g_assert_null(self->result.error);
}

static void
test_post_copy_by_policy(Fixture *self, gconstpointer user_data)
{
    Memory memory = {.left = 120 * MIB};

    self->source.agent.config->live_migration_permit_post_copy = true;
    self->source.agent.config->memory_window_s = 1;
    fake_migration_hold();
    fake_call_hook("virDomainGetJobStats", move_memory, &memory);
    start(self, FERRY_TRANSFER_START, json_pack("{s:s}", "policy", "post-copy"));
    fake_call_await("virDomainMigrateStartPostCopy", 1);
    stop_memory();
    fake_migration_end(VIR_ERR_OK, NULL);
    join(self);
    g_assert_null(self->result.error);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), ==, 0);
}

static void
test_memory_timeout(Fixture *self, gconstpointer user_data)
{
    Memory memory = {.left = 120 * MIB};

    fake_migration_hold();
    fake_call_hook("virDomainGetJobStats", move_memory, &memory);
    start(self, FERRY_TRANSFER_START, json_pack("{s:i}", "memory_timeout_s", 1));
    join(self);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_MIGRATION_TIMEOUT);
    g_assert_cmpstr(ferry_json_get_string(ferry_error_details(self->result.error), "budget"), ==,
                    "memory");
}

/* Its one byte came long ago. */
static void
move_next_to_nothing(gpointer data)
{
    Memory *memory = data;
    gint64 now_us = g_get_monotonic_time();

    memory->since_us = memory->since_us ? memory->since_us : now_us;
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_TOTAL, 1024 * MIB);
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_PROCESSED,
                         MIB + (now_us - memory->since_us > G_USEC_PER_SEC));
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_REMAINING, memory->left);
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_ITERATION, 1);
}

/* No pause of a thousand years is offered. */
static void
test_memory_timeout_of_a_dead_link(Fixture *self, gconstpointer user_data)
{
    Memory memory = {.left = 120 * MIB};

    fake_migration_hold();
    fake_call_hook("virDomainGetJobStats", move_next_to_nothing, &memory);
    start(self, FERRY_TRANSFER_START, json_pack("{s:i}", "memory_timeout_s", 3));
    join(self);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_MIGRATION_TIMEOUT);
    g_assert_nonnull(strstr(self->result.error->message, "no pause would do"));
    g_assert_true(g_str_has_prefix(ferry_error_hint(self->result.error),
                                   "Look at the migration network between the hosts"));
}

/* --- the agent stops, libvirt hangs ----------------------------------------------------------- */

static void
test_detach(Fixture *self, gconstpointer user_data)
{
    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    ferry_migration_detach(self->source.migration);
    join(self);
    g_assert_true(self->result.detached);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), ==, 0);
    fake_migration_end(VIR_ERR_OK, NULL);
}

/* The agent does not wait for a QEMU that answers nothing. */
static void
test_detach_while_libvirt_hangs(Fixture *self, gconstpointer user_data)
{
    self->source.agent.agent.silence_ms = 200;
    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    fake_call_block("virDomainGetJobStats");
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 1);
    ferry_migration_detach(self->source.migration);
    join(self);
    g_assert_true(self->result.detached);
    fake_call_release("virDomainGetJobStats");
    fake_migration_end(VIR_ERR_OK, NULL);
}

/* The call came back, the questions hang: the saga goes on without the job's counters. */
static void
test_call_ends_while_questions_hang(Fixture *self, gconstpointer user_data)
{
    self->source.agent.agent.silence_ms = 200;
    fake_migration_hold();
    start(self, FERRY_TRANSFER_START, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    fake_call_block("virDomainGetJobStats");
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 1);
    fake_migration_end(VIR_ERR_OPERATION_FAILED, "QEMU is gone");
    join(self);
    g_assert_false(self->result.detached);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    fake_call_release("virDomainGetJobStats");
}

/* --- watched without a call ------------------------------------------------------------------- */

static void
test_reattach(Fixture *self, gconstpointer user_data)
{
    start_job(NULL);
    show_memory();
    start(self, FERRY_TRANSFER_REATTACH, NULL);
    await_phase(self, FERRY_PHASE_MEMORY);
    fake_job_set(UUID, VIR_DOMAIN_JOB_NONE, 0);
    join(self);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
    g_assert_null(self->result.error);
}

static void
test_reattach_obeys_an_abort(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    start_job(NULL);
    start(self, FERRY_TRANSFER_REATTACH, NULL);
    await_phase(self, FERRY_PHASE_DISK);
    g_assert_true(ferry_migration_request_abort(self->source.migration, &error));
    fake_call_await("virDomainAbortJob", 1);
    fake_job_set(UUID, VIR_DOMAIN_JOB_NONE, 0);
    join(self);
    g_assert_error(self->result.error, FERRY_ERROR, FERRY_ERROR_CANCELLED);
}

static void
test_resume_post_copy(Fixture *self, gconstpointer user_data)
{
    self->source.agent.config->live_migration_permit_post_copy = true;
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);
    start(self, FERRY_TRANSFER_RESUME, json_pack("{s:b}", "post_copy", 1));
    join(self);

    g_autofree char *disks = fake_migration_param(VIR_MIGRATE_PARAM_MIGRATE_DISKS);

    g_assert_null(self->result.error);
    g_assert_cmphex(fake_migration_flags() & VIR_MIGRATE_POSTCOPY_RESUME, !=, 0);
    g_assert_cmphex(fake_migration_flags() & VIR_MIGRATE_NON_SHARED_INC, ==, 0);
    g_assert_null(disks);
}

#define ADD(path, func) g_test_add("/transfer/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("call", test_call);
    ADD("call/libvirt-refuses", test_libvirt_refuses);
    ADD("call/forgotten-copy", test_forgotten_copy);
    ADD("call/instance-is-gone", test_instance_is_gone);
    ADD("watch/progress", test_progress);
    ADD("watch/downtime-steps-of-nova", test_downtime_steps_of_nova);
    ADD("watch/downtime-by-iterations", test_downtime_by_iterations);
    ADD("watch/downtime-is-set-again", test_downtime_is_set_again);
    ADD("watch/bandwidth-of-memory", test_bandwidth_of_memory);
    ADD("watch/switchover", test_switchover);
    ADD("orders/abort", test_abort);
    ADD("orders/abort-is-repeated", test_abort_is_repeated);
    ADD("orders/force-by-pause", test_force_by_pause);
    ADD("orders/force-by-post-copy", test_force_by_post_copy);
    ADD("timeout/aborts", test_timeout_aborts);
    ADD("timeout/forces", test_timeout_forces);
    ADD("timeout/waits-for-disks", test_timeout_waits_for_disks);
    ADD("timeout/begins-no-long-pause", test_timeout_begins_no_long_pause);
    ADD("memory/not-converging", test_not_converging);
    ADD("memory/not-converging-under-a-limit", test_not_converging_under_a_limit);
    ADD("memory/pause-by-policy", test_pause_by_policy);
    ADD("memory/tuned-after-the-switch", test_tuned_after_the_switch);
    ADD("memory/post-copy-by-policy", test_post_copy_by_policy);
    ADD("memory/timeout", test_memory_timeout);
    ADD("memory/timeout-of-a-dead-link", test_memory_timeout_of_a_dead_link);
    ADD("detach", test_detach);
    ADD("detach/while-libvirt-hangs", test_detach_while_libvirt_hangs);
    ADD("hang/call-ends-while-questions-hang", test_call_ends_while_questions_hang);
    ADD("reattach", test_reattach);
    ADD("reattach/obeys-an-abort", test_reattach_obeys_an_abort);
    ADD("resume-post-copy", test_resume_post_copy);
    ADD("tuned/at-once", test_tuned);
    ADD("tuned/lifted", test_lifted);
    ADD("tuned/before-a-restart", test_tuned_before_restart);
    ADD("tuned/told-before-a-restart", test_told_before_restart);
    ADD("tuned/told", test_told);
    ADD("tuned/by-monitor", test_tuned_by_monitor);
    ADD("tuned/before", test_tuned_before);
    return g_test_run();
}
