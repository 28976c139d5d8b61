/* The second attempt of libvirt's call, with synchronous writes, and an agent that is started in
 * the middle of it. */
#include "config.h"

#include "source/disk-attempt.h"

#include "ferry/json.h"
#include "source-fixture.h"
#include "source/known-link.h"
#include "source/steps/confirm.h"
#include "source/steps/transfer.h"

#include <string.h>

typedef SourceFixture Fixture;

/* What an earlier life noted. @note: (transfer full) (nullable). */
static void
begin(Fixture *self, json_t *options, json_t *note, bool renews)
{
    json_t *data = NULL;
    g_autoptr(GError) error = NULL;

    source_migration(self, FERRY_STATUS_RUNNING, options);
    data = source_migrate_data(self);
    if (renews)
        json_object_set_new(data, "renews_images", json_true());
    g_assert_true(ferry_migration_set_migrate_data(self->migration, data, &error));
    g_assert_no_error(error);
    if (note)
        ferry_migration_add_report(self->migration, json_pack("{s:o}", "disk_writes", note));
}

static json_t *
note_of(Fixture *self)
{
    return json_object_get(ferry_migration_record(self->migration)->report, "disk_writes");
}

static void
assert_note(Fixture *self, const char *mode, int attempts)
{
    json_t *note = note_of(self);

    g_assert_cmpstr(ferry_json_get_string(note, "mode"), ==, mode);
    g_assert_cmpint(json_integer_value(json_object_get(note, "attempts")), ==, attempts);
    g_assert_null(json_object_get(note, "switching"));
}

static void
run(Fixture *self, bool resumed)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(ferry_transfer_step_run(self->migration, resumed, &error), ==, FERRY_STEP_DONE);
    g_assert_no_error(error);
}

static bool
was_synchronous(void)
{
    return (fake_migration_flags() & VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES) != 0;
}

static void
answer_renewal(void)
{
    fake_bus_answer("kvm02", "renew_images", json_pack("{s:[s]}", "renewed", "/images/web.qcow2"));
}

static json_t *
ending(void)
{
    return json_pack("{s:s, s:i, s:s}", "mode", "background", "attempts", 1, "switching", "ending");
}

static json_t *
beginning(void)
{
    return json_pack("{s:s, s:i, s:s}", "mode", "synchronous", "attempts", 2, "switching",
                     "beginning");
}

/* --- the first -------------------------------------------------------------------------------- */

static void
test_background(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, NULL, /* renews= */ true);
    run(self, /* resumed= */ false);
    g_assert_false(was_synchronous());
    assert_note(self, "background", 1);
}

static void
test_synchronous_by_order(Fixture *self, gconstpointer user_data)
{
    begin(self, json_pack("{s:s}", "disk_writes", "synchronous"), NULL, /* renews= */ true);
    run(self, /* resumed= */ false);
    g_assert_true(was_synchronous());
    assert_note(self, "synchronous", 1);
}

/* What the guest writes is more than the limit, which came after the order. */
static void
test_synchronous_by_limit(Fixture *self, gconstpointer user_data)
{
    g_autoptr(FerryJson) changes = json_pack("{s:i}", "bandwidth_mib_s", 8);
    g_autoptr(GError) error = NULL;

    begin(self, NULL, json_pack("{s:I}", "before_bytes_s", (json_int_t)(10 * MIB)),
          /* renews= */ true);
    g_assert_true(ferry_migration_tune(self->migration, changes, &error));
    run(self, /* resumed= */ false);
    g_assert_true(was_synchronous());
}

/* A migration of before, to @destination, saw what the link carries. */
static void
see_link(Fixture *self, guint number, const char *destination, guint64 bytes_s)
{
    g_autofree char *id = g_strdup_printf("11111111-2222-4333-8444-%012u", number);
    g_autoptr(FerryRecord) record = ferry_record_new(id, FERRY_ROLE_SOURCE);
    g_autoptr(GError) error = NULL;

    record->instance_name = g_strdup("db-1");
    record->instance_uuid = g_strdup(id);
    record->source = g_strdup("kvm01");
    record->destination = g_strdup(destination);
    record->order = json_pack("{s:s, s:{}}", "method", "live_migration", "args");
    record->status = FERRY_STATUS_COMPLETED;
    record->report = json_pack("{s:{s:I}}", "disk_writes", "link_bytes_s", (json_int_t)bytes_s);
    g_assert_true(ferry_journal_add(self->agent.agent.journal, record, &error));
    g_assert_no_error(error);
}

