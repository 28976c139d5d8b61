/* Steps of the source's saga, each by itself, as its table has them. */
#include "config.h"

#include "source/steps/table.h"

#include "ferry/json.h"
#include "journal/identities.h"
#include "journal/leftovers.h"
#include "model/overlay.h"
#include "runtime/detached-call.h"
#include "source-fixture.h"
#include "source/source-image.h"
#include "storage/quarantine.h"
#include "virt/auto.h"

#include <glib/gstdio.h>

#include <string.h>

static void
set_up(SourceFixture *self, gconstpointer user_data)
{
    source_set_up(self, user_data);
    self->agent.agent.quarantine = ferry_quarantine_new(&self->agent.agent);
}

static void
tear_down(SourceFixture *self, gconstpointer user_data)
{
    ferry_quarantine_free(self->agent.agent.quarantine);
    source_tear_down(self, user_data);
}

static void
assert_end(SourceFixture *self, const FerrySagaStep *step, FerryStepEnd expected, GError **error)
{
    g_autoptr(GError) why = NULL;
    FerryStepEnd end = step->run(self->migration, /* resumed= */ false, &why);

    if (end != expected)
        g_error("The step '%s' ended as %d, not %d: %s", step->name, (int)end, (int)expected,
                why ? why->message : "no error");
    if (error)
        g_propagate_error(error, g_steal_pointer(&why));
}

static json_t *
report_of(SourceFixture *self)
{
    g_autoptr(FerryRecord) record = ferry_migration_snapshot(self->migration);

    return json_incref(record->report);
}

/* --- check ------------------------------------------------------------------------------------ */

static char *
kept_definition(SourceFixture *self)
{
    return g_build_filename(self->agent.config->state_path, "definitions", MIGRATION ".xml", NULL);
}

static void
test_check_keeps_the_definition(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *kept = kept_definition(self);

    source_migration(self, FERRY_STATUS_ACCEPTED, json_pack("{s:s}", "source_disks", "quarantine"));
    fake_bus_answer("kvm02", "check_can_live_migrate_destination",
                    json_pack("{s:b, s:[], s:n}", "compatible", 1, "checks", "dest_check_data"));
    assert_end(self, source_step("check"), FERRY_STEP_DONE, NULL);
    g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
    g_assert_true(source_step("check")->undo(self->migration, &error));
    g_assert_false(g_file_test(kept, G_FILE_TEST_EXISTS));
}

static void
test_check_finds_snapshots(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_domain_set_snapshots(UUID, 1);
    source_migration(self, FERRY_STATUS_ACCEPTED, NULL);
    fake_bus_answer("kvm02", "check_can_live_migrate_destination",
                    json_pack("{s:b, s:[], s:n}", "compatible", 1, "checks", "dest_check_data"));
    assert_end(self, source_step("check"), FERRY_STEP_FAILED, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
}

/* Nobody has asked whether our agent reaches the destination's libvirt: no second attempt sends
 * seeds there of its own accord. */
static void
test_check_of_a_prepared_order(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    source_migration(self, FERRY_STATUS_ACCEPTED, NULL);
    g_assert_true(
        ferry_migration_set_migrate_data(self->migration, source_migrate_data(self), &error));
    assert_end(self, source_step("check"), FERRY_STEP_DONE, NULL);
    g_assert_false(
        ferry_instance_find_disk(ferry_migration_instance(self->migration), "vda")->may_seed);
}

/* --- prepare ---------------------------------------------------------------------------------- */

static GError *
busy(const char *target, gint64 committed_bytes)
{
    GError *error = ferry_error_new(FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR, NULL, "Not yet");

    ferry_error_set_detail(error, "retry", json_true());
    if (target) {
        ferry_error_set_detail(error, "target", json_string(target));
        ferry_error_set_detail(error, "committed_bytes", json_integer(committed_bytes));
    }
    return error;
}

/* The order came with migrate_data: only images that were made for this migration will do. */
static void
test_prepare_confirms(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_PREPARING, NULL);
    fake_bus_answer("kvm02", "get_migration",
                    json_pack("{s:s, s:{s:s}, s:o}", "status", "prepared", "instance", "uuid", UUID,
                              "migrate_data", source_migrate_data(self)));
    assert_end(self, source_step("prepare"), FERRY_STEP_DONE, NULL);
    g_assert_cmpuint(fake_bus_count("kvm02", "pre_live_migration"), ==, 0);
}

