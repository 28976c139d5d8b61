/* The end of a lease: what may be the only copy of an instance that came is not deleted by the
 * clock, whatever libvirt shows by then. */
#include "config.h"

#include "destination/arrival-watch.h"

#include "destination-fixture.h"
#include "destination/destination-private.h"
#include "ferry/json.h"
#include "virt/auto.h"
#include "virt/virt.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITTEN "what the guest wrote"
#define LONG_AGO_S 1000000000

typedef DestinationFixture Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    destination_set_up(self, "web/disk.img");
}

/* Libvirt's events are heard: what comes between is known. */
static void
prepare_well(Fixture *self)
{
    while (ferry_virt_listening(self->agent.agent.virt) == 0)
        g_usleep(1000);

    g_autoptr(FerryJson) data = destination_prepare_well(self);

    g_assert_nonnull(data);
}

static void
let_arrive(Fixture *self)
{
    g_autofree char *xml = agent_domain_xml(self->path, "raw");

    fake_domain_add(xml);
}

static void
write_to_image(Fixture *self)
{
    int fd = g_open(self->path, O_WRONLY, 0);

    g_assert_cmpint(write(fd, WRITTEN, strlen(WRITTEN)), ==, (gssize)strlen(WRITTEN));
    g_assert_true(g_close(fd, NULL));
}

static FerryArrivalStage
stage_of(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    FerryArrivalNote note = {0};

    g_assert_true(ferry_journal_arrival_get(self->agent.agent.journal, MIGRATION, &note, &error));
    return note.stage;
}

static void
await_stage(Fixture *self, FerryArrivalStage stage)
{
    for (guint i = 0; i < 5000 && stage_of(self) != stage; i++)
        g_usleep(1000);
    g_assert_cmpint(stage_of(self), ==, stage);
}

static void
set_end_of_lease(Fixture *self, gint64 in_us)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = agent_record(&self->agent, MIGRATION, FERRY_ROLE_DESTINATION);

    record->expires_us = g_get_real_time() + in_us;
    g_assert_true(ferry_journal_save(self->agent.agent.journal, record, NULL, &error));
}

/* Nobody has written to the image for longer than a lease. */
static void
age_image(Fixture *self)
{
    struct timespec long_ago[2] = {{.tv_sec = LONG_AGO_S}, {.tv_sec = LONG_AGO_S}};

    g_assert_cmpint(utimensat(AT_FDCWD, self->path, long_ago, 0), ==, 0);
}

/* Returns: when the next one ends. */
static gint64
end_lease(Fixture *self)
{
    set_end_of_lease(self, -G_USEC_PER_SEC);
    age_image(self);
    return ferry_destination_expire(self->destination);
}