static void
test_known_link(Fixture *self, gconstpointer user_data)
{
    const FerryAgent *agent = &self->agent.agent;

    g_assert_cmpuint(ferry_known_link_bytes_s(agent, "kvm02"), ==, 0);
    see_link(self, 1, "kvm02", 5 * MIB);
    see_link(self, 2, "kvm02", 11 * MIB);
    see_link(self, 3, "kvm03", 20 * MIB);
    g_assert_cmpuint(ferry_known_link_bytes_s(agent, "kvm02"), ==, 11 * MIB);
    /* Of twenty migrations since, none went there. */
    for (guint i = 4; i < 24; i++)
        see_link(self, i, "kvm03", 20 * MIB);
    g_assert_cmpuint(ferry_known_link_bytes_s(agent, "kvm02"), ==, 0);
}

static void
begin_writing(Fixture *self)
{
    begin(self, NULL, json_pack("{s:I}", "before_bytes_s", (json_int_t)(10 * MIB)),
          /* renews= */ true);
}

/* What the guest writes is what the link to that host carried at its best. */
static void
test_synchronous_by_known_link(Fixture *self, gconstpointer user_data)
{
    begin_writing(self);
    see_link(self, 1, "kvm02", 5 * MIB);
    see_link(self, 2, "kvm02", 11 * MIB);
    see_link(self, 3, "kvm02", 6 * MIB);
    run(self, /* resumed= */ false);
    g_assert_true(was_synchronous());
}

static void
test_background_by_known_link(Fixture *self, gconstpointer user_data)
{
    begin_writing(self);
    see_link(self, 1, "kvm03", 5 * MIB);
    see_link(self, 2, "kvm02", 12 * MIB);
    see_link(self, 3, "kvm02", 6 * MIB);
    run(self, /* resumed= */ false);
    g_assert_false(was_synchronous());
}

/* Once the guest was seen to write to little of much that rests. An agent of before at the
 * destination would mirror as before. */
static void
test_may_seed(Fixture *self, gconstpointer user_data)
{
    static const struct {
        const char *knows;
        guint64 again_mib;
        bool may;
    } table[] = {
        {"seeds_anew", 1, true},
        {"seeds_anew", 600, false},
        {"numbers_attempts", 1, false},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GError) error = NULL;
        json_t *data = source_migrate_data(self);
        FerryDisk *disk = NULL;

        if (i == 0)
            begin(self, NULL, NULL, /* renews= */ true);
        json_object_set_new(data, table[i].knows, json_true());
        g_assert_true(ferry_migration_set_migrate_data(self->migration, data, &error));
        disk = g_ptr_array_index(ferry_migration_instance(self->migration)->disks, 0);
        disk->may_seed = true;
        disk->allocation_bytes = 1024 * MIB;
        g_free(disk->source);
        disk->source = g_build_filename(g_get_tmp_dir(), "web.raw", NULL);
        g_assert_true(ferry_disk_attempt_may_seed(self->migration, table[i].again_mib * MIB,
                                                  10 * MIB) == table[i].may);
    }
}

/* An agent of before at the destination keeps what an attempt has filled in part. */
static void
test_may_repeat(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, NULL, /* renews= */ false);
    g_assert_false(ferry_disk_attempt_may_repeat(self->migration));
}

/* --- an agent that is started anew ------------------------------------------------------------ */

static void
clear_job(gpointer data)
{
    fake_job_set(UUID, VIR_DOMAIN_JOB_NONE, 0);
}

/* The first one runs still: it is ended, and the second one follows. */
static void
test_ending(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, ending(), /* renews= */ true);
    answer_renewal();
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
    fake_call_hook("virDomainAbortJob", clear_job, NULL);
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), >=, 1);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 1);
    g_assert_true(was_synchronous());
    assert_note(self, "synchronous", 2);
    g_assert_null(ferry_migration_record(self->migration)->error);
}