static void
answer_prepared(SourceFixture *self, const char *key, const char *value)
{
    json_t *told = source_migrate_data(self);

    if (key)
        json_object_set_new(told, key, json_string(value));
    fake_bus_answer("kvm02", "get_migration",
                    json_pack("{s:s, s:{s:s}, s:o}", "status", "prepared", "instance", "uuid", UUID,
                              "migrate_data", told));
}

/* Whoever passes migrate_data on cannot lead the instance elsewhere: the destination's word
 * counts, and an order that says another one fails. */
static void
test_prepare_believes_the_destination(SourceFixture *self, gconstpointer user_data)
{
    static const char *const other[][2] = {{"libvirt_uri", "qemu+tls://kvm03/system"},
                                           {"migrate_uri", "tcp://kvm03"}};

    source_migration(self, FERRY_STATUS_PREPARING, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(other); i++) {
        g_autoptr(GError) error = NULL;

        answer_prepared(self, other[i][0], other[i][1]);
        assert_end(self, source_step("prepare"), FERRY_STEP_FAILED, &error);
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        g_assert_nonnull(strstr(error->message, other[i][0]));
    }
    g_assert_true(ferry_migration_set_migrate_data(self->migration, json_object(), NULL));
    answer_prepared(self, NULL, NULL);
    assert_end(self, source_step("prepare"), FERRY_STEP_DONE, NULL);

    const FerryMigrateData *taken = ferry_migration_migrate_data(self->migration);

    g_assert_cmpstr(taken->libvirt_uri, ==, "qemu+tls://kvm02/system");
    g_assert_cmpstr(taken->migrate_uri, ==, "tcp://kvm02");
    g_assert_cmpuint(taken->volumes->len, ==, 1);
}

/* Whoever cannot be asked is not gone to on an order's word. */
static void
test_prepare_without_the_destination(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    source_migration(self, FERRY_STATUS_PREPARING, NULL);
    fake_bus_refuse("kvm02", "get_migration",
                    ferry_error_new(FERRY_ERROR_DESTINATION_UNREACHABLE, "Is it on?", "No answer"));
    g_cancellable_cancel(self->agent.agent.stopping);
    assert_end(self, source_step("prepare"), FERRY_STEP_FAILED, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE);
}