static void
assert_rolled_back(Fixture *self)
{
    g_autoptr(FerryRecord) record = agent_record(&self->agent, MIGRATION, FERRY_ROLE_DESTINATION);

    g_assert_cmpint(record->status, ==, FERRY_STATUS_ROLLED_BACK);
    g_assert_false(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

static void
assert_kept(Fixture *self)
{
    g_autoptr(FerryRecord) record = agent_record(&self->agent, MIGRATION, FERRY_ROLE_DESTINATION);

    g_assert_cmpint(record->status, ==, FERRY_STATUS_ERROR);
    g_assert_cmpint(record->expires_us, ==, 0);
    g_assert_cmpstr(ferry_json_get_string(record->error, "code"), ==, "OutcomeUnknown");
    g_assert_nonnull(
        strstr(ferry_json_get_string(record->error, "message"), "nothing was removed"));
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

/* --- it came ---------------------------------------------------------------------------------- */

/* It ran when the first lease ended, its source is away, and a transient one leaves nothing when it
 * powers off. */
static void
test_seen_running(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    let_arrive(self);
    g_assert_cmpint(end_lease(self), >, g_get_real_time());
    g_assert_cmpint(stage_of(self), ==, FERRY_ARRIVAL_CAME);
    fake_domain_remove(UUID);
    g_assert_cmpint(end_lease(self), ==, 0);
    assert_kept(self);
}

/* Nobody looked while it ran. */
static void
test_told_by_event(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    let_arrive(self);
    fake_event_lifecycle_of(UUID, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_MIGRATED);
    await_stage(self, FERRY_ARRIVAL_BEGUN);
    fake_event_lifecycle_of(UUID, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_MIGRATED);
    await_stage(self, FERRY_ARRIVAL_CAME);
    fake_domain_remove(UUID);
    g_assert_cmpint(end_lease(self), ==, 0);
    assert_kept(self);
}

/* It began to arrive: the source alone knows whether it ran. */
static void
test_begun(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    ferry_arrival_note(&self->agent.agent, UUID, /* runs= */ false);
    ferry_arrival_note(&self->agent.agent, OTHER_UUID, /* runs= */ true);
    g_assert_cmpint(stage_of(self), ==, FERRY_ARRIVAL_BEGUN);
    g_assert_cmpint(end_lease(self), ==, 0);
    assert_kept(self);
}

static void
test_defined(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    let_arrive(self);
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
    g_assert_cmpint(end_lease(self), ==, 0);
    assert_kept(self);
    g_assert_true(fake_domain_exists(UUID));
}

/* What becomes of a rest that libvirt is about to remove is no proof that it came. */
static void
test_rest_of_an_attempt(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    let_arrive(self);
    fake_domain_set_persistent(UUID, false);
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED);
    g_assert_cmpint(end_lease(self), ==, 0);
    g_assert_cmpint(stage_of(self), ==, FERRY_ARRIVAL_BEGUN);
}

/* The source comes back, and knows that the instance is alive with it. */
static void
test_rolled_back_by_its_source(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    ferry_arrival_note(&self->agent.agent, UUID, /* runs= */ false);
    g_assert_cmpint(end_lease(self), ==, 0);
    assert_kept(self);

    g_autoptr(FerryJson) answer = destination_roll_back(self);

    g_assert_cmpstr(ferry_json_get_string(answer, "status"), ==, "rolled-back");
    assert_rolled_back(self);
}

/* Who wants an end of it is told; the images are deleted by a person, or by nobody. */
static void
test_not_resolved(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    write_to_image(self);
    ferry_arrival_note(&self->agent.agent, UUID, /* runs= */ true);
    g_assert_cmpint(end_lease(self), ==, 0);
    g_assert_null(ferry_destination_resolve(self->destination, MIGRATION, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_OUTCOME_UNKNOWN);
    assert_kept(self);
    g_assert_cmpint(g_unlink(self->path), ==, 0);
    g_clear_error(&error);

    g_autoptr(FerryJson) answer = ferry_destination_resolve(self->destination, MIGRATION, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "status"), ==, "rolled-back");
}

/* It was started again here before its source came back. */
static void
test_finished_by_its_source(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    ferry_arrival_note(&self->agent.agent, UUID, /* runs= */ true);
    g_assert_cmpint(end_lease(self), ==, 0);
    assert_kept(self);
    let_arrive(self);

    g_autoptr(FerryJson) answer =
        ferry_destination_finish(self->destination, MIGRATION, /* autostart= */ false, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "status"), ==, "completed");
}

/* --- it may have come ------------------------------------------------------------------------- */

/* As with a libvirtd, or an agent, that was started anew. */
static void
lose_events(Fixture *self)
{
    gint64 before_us = ferry_virt_listening(self->agent.agent.virt);

    fake_connections_drop();
    while (ferry_virt_listening(self->agent.agent.virt) == before_us) {
        g_autoptr(virConnect) connection = ferry_virt_connect(self->agent.agent.virt, NULL);

        g_usleep(1000);
    }
}

static void
test_unheard_and_written(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    lose_events(self);
    write_to_image(self);
    g_assert_cmpint(end_lease(self), ==, 0);
    assert_kept(self);
}

/* Before the lease ends nobody has noted that it may have come. */
static void
test_unheard_and_not_resolved(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    prepare_well(self);
    lose_events(self);
    write_to_image(self);
    g_assert_null(ferry_destination_resolve(self->destination, MIGRATION, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_OUTCOME_UNKNOWN);
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

static void
test_unheard_and_empty(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    lose_events(self);
    g_assert_cmpint(end_lease(self), ==, 0);
    assert_rolled_back(self);
}

/* A seed of a source that was lost for good: nothing but that can have written to it. */
static void
test_heard_and_written(Fixture *self, gconstpointer user_data)
{
    prepare_well(self);
    write_to_image(self);
    g_assert_cmpint(end_lease(self), ==, 0);
    assert_rolled_back(self);
}

/* --- it is used meanwhile --------------------------------------------------------------------- */

static gpointer
expire(gpointer data)
{
    const Fixture *self = data;

    (void)ferry_destination_expire(self->destination);
    return NULL;
}

/* It was overdue when it was listed, and an order that holds it then prolongs it. */
static void
test_prolonged_meanwhile(Fixture *self, gconstpointer user_data)
{
    FerryMigrationLocks *locks = self->destination->locks;

    prepare_well(self);
    age_image(self);
    set_end_of_lease(self, -G_USEC_PER_SEC);

    FerryMigrationLock lock = ferry_migration_lock_take(locks, MIGRATION);
    GThread *expiring = g_thread_new("expire", expire, self);

    g_usleep(100 * 1000);
    set_end_of_lease(self, G_USEC_PER_SEC * 60);
    ferry_migration_lock_release(&lock);
    g_thread_join(expiring);

    g_autoptr(FerryRecord) after = agent_record(&self->agent, MIGRATION, FERRY_ROLE_DESTINATION);
    g_assert_cmpint(after->status, ==, FERRY_STATUS_PREPARED);
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

#define ADD(path, func)                                                                            \
    g_test_add("/arrival-watch/" path, Fixture, NULL, set_up, func, destination_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("came/seen-running", test_seen_running);
    ADD("came/told-by-event", test_told_by_event);
    ADD("came/begun", test_begun);
    ADD("came/defined", test_defined);
    ADD("came/rest-of-an-attempt", test_rest_of_an_attempt);
    ADD("came/rolled-back-by-its-source", test_rolled_back_by_its_source);
    ADD("came/not-resolved", test_not_resolved);
    ADD("came/finished-by-its-source", test_finished_by_its_source);
    ADD("may-have-come/unheard-and-written", test_unheard_and_written);
    ADD("may-have-come/unheard-and-not-resolved", test_unheard_and_not_resolved);
    ADD("may-have-come/unheard-and-empty", test_unheard_and_empty);
    ADD("may-have-come/heard-and-written", test_heard_and_written);
    ADD("prolonged-meanwhile", test_prolonged_meanwhile);
    return g_test_run();
}