/* Whether the second one had begun nobody knows; now no job runs. */
static void
test_beginning(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, beginning(), /* renews= */ true);
    answer_renewal();
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), ==, 0);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 1);
    g_assert_true(was_synchronous());
    assert_note(self, "synchronous", 2);
}

static void
assert_number(guint number)
{
    g_autoptr(FerryJson) args = fake_bus_args("kvm02", "renew_images");

    g_assert_cmpint(ferry_json_get_int(args, "attempt", 0), ==, number);
}

static void
take_numbers(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    json_t *data = source_migrate_data(self);

    json_object_set_new(data, "renews_images", json_true());
    json_object_set_new(data, "numbers_attempts", json_true());
    g_assert_true(ferry_migration_set_migrate_data(self->migration, data, &error));
}

/* What the destination was asked to make a seed of. */
static void
assert_asked_for_seed(const char *target)
{
    g_autoptr(FerryJson) args = fake_bus_args("kvm02", "renew_images");
    const json_t *seeds = json_object_get(args, "seeds");

    g_assert_cmpuint(json_array_size(seeds), ==, 1);
    g_assert_cmpstr(json_string_value(json_array_get(seeds, 0)), ==, target);
}

static FerryDisk *
disk_of(Fixture *self)
{
    return g_ptr_array_index(ferry_migration_instance(self->migration)->disks, 0);
}

/* What can be seeded is; here the snapshot fails, and with it the second attempt. */
static void
test_ending_for_seeds(Fixture *self, gconstpointer user_data)
{
    json_t *note = ending();
    json_t *data = source_migrate_data(self);

    json_object_set_new(note, "seeds", json_true());
    json_object_set_new(json_array_get(json_object_get(data, "volumes"), 0), "seeded", json_true());
    begin(self, NULL, note, /* renews= */ true);
    take_numbers(self);
    disk_of(self)->may_seed = true;
    fake_bus_answer("kvm02", "renew_images",
                    json_pack("{s:[], s:o}", "renewed", "migrate_data", data));
    fake_call_fail("virDomainSnapshotCreateXML", VIR_ERR_OPERATION_FAILED, "No room");
    run(self, /* resumed= */ true);
    assert_asked_for_seed("vda");
    assert_number(2);
    g_assert_true(disk_of(self)->seeded);
    g_assert_nonnull(strstr(disk_of(self)->strategy_why, "faster than a mirror"));
    g_assert_cmpuint(fake_call_count("virDomainSnapshotCreateXML"), ==, 1);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
    g_assert_nonnull(ferry_migration_record(self->migration)->error);
}

/* What was sent so far stays: nothing is made anew. A snapshot that an earlier life has left behind
 * is waited for. */
static void
test_seeding(Fixture *self, gconstpointer user_data)
{
    json_t *note = beginning();

    json_object_set_new(note, "switching", json_string("seeding"));
    begin(self, NULL, note, /* renews= */ true);
    disk_of(self)->seeded = true;
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_SNAPSHOT);
    fake_call_hook("virDomainGetJobInfo", clear_job, NULL);
    fake_call_fail("virDomainSnapshotCreateXML", VIR_ERR_OPERATION_FAILED, "No room");
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 0);
    g_assert_cmpuint(fake_call_count("virDomainSnapshotCreateXML"), ==, 1);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
}

static void
end_job(gpointer data)
{
    fake_job_set(UUID, VIR_DOMAIN_JOB_NONE, 0);
    source_leave(data);
}

/* It had: the job that runs is its own. */
static void
test_begun(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, beginning(), /* renews= */ true);
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
    fake_call_hook("virDomainGetBlockJobInfo", end_job, self);
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 0);
    assert_note(self, "synchronous", 2);
}

/* The first one arrived before it could be ended: both hosts have to tell. */
static void
test_has_left(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, ending(), /* renews= */ true);
    source_leave(self);
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 0);
}

/* --- the number of the attempt ---------------------------------------------------------------- */