/* Its word is not taken for everything, either. */
static void
test_prepare_refuses_a_weaker_scheme(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    source_migration(self, FERRY_STATUS_PREPARING, NULL);
    g_assert_true(ferry_migration_set_migrate_data(self->migration, json_object(), NULL));
    answer_prepared(self, "libvirt_uri", "qemu+tcp://kvm02/system");
    assert_end(self, source_step("prepare"), FERRY_STEP_FAILED, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

/* Post-copy over several connections can lose the instance: the destination's word decides, not
 * that of an order that comes with everything prepared. */
static void
test_prepare_refuses_a_lossy_post_copy(SourceFixture *self, gconstpointer user_data)
{
    static const char *const qemus[] = {NULL, "7.2.22", "10.0.13"};

    self->agent.config->live_migration_permit_post_copy = true;
    source_migration(self, FERRY_STATUS_PREPARING,
                     json_pack("{s:b, s:i}", "post_copy", 1, "parallel_connections", 2));
    for (guint i = 0; i < G_N_ELEMENTS(qemus); i++) {
        g_autoptr(GError) error = NULL;

        answer_prepared(self, qemus[i] ? "qemu_version" : NULL, qemus[i]);
        assert_end(self, source_step("prepare"), FERRY_STEP_FAILED, &error);
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
        g_assert_nonnull(strstr(error->message, "post-copy"));
    }
}

static void
test_prepare_of_another_instance(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    source_migration(self, FERRY_STATUS_PREPARING, NULL);
    fake_bus_answer("kvm02", "get_migration",
                    json_pack("{s:s, s:{s:s}, s:o}", "status", "prepared", "instance", "uuid",
                              OTHER_UUID, "migrate_data", source_migrate_data(self)));
    assert_end(self, source_step("prepare"), FERRY_STEP_FAILED, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
}

/* A destination without a place for as long as is waited: what ends it says which budget it was. */
static void
test_prepare_takes_too_long(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    self->agent.config->prepare_timeout_s = 0;
    source_migration(self, FERRY_STATUS_ACCEPTED, NULL);
    fake_bus_answer("kvm02", "check_can_live_migrate_destination",
                    json_pack("{s:b, s:[], s:n}", "compatible", 1, "checks", "dest_check_data"));
    assert_end(self, source_step("check"), FERRY_STEP_DONE, NULL);
    fake_bus_refuse("kvm02", "pre_live_migration", busy(NULL, 0));
    assert_end(self, source_step("prepare"), FERRY_STEP_FAILED, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
    g_assert_cmpstr(ferry_json_get_string(ferry_error_details(error), "budget"), ==, "prepare");
}

/* Our order to prepare never arrived: there is nothing to undo. */
static void
test_prepare_undone(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    source_migration(self, FERRY_STATUS_PREPARING, NULL);
    fake_bus_refuse("kvm02", "rollback_live_migration_at_destination",
                    ferry_error_new(FERRY_ERROR_MIGRATION_NOT_FOUND, NULL, "No such migration"));
    g_assert_true(source_step("prepare")->undo(self->migration, &error));
    fake_bus_answer("kvm02", "rollback_live_migration_at_destination",
                    json_pack("{s:[{s:s, s:s, s:s}]}", "kept", "kind", "volume", "path",
                              "/images/a", "why", "it is another one"));
    g_assert_false(source_step("prepare")->undo(self->migration, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_nonnull(strstr(error->message, "'/images/a': it is another one"));
}

/* --- trim ------------------------------------------------------------------------------------- */

static void
test_trim(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_PREPARING, json_pack("{s:b}", "fstrim", 1));
    assert_end(self, source_step("trim"), FERRY_STEP_DONE, NULL);

    g_autoptr(FerryJson) report = report_of(self);

    g_assert_cmpuint(fake_call_count("virDomainFSTrim"), ==, 1);
    g_assert_true(ferry_json_get_bool(json_object_get(report, "fstrim"), "done", false));
}

/* Never a reason to fail, and never without an order. */
static void
test_trim_that_fails(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_PREPARING, json_pack("{s:b}", "fstrim", 1));
    fake_call_fail("virDomainFSTrim", VIR_ERR_AGENT_UNRESPONSIVE, "agent is not connected");
    assert_end(self, source_step("trim"), FERRY_STEP_DONE, NULL);

    g_autoptr(FerryJson) report = report_of(self);

    g_assert_false(ferry_json_get_bool(json_object_get(report, "fstrim"), "done", true));
}

static void
test_no_trim(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_PREPARING, NULL);
    assert_end(self, source_step("trim"), FERRY_STEP_DONE, NULL);
    g_assert_cmpuint(fake_call_count("virDomainFSTrim"), ==, 0);
}

/* --- what a plain disk does not need ---------------------------------------------------------- */

static void
test_nothing_to_bring(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_RUNNING, NULL);
    assert_end(self, source_step("files"), FERRY_STEP_DONE, NULL);
    assert_end(self, source_step("snapshot"), FERRY_STEP_DONE, NULL);
    assert_end(self, source_step("seed"), FERRY_STEP_DONE, NULL);
    g_assert_cmpuint(fake_bus_count("kvm02", "prepare_file"), ==, 0);
    g_assert_cmpuint(fake_call_count("virDomainSnapshotCreateXML"), ==, 0);
}

/* --- snapshot --------------------------------------------------------------------------------- */

/* A QEMU that hangs holds libvirt's call without end; the saga goes on, and nothing is taken for
 * settled while the snapshot may still come to stand. */
static void
test_snapshot_that_hangs(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) held = NULL;

    source_migration(self, FERRY_STATUS_RUNNING, NULL);

    FerryDisk *disk = g_ptr_array_index(ferry_migration_instance(self->migration)->disks, 0);

    disk->seeded = true;
    fake_call_block("virDomainSnapshotCreateXML");
    fake_domain_set_held(UUID, true);
    g_assert_true(ferry_migration_request_abort(self->migration, NULL));
    assert_end(self, source_step("snapshot"), FERRY_STEP_FAILED, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CANCELLED);

    ferry_migration_detach(self->migration);
    g_assert_false(source_step("snapshot")->undo(self->migration, &held));
    g_assert_error(held, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);

    fake_call_release("virDomainSnapshotCreateXML");
    g_assert_true(ferry_detached_calls_await_none(10000));
}

static void
lose_next_snapshot(gpointer data)
{
    fake_call_fail("virDomainSnapshotCreateXML", VIR_ERR_RPC, "Connection reset");
}

/* The first @times snapshots fail: QEMU may not open their overlays. Returns: (transfer full): the
 * overlay. */
static char *
forbid_snapshots(SourceFixture *self, guint times)
{
    source_migration(self, FERRY_STATUS_RUNNING, NULL);

    FerryDisk *disk = g_ptr_array_index(ferry_migration_instance(self->migration)->disks, 0);

    disk->seeded = true;
    disk->owner = ferry_file_owner_of(disk->source);
    fake_call_fail_times("virDomainSnapshotCreateXML", times, VIR_ERR_INTERNAL_ERROR,
                         "blockdev-add: Could not open it: Permission denied");
    return ferry_overlay_path(disk->source, MIGRATION);
}

static void
test_snapshot_onto_own_overlay(SourceFixture *self, gconstpointer user_data)
{
    g_autofree char *overlay = forbid_snapshots(self, 1);

    assert_end(self, source_step("snapshot"), FERRY_STEP_DONE, NULL);

    g_autofree char *calls =
        fake_calls_list((const char *const[]){"virDomainSnapshotCreateXML", NULL});
    g_autofree char *last = g_strdup_printf(
        " %u", VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA |
                   VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC | VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT);
    g_autofree char *xml = fake_volume_last_xml();

    g_assert_nonnull(strstr(calls, last));
    g_assert_nonnull(strstr(xml, "<owner>"));
    g_assert_nonnull(strstr(xml, self->path));
    g_assert_cmpint(ferry_source_image_look(self->migration, overlay, NULL), ==,
                    FERRY_OWN_FILE_OURS);
}

/* Nobody has put it under a disk: it goes. */
static void
test_own_overlay_that_is_refused(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *overlay = forbid_snapshots(self, 2);

    assert_end(self, source_step("snapshot"), FERRY_STEP_FAILED, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_nonnull(strstr(ferry_error_hint(error), "mirror"));
    g_assert_true(g_file_test(overlay, G_FILE_TEST_EXISTS));
    g_clear_error(&error);
    g_assert_true(source_step("snapshot")->undo(self->migration, &error));
    g_assert_no_error(error);
    g_assert_false(g_file_test(overlay, G_FILE_TEST_EXISTS));
}

/* libvirt is lost in the middle of it: QEMU may write there. */
static void
test_own_overlay_in_doubt(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *overlay = forbid_snapshots(self, 1);

    fake_call_hook("virStorageVolCreateXML", lose_next_snapshot, NULL);
    assert_end(self, source_step("snapshot"), FERRY_STEP_FAILED, &error);
    fake_call_hook("virStorageVolCreateXML", NULL, NULL);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
    g_clear_error(&error);
    g_assert_false(source_step("snapshot")->undo(self->migration, &error));
    g_assert_nonnull(strstr(error->message, "is kept"));
    g_assert_true(g_file_test(overlay, G_FILE_TEST_EXISTS));
}

/* --- transfer and confirm --------------------------------------------------------------------- */

/* libvirt's word is not the outcome: the step is done, both hosts have to tell. */
static void
test_transfer_keeps_the_error(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_RUNNING, NULL);
    fake_call_fail("virDomainMigrateToURI3", VIR_ERR_OPERATION_FAILED, "QEMU said no");
    assert_end(self, source_step("transfer"), FERRY_STEP_DONE, NULL);

    g_autoptr(FerryRecord) record = ferry_migration_snapshot(self->migration);

    g_assert_nonnull(strstr(ferry_json_get_string(record->error, "message"), "QEMU said no"));
    g_assert_nonnull(json_object_get(record->report, "moved_bytes"));
}

/* An agent of before described it. What libvirt takes away with the instance is read before; the
 * definition that was kept for the time after the quarantine has it, too. */
static void
test_transfer_recalls_autostart(SourceFixture *self, gconstpointer user_data)
{
    g_autofree char *path =
        g_strdup_printf("%s/definitions/" MIGRATION ".xml", self->agent.config->state_path);
    g_autofree char *kept = NULL;

    source_migration(self, FERRY_STATUS_RUNNING, json_pack("{s:s}", "source_disks", "quarantine"));
    fake_domain_set_autostart(UUID, true);
    assert_end(self, source_step("transfer"), FERRY_STEP_DONE, NULL);

    g_autoptr(FerryRecord) record = agent_record(&self->agent, MIGRATION, FERRY_ROLE_SOURCE);

    g_assert_true(ferry_json_get_bool(record->instance_info, "autostart", false));
    g_assert_true(g_file_get_contents(path, &kept, NULL, NULL));
    g_assert_nonnull(strstr(kept, "autostart"));
}

static void
test_confirm(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_RUNNING, NULL);
    source_leave(self);
    fake_bus_observe("kvm02", "running");
    assert_end(self, source_step("confirm"), FERRY_STEP_DONE, NULL);
}

