/* The second attempt of libvirt's call, with synchronous writes, and an agent that is started in
 * the middle of it. */
#include "config.h"

#include "source/disk-attempt.h"

#include "ferry/json.h"
#include "source-fixture.h"
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
    disk_of(self)->may_seed = true;
    fake_bus_answer("kvm02", "renew_images",
                    json_pack("{s:[], s:o}", "renewed", "migrate_data", data));
    fake_call_fail("virDomainSnapshotCreateXML", VIR_ERR_OPERATION_FAILED, "No room");
    run(self, /* resumed= */ true);
    assert_asked_for_seed("vda");
    g_assert_true(disk_of(self)->seeded);
    g_assert_nonnull(strstr(disk_of(self)->strategy_why, "faster than a mirror"));
    g_assert_cmpuint(fake_call_count("virDomainSnapshotCreateXML"), ==, 1);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
    g_assert_nonnull(ferry_migration_record(self->migration)->error);
}

/* What was sent so far stays: nothing is made anew. */
static void
test_seeding(Fixture *self, gconstpointer user_data)
{
    json_t *note = beginning();

    json_object_set_new(note, "switching", json_string("seeding"));
    begin(self, NULL, note, /* renews= */ true);
    disk_of(self)->seeded = true;
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

/* --- what goes wrong -------------------------------------------------------------------------- */

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
    begin(self, NULL, ending(), /* renews= */ true);
    fake_bus_refuse("kvm02", "renew_images",
                    ferry_error_new(FERRY_ERROR_INVALID_MIGRATION_STATE, NULL, "It is here"));
    answer_renewal();
    run(self, /* resumed= */ true);
    g_assert_cmpuint(fake_bus_count("kvm02", "renew_images"), ==, 2);
    g_assert_true(was_synchronous());
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
    ADD("destination-of-before", test_may_repeat);
    ADD("taken-up/ending", test_ending);
    ADD("taken-up/beginning", test_beginning);
    ADD("taken-up/ending-for-seeds", test_ending_for_seeds);
    ADD("taken-up/seeding", test_seeding);
    ADD("taken-up/begun", test_begun);
    ADD("taken-up/has-left", test_has_left);
    ADD("not-renewed", test_not_renewed);
    ADD("renewed-later", test_renewed_later);
    ADD("aborted-by-order", test_aborted_by_order);
    return g_test_run();
}