/* Asked for once more by a life of the agent that does not know whether it had begun. */
static void
test_numbered(Fixture *self, gconstpointer user_data)
{
    json_t *note = beginning();

    json_object_set_new(note, "renewals", json_integer(1));
    begin(self, NULL, note, /* renews= */ true);
    take_numbers(self);
    answer_renewal();
    run(self, /* resumed= */ true);
    assert_number(3);
    assert_note(self, "synchronous", 2);
}

/* A destination of before refuses an argument that it does not know. */
static void
test_not_numbered(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, beginning(), /* renews= */ true);
    answer_renewal();
    run(self, /* resumed= */ true);
    assert_number(0);
}

static void
show_memory(gpointer data)
{
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_TOTAL, 1024 * MIB);
    fake_job_set_counter(UUID, VIR_DOMAIN_JOB_MEMORY_REMAINING, 8 * MIB);
}

/* Its disks have arrived meanwhile: it goes on. */
static void
test_has_converged(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, ending(), /* renews= */ true);
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
    show_memory(NULL);
    fake_call_hook("virDomainGetBlockJobInfo", end_job, self);
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), ==, 0);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 0);
    assert_note(self, "background", 1);
}

/* A job of somebody else is waited for. */
static void
test_job_of_another(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, ending(), /* renews= */ true);
    answer_renewal();
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_DUMP);
    fake_call_hook("virDomainGetJobInfo", clear_job, NULL);
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_call_count("virDomainAbortJob"), ==, 0);
    assert_note(self, "synchronous", 2);
}

/* --- watched on by the step after it ---------------------------------------------------------- */

static void
clear_both(gpointer data)
{
    clear_job(data);
    fake_bus_forget("kvm02", "describe_instance");
    fake_bus_observe("kvm02", NULL);
}

static void
arrive(gpointer data)
{
    fake_bus_forget("kvm02", "describe_instance");
    fake_bus_observe("kvm02", "running");
}

static void
confirm(Fixture *self, FerryStepEnd end, GError **error)
{
    g_assert_cmpint(ferry_confirm_step_run(self->migration, /* resumed= */ true, error), ==, end);
}

/* libvirt was away when the agent was started anew. */
static void
test_confirm_ending(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    begin(self, NULL, ending(), /* renews= */ true);
    answer_renewal();
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
    fake_bus_observe("kvm02", "incoming");
    fake_call_hook("virDomainAbortJob", clear_both, NULL);
    fake_call_hook("virDomainMigrateToURI3", arrive, NULL);
    confirm(self, FERRY_STEP_DONE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 1);
    g_assert_true(was_synchronous());
    assert_note(self, "synchronous", 2);
}

/* The first one has ended, too. */
static void
test_confirm_beginning(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    begin(self, NULL, beginning(), /* renews= */ true);
    answer_renewal();
    fake_bus_observe("kvm02", NULL);
    fake_call_hook("virDomainMigrateToURI3", arrive, NULL);
    confirm(self, FERRY_STEP_DONE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 1);
    assert_note(self, "synchronous", 2);
}

/* What is ended says why. */
static void
test_confirm_reason(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    begin(self, json_pack("{s:i}", "completion_timeout_s", 5), NULL, /* renews= */ true);
    agent_begin_step(&self->agent, MIGRATION, "transfer", 5);
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
    fake_bus_observe("kvm02", "incoming");
    fake_call_hook("virDomainAbortJob", clear_both, NULL);
    confirm(self, FERRY_STEP_FAILED, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_TIMEOUT);
}

/* --- what goes wrong -------------------------------------------------------------------------- */

/* What was undone there is not waited for. */
static void
test_undone_there(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, ending(), /* renews= */ true);
    fake_bus_refuse("kvm02", "renew_images",
                    ferry_error_new(FERRY_ERROR_INVALID_MIGRATION_STATE, NULL, "It is undone"));
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 1);
    g_assert_cmpstr(
        ferry_json_get_string(ferry_migration_record(self->migration)->error, "message"), ==,
        "It is undone");
}

static void
lose_libvirt(gpointer data)
{
    static bool lost = false;

    if (!lost)
        fake_call_fail("virDomainLookupByUUIDString", VIR_ERR_RPC, "Cannot read");
    lost = true;
}