static void
test_confirm_not_moved(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    source_migration(self, FERRY_STATUS_RUNNING, NULL);
    fake_bus_observe("kvm02", NULL);
    assert_end(self, source_step("confirm"), FERRY_STEP_FAILED, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

static void
test_confirm_split_brain(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    source_migration(self, FERRY_STATUS_RUNNING, NULL);
    fake_bus_observe("kvm02", "running");
    assert_end(self, source_step("confirm"), FERRY_STEP_ERROR, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_OUTCOME_UNKNOWN);
    g_assert_true(fake_domain_exists(UUID));
}

/* --- finish ----------------------------------------------------------------------------------- */

static void
test_finish(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_POST_MIGRATING, NULL);
    fake_bus_refuse("kvm02", "post_live_migration_at_destination", busy("vda", 1000));
    fake_bus_refuse("kvm02", "post_live_migration_at_destination", busy("vda", 2000));
    fake_bus_answer("kvm02", "post_live_migration_at_destination",
                    json_pack("{s:s}", "status", "completed"));
    assert_end(self, source_step("finish"), FERRY_STEP_DONE, NULL);

    g_autoptr(FerryJson) report = report_of(self);

    g_assert_cmpuint(fake_bus_count("kvm02", "post_live_migration_at_destination"), ==, 3);
    g_assert_cmpstr(ferry_json_get_string(json_object_get(report, "arrival"), "status"), ==,
                    "completed");
}

/* The commit there gets no further. */
static void
test_finish_gives_up(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    self->agent.config->outcome_timeout_s = 1;
    source_migration(self, FERRY_STATUS_POST_MIGRATING, NULL);
    fake_bus_refuse("kvm02", "post_live_migration_at_destination", busy("vda", 1000));
    assert_end(self, source_step("finish"), FERRY_STEP_ERROR, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

/* The agent that described it, and told the destination, knew of no autostart. */
static void
test_finish_recalls_autostart(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_POST_MIGRATING, NULL);
    fake_domain_set_autostart(UUID, true);
    source_leave(self);
    fake_bus_refuse("kvm02", "post_live_migration_at_destination",
                    ferry_error_new(FERRY_ERROR_REMOTE, NULL, "unexpected argument"));
    fake_bus_answer("kvm02", "post_live_migration_at_destination",
                    json_pack("{s:s}", "status", "completed"));
    /* An older destination does not take the word. */
    assert_end(self, source_step("finish"), FERRY_STEP_DONE, NULL);
    g_assert_cmpuint(fake_bus_count("kvm02", "post_live_migration_at_destination"), ==, 2);
    assert_end(self, source_step("finish"), FERRY_STEP_DONE, NULL);

    g_autoptr(FerryJson) args = fake_bus_args("kvm02", "post_live_migration_at_destination");
    g_autoptr(FerryRecord) record = agent_record(&self->agent, MIGRATION, FERRY_ROLE_SOURCE);

    g_assert_true(ferry_json_get_bool(args, "autostart", false));
    g_assert_true(ferry_json_get_bool(record->instance_info, "autostart", false));
}

/* What nobody can tell any more is not assumed, and not written down. */
static void
test_finish_knows_no_autostart(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_POST_MIGRATING, NULL);
    fake_domain_set_autostart(UUID, true);
    fake_domain_set_persistent(UUID, false);
    fake_bus_answer("kvm02", "post_live_migration_at_destination",
                    json_pack("{s:s}", "status", "completed"));
    assert_end(self, source_step("finish"), FERRY_STEP_DONE, NULL);

    g_autoptr(FerryJson) args = fake_bus_args("kvm02", "post_live_migration_at_destination");
    const FerryRecord *record = ferry_migration_record(self->migration);

    g_assert_null(json_object_get(args, "autostart"));
    g_assert_null(json_object_get(record->instance_info, "autostart"));
}

/* --- what is left here ------------------------------------------------------------------------ */

static void
test_source_domain(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_POST_MIGRATING, NULL);
    source_leave(self);
    assert_end(self, source_step("source-domain"), FERRY_STEP_DONE, NULL);
    g_assert_false(fake_domain_exists(UUID));
}

static void
test_source_domain_stays(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_POST_MIGRATING, json_pack("{s:b}", "undefine_source", 0));
    source_leave(self);
    assert_end(self, source_step("source-domain"), FERRY_STEP_DONE, NULL);
    g_assert_true(fake_domain_exists(UUID));
}

static void
test_source_domain_that_runs(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_POST_MIGRATING, NULL);
    assert_end(self, source_step("source-domain"), FERRY_STEP_ERROR, NULL);
    g_assert_true(fake_domain_exists(UUID));
    g_assert_cmpint(fake_domain_state(UUID), ==, VIR_DOMAIN_RUNNING);
}

static void
part_with_disks(SourceFixture *self, const char *how)
{
    source_migration(self, FERRY_STATUS_POST_MIGRATING, json_pack("{s:s}", "source_disks", how));
    ferry_source_image_note_all(self->migration);
    source_leave(self);
    fake_domain_remove(UUID);
}

/* The report says once what is still here, and why. */
static void
assert_reported_kept(SourceFixture *self, const char *why)
{
    const json_t *report = ferry_migration_record(self->migration)->report;
    const json_t *kept = json_object_get(report, "kept");
    const json_t *one = json_array_get(kept, 0);

    g_assert_cmpuint(json_array_size(kept), ==, 1);
    g_assert_cmpstr(ferry_json_get_string(one, "path"), ==, self->path);
    g_assert_true(g_str_has_prefix(ferry_json_get_string(one, "why"), why));
}