/* Whoever does not answer for a moment is asked again, on both hosts. */
static void
test_silence_passes(Fixture *self, gconstpointer user_data)
{
    begin(self, NULL, ending(), /* renews= */ true);
    fake_bus_hook("renew_images", lose_libvirt, NULL);
    fake_bus_refuse("kvm02", "renew_images",
                    ferry_error_new(FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "No answer"));
    fake_bus_refuse("kvm02", "renew_images",
                    ferry_error_new(FERRY_ERROR_HYPERVISOR_UNAVAILABLE, NULL, "No libvirt"));
    answer_renewal();
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 3);
    g_assert_true(was_synchronous());
    g_assert_null(ferry_migration_record(self->migration)->error);
}

static void
test_not_renewed(Fixture *self, gconstpointer user_data)
{
    const json_t *error = NULL;

    begin(self, NULL, ending(), /* renews= */ true);
    fake_bus_refuse("kvm02", "renew_images",
                    ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, NULL, "It is another file"));
    run(self, /* resumed= */ true);
    error = ferry_migration_record(self->migration)->error;
    g_assert_cmpstr(ferry_json_get_string(error, "message"), ==, "It is another file");
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
}

/* While the first one ends there, too, it is asked again. */
static void
test_renewed_later(Fixture *self, gconstpointer user_data)
{
    GError *why = ferry_error_new(FERRY_ERROR_INVALID_MIGRATION_STATE, NULL, "It is here");

    begin(self, NULL, ending(), /* renews= */ true);
    ferry_error_set_detail(why, "retry", json_true());
    fake_bus_refuse("kvm02", "renew_images", why);
    answer_renewal();
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 2);
    g_assert_true(was_synchronous());
}

/* The time is over: there is no second one. */
static void
test_too_late(Fixture *self, gconstpointer user_data)
{
    const json_t *error = NULL;

    begin(self, json_pack("{s:i}", "completion_timeout_s", 5), beginning(), /* renews= */ true);
    agent_begin_step(&self->agent, MIGRATION, "transfer", 5);
    run(self, /* resumed= */ true);
    error = ferry_migration_record(self->migration)->error;
    g_assert_cmpstr(ferry_json_get_string(error, "code"), ==, "MigrationTimeout");
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 0);
}

static void
test_aborted_by_order(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    begin(self, NULL, ending(), /* renews= */ true);
    g_assert_true(ferry_migration_request_abort(self->migration, &error));
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 0);
}

#define ADD(path, func) SOURCE_ADD("/disk-attempt/" path, func)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("background", test_background);
    ADD("synchronous-by-order", test_synchronous_by_order);
    ADD("synchronous-by-limit", test_synchronous_by_limit);
    ADD("known-link", test_known_link);
    ADD("synchronous-by-known-link", test_synchronous_by_known_link);
    ADD("background-by-known-link", test_background_by_known_link);
    ADD("destination-of-before", test_may_repeat);
    ADD("seeds", test_may_seed);
    ADD("taken-up/ending", test_ending);
    ADD("taken-up/beginning", test_beginning);
    ADD("taken-up/ending-for-seeds", test_ending_for_seeds);
    ADD("taken-up/seeding", test_seeding);
    ADD("taken-up/begun", test_begun);
    ADD("taken-up/has-left", test_has_left);
    ADD("numbered", test_numbered);
    ADD("numbered/destination-of-before", test_not_numbered);
    ADD("taken-up/has-converged", test_has_converged);
    ADD("taken-up/job-of-another", test_job_of_another);
    ADD("watched-on/ending", test_confirm_ending);
    ADD("watched-on/beginning", test_confirm_beginning);
    ADD("watched-on/reason", test_confirm_reason);
    ADD("not-renewed", test_not_renewed);
    ADD("not-renewed/undone-there", test_undone_there);
    ADD("not-renewed/silence-passes", test_silence_passes);
    ADD("renewed-later", test_renewed_later);
    ADD("too-late", test_too_late);
    ADD("aborted-by-order", test_aborted_by_order);
    return g_test_run();
}