static void
test_disks_are_kept(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    part_with_disks(self, "keep");
    assert_end(self, source_step("source-disks"), FERRY_STEP_DONE, NULL);

    g_autoptr(FerryLeftover) noted =
        ferry_journal_leftover_find(self->agent.agent.journal, self->path, UUID, &error);

    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
    g_assert_nonnull(noted);
    assert_end(self, source_step("source-disks"), FERRY_STEP_DONE, NULL);
    assert_reported_kept(self, "source_disks is keep");
}

static void
test_disks_are_deleted(SourceFixture *self, gconstpointer user_data)
{
    part_with_disks(self, "delete");
    assert_end(self, source_step("source-disks"), FERRY_STEP_DONE, NULL);
    g_assert_false(g_file_test(self->path, G_FILE_TEST_EXISTS));
    /* Once more, after a crash: it is gone, and that is well. */
    assert_end(self, source_step("source-disks"), FERRY_STEP_DONE, NULL);
}

/* Another file has got the name since: it stays, whatever was ordered. */
static void
test_disks_that_are_others_stay(SourceFixture *self, gconstpointer user_data)
{
    static const char *const orders[] = {"delete", "quarantine"};
    const char *how = orders[GPOINTER_TO_INT(user_data)];
    g_autoptr(GError) error = NULL;
    g_autofree char *other = g_strconcat(self->path, ".other", NULL);
    g_autofree char *content = NULL;

    part_with_disks(self, how);
    g_assert_true(g_file_set_contents(other, "a stranger's", -1, NULL));
    g_assert_cmpint(g_rename(other, self->path), ==, 0);
    assert_end(self, source_step("source-disks"), FERRY_STEP_ERROR, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_true(g_file_get_contents(self->path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "a stranger's");
}

/* A device has no file to know it by: LVM's UUID tells. */
static void
test_volume_by_its_uuid(SourceFixture *self, gconstpointer user_data)
{
    FerryJournal *journal = self->agent.agent.journal;
    g_autofree char *folder = agent_image(&self->agent, "vg");
    g_autofree char *path = g_build_filename(folder, "web", NULL);
    g_autoptr(virConnect) connection = agent_connect(&self->agent);
    g_autoptr(GError) why = NULL;
    const FerryDisk disk = {.source = path};

    g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
    fake_pool_add_typed("vg", "logical", folder);
    source_migration(self, FERRY_STATUS_POST_MIGRATING, NULL);
    g_assert_cmpint(ferry_source_volume_look(self->migration, connection, &disk, NULL), ==,
                    FERRY_OWN_FILE_GONE);
    fake_volume_add("vg", "web", "its-uuid", 8 * MIB);
    g_assert_cmpint(ferry_source_volume_look(self->migration, connection, &disk, NULL), ==,
                    FERRY_OWN_FILE_UNKNOWN);
    g_assert_true(ferry_journal_identity_put_text(journal, MIGRATION, path, "its-uuid", NULL));
    g_assert_cmpint(ferry_source_volume_look(self->migration, connection, &disk, NULL), ==,
                    FERRY_OWN_FILE_OURS);
    g_assert_true(ferry_journal_identity_put_text(journal, MIGRATION, path, "another", NULL));
    g_assert_cmpint(ferry_source_volume_look(self->migration, connection, &disk, &why), ==,
                    FERRY_OWN_FILE_FOREIGN);
    g_assert_error(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

/* An agent of before began: nothing proves whose it is, and the migration ends well. */
static void
test_disks_of_an_older_agent_stay(SourceFixture *self, gconstpointer user_data)
{
    source_migration(self, FERRY_STATUS_POST_MIGRATING,
                     json_pack("{s:s}", "source_disks", "delete"));
    source_leave(self);
    fake_domain_remove(UUID);
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*Nothing proves*");
    assert_end(self, source_step("source-disks"), FERRY_STEP_DONE, NULL);
    g_test_assert_expected_messages();
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
    assert_reported_kept(self, "Nothing proves");
}

static void
test_disks_in_use_stay(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = agent_domain_xml(self->path, "qcow2");
    g_auto(GStrv) parts = g_strsplit(xml, UUID, 2);
    g_autofree char *other = g_strjoinv(OTHER_UUID, parts);

    part_with_disks(self, "delete");
    fake_domain_add(other);
    assert_end(self, source_step("source-disks"), FERRY_STEP_ERROR, &error);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_true(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

static void
test_disks_in_quarantine(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    part_with_disks(self, "quarantine");
    assert_end(self, source_step("source-disks"), FERRY_STEP_DONE, NULL);

    g_autoptr(FerryJson) list = ferry_quarantine_list(&self->agent.agent, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(list), ==, 1);
    g_assert_false(g_file_test(self->path, G_FILE_TEST_EXISTS));
}

#define ADD(path, func)                                                                            \
    g_test_add("/source-steps/" path, SourceFixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("check/keeps-the-definition", test_check_keeps_the_definition);
    ADD("check/finds-snapshots", test_check_finds_snapshots);
    ADD("check/of-a-prepared-order", test_check_of_a_prepared_order);
    ADD("prepare/confirms", test_prepare_confirms);
    ADD("prepare/of-another-instance", test_prepare_of_another_instance);
    ADD("prepare/believes-the-destination", test_prepare_believes_the_destination);
    ADD("prepare/without-the-destination", test_prepare_without_the_destination);
    ADD("prepare/refuses-a-weaker-scheme", test_prepare_refuses_a_weaker_scheme);
    ADD("prepare/refuses-a-lossy-post-copy", test_prepare_refuses_a_lossy_post_copy);
    ADD("prepare/takes-too-long", test_prepare_takes_too_long);
    ADD("prepare/undone", test_prepare_undone);
    ADD("trim", test_trim);
    ADD("trim/that-fails", test_trim_that_fails);
    ADD("trim/without-an-order", test_no_trim);
    ADD("files-snapshot-seed/nothing-to-bring", test_nothing_to_bring);
    ADD("snapshot/hangs", test_snapshot_that_hangs);
    ADD("snapshot/onto-own-overlay", test_snapshot_onto_own_overlay);
    ADD("snapshot/own-overlay-is-refused", test_own_overlay_that_is_refused);
    ADD("snapshot/own-overlay-in-doubt", test_own_overlay_in_doubt);
    ADD("transfer/keeps-the-error", test_transfer_keeps_the_error);
    ADD("transfer/recalls-autostart", test_transfer_recalls_autostart);
    ADD("confirm", test_confirm);
    ADD("confirm/not-moved", test_confirm_not_moved);
    ADD("confirm/split-brain", test_confirm_split_brain);
    ADD("finish", test_finish);
    ADD("finish/gives-up", test_finish_gives_up);
    ADD("finish/recalls-autostart", test_finish_recalls_autostart);
    ADD("finish/knows-no-autostart", test_finish_knows_no_autostart);
    ADD("source-domain", test_source_domain);
    ADD("source-domain/stays", test_source_domain_stays);
    ADD("source-domain/that-runs", test_source_domain_that_runs);
    ADD("source-disks/kept", test_disks_are_kept);
    ADD("source-disks/deleted", test_disks_are_deleted);
    ADD("source-disks/volume-by-its-uuid", test_volume_by_its_uuid);
    g_test_add("/source-steps/source-disks/others-not-deleted", SourceFixture, GINT_TO_POINTER(0),
               set_up, test_disks_that_are_others_stay, tear_down);
    g_test_add("/source-steps/source-disks/others-not-held", SourceFixture, GINT_TO_POINTER(1),
               set_up, test_disks_that_are_others_stay, tear_down);
    ADD("source-disks/of-an-older-agent", test_disks_of_an_older_agent_stay);
    ADD("source-disks/in-use", test_disks_in_use_stay);
    ADD("source-disks/in-quarantine", test_disks_in_quarantine);
    return g_test_run();
}
