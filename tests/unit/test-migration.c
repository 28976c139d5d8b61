/* What is known of a live migration is kept once: each verb, and what record, snapshot and
 * journal show of it afterwards. */
#include "config.h"

#include "source/migration.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "scratch-folder.h"

#include <string.h>

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

typedef struct {
    char *folder;
    FerryConfig *config;
    FerryAgent agent;
    FerryMigration *migration;
} Fixture;

static void
take_up(Fixture *fixture, FerryRecord *record)
{
    g_autoptr(GError) error = NULL;
    FerryOrderOptions *options =
        ferry_order_options_parse(ferry_record_options(record), fixture->config, &error);

    g_assert_no_error(error);
    fixture->migration = ferry_migration_new(&fixture->agent, record, options);
}

static FerryRecord *
make_record(void)
{
    FerryRecord *record = ferry_record_new("m-1", FERRY_ROLE_SOURCE);

    record->instance_name = g_strdup("web-1");
    record->instance_uuid = g_strdup(UUID);
    record->source = g_strdup("kvm01");
    record->destination = g_strdup("kvm02");
    record->order = json_pack("{s:s, s:{s:s, s:{s:i}}}", "method", "live_migration", "args",
                              "instance", "web-1", "options", "bandwidth_mib_s", 7);
    return record;
}

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    const char *const no_files[] = {NULL};
    g_autoptr(GError) error = NULL;
    FerryRecord *record = make_record();

    fixture->folder = ferry_scratch_make();
    fixture->config = ferry_config_load(no_files, &error);
    g_assert_no_error(error);
    fixture->config->notifications = false;
    fixture->agent.config = fixture->config;
    fixture->agent.journal = ferry_journal_open(fixture->folder, &error);
    g_assert_no_error(error);
    g_assert_true(ferry_journal_add(fixture->agent.journal, record, &error));
    take_up(fixture, record);
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    ferry_migration_unref(fixture->migration);
    ferry_journal_close(fixture->agent.journal);
    ferry_config_free(fixture->config);
    ferry_scratch_remove(fixture->folder);
}

static FerryRecord *
journaled(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    FerryRecord *record =
        ferry_journal_get(fixture->agent.journal, "m-1", FERRY_ROLE_SOURCE, &error);

    g_assert_no_error(error);
    return record;
}

/* Another life of the agent knows what the journal knows. */
static void
restart(Fixture *fixture)
{
    ferry_migration_unref(fixture->migration);
    take_up(fixture, journaled(fixture));
}

static const FerryRecord *
record_of(Fixture *fixture)
{
    return ferry_migration_record(fixture->migration);
}

static FerryInstance *
make_instance(void)
{
    FerryInstance *instance = ferry_instance_new();
    FerryDisk *disk = ferry_disk_new();

    instance->name = g_strdup("web-1");
    instance->uuid = g_strdup(UUID);
    instance->state = g_strdup("running");
    disk->device = g_strdup("disk");
    disk->type = g_strdup("file");
    disk->target = g_strdup("vda");
    disk->source = g_strdup("/images/web-1.raw");
    disk->format = g_strdup("raw");
    disk->migrate = true;
    disk->seeded = true;
    disk->chain_told = true;
    g_ptr_array_add(instance->disks, disk);
    ferry_instance_add_obstacle(instance, "tpm", "it has one", "take it away");
    return instance;
}

/* --- the instance ----------------------------------------------------------------------------- */

/* Record and struct say the same, whoever asks. */
static void
assert_one_instance(Fixture *fixture, bool seeded)
{
    const FerryInstance *instance = ferry_migration_instance(fixture->migration);
    const FerryDisk *disk = ferry_instance_find_disk(instance, "vda");
    g_autoptr(FerryJson) told = ferry_instance_to_json(instance);
    g_autoptr(FerryRecord) snapshot = ferry_migration_snapshot(fixture->migration);

    g_assert_cmpint(disk->seeded, ==, seeded);
    g_assert_true(json_equal(record_of(fixture)->instance_info, told));
    g_assert_true(json_equal(snapshot->instance_info, told));
}

static void
test_not_described(Fixture *fixture, gconstpointer user_data)
{
    g_assert_null(ferry_migration_instance(fixture->migration));
    g_assert_null(record_of(fixture)->instance_info);
    g_assert_false(ferry_migration_is_shut_off(fixture->migration));
}

static void
test_instance(Fixture *fixture, gconstpointer user_data)
{
    FerryInstance *instance = make_instance();
    FerryInstance *later = make_instance();

    ferry_migration_set_instance(fixture->migration, instance);
    g_assert_true(ferry_migration_instance(fixture->migration) == instance);
    assert_one_instance(fixture, true);
    g_assert_false(ferry_migration_is_shut_off(fixture->migration));

    g_free(later->state);
    later->state = g_strdup("shutoff");
    ferry_migration_set_instance(fixture->migration, later);
    g_assert_true(ferry_migration_instance(fixture->migration) == later);
    assert_one_instance(fixture, true);
    g_assert_true(ferry_migration_is_shut_off(fixture->migration));
}

static void
test_instance_after_restart(Fixture *fixture, gconstpointer user_data)
{
    const FerryInstance *instance = NULL;

    ferry_migration_set_instance(fixture->migration, make_instance());
    ferry_migration_save(fixture->migration);
    restart(fixture);
    assert_one_instance(fixture, true);
    instance = ferry_migration_instance(fixture->migration);
    /* Of the step that describes it alone, as migration.h says. */
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_false(ferry_instance_find_disk(instance, "vda")->chain_told);
}

static void
test_seeds_are_avoided(Fixture *fixture, gconstpointer user_data)
{
    const FerryInstance *instance = NULL;

    ferry_migration_set_instance(fixture->migration, make_instance());
    ferry_migration_avoid_seeds(fixture->migration, "not reached");
    assert_one_instance(fixture, false);
    instance = ferry_migration_instance(fixture->migration);
    g_assert_cmpstr(ferry_instance_find_disk(instance, "vda")->strategy_why, ==, "not reached");
    /* Nothing is lost on the way, as it was when the JSON was read again. */
    g_assert_cmpuint(instance->obstacles->len, ==, 1);
    g_assert_true(ferry_instance_find_disk(instance, "vda")->chain_told);
}

static void
test_volumes_are_adopted(Fixture *fixture, gconstpointer user_data)
{
    ferry_migration_set_instance(fixture->migration, make_instance());
    g_autoptr(GError) error = NULL;
    bool taken = ferry_migration_set_migrate_data(
        fixture->migration,
        json_pack("{s:[{s:s, s:b}]}", "volumes", "target", "vda", "seeded", false), &error);

    g_assert_no_error(error);
    g_assert_true(taken);
    ferry_migration_adopt_volumes(fixture->migration);
    assert_one_instance(fixture, false);
    ferry_migration_save(fixture->migration);
    restart(fixture);
    assert_one_instance(fixture, false);
}

/* --- what else is known ----------------------------------------------------------------------- */

static void
test_migrate_data(Fixture *fixture, gconstpointer user_data)
{
    FerryFileCarrier carrier = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(ferry_migration_set_migrate_data(fixture->migration,
                                                    json_pack("{s:i}", "libvirt_uri", 7), &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    g_assert_null(ferry_migration_migrate_data(fixture->migration));
    g_clear_error(&error);
    g_assert_true(ferry_migration_set_migrate_data(
        fixture->migration, json_pack("{s:s}", "libvirt_uri", "qemu+tls://kvm02/system"), &error));
    carrier = ferry_migration_file_carrier(fixture->migration);
    g_assert_cmpstr(carrier.migration_id, ==, "m-1");
    g_assert_cmpstr(carrier.destination, ==, "kvm02");
    g_assert_cmpstr(carrier.libvirt_uri, ==, "qemu+tls://kvm02/system");
    g_assert_cmpuint(ferry_rate_get(carrier.rate), ==, 7);
    g_assert_true(carrier.cancellable == ferry_migration_cancellable(fixture->migration));
}

static void
test_error(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, "do this", "it broke");
    const json_t *told = NULL;

    ferry_migration_set_error(fixture->migration, error);
    told = record_of(fixture)->error;
    g_assert_cmpstr(ferry_json_get_string(told, "message"), ==, "it broke");
    g_assert_cmpstr(ferry_json_get_string(told, "hint"), ==, "do this");
    ferry_migration_set_error(fixture->migration, NULL);
    g_assert_null(record_of(fixture)->error);
}

static void
test_report(Fixture *fixture, gconstpointer user_data)
{
    const json_t *report = NULL;

    ferry_migration_add_report(fixture->migration, json_pack("{s:i, s:i}", "files", 1, "trim", 2));
    ferry_migration_add_report(fixture->migration, json_pack("{s:i, s:i}", "trim", 3, "moved", 4));
    report = record_of(fixture)->report;
    g_assert_cmpint(ferry_json_get_int(report, "files", 0), ==, 1);
    g_assert_cmpint(ferry_json_get_int(report, "trim", 0), ==, 3);
    g_assert_cmpint(ferry_json_get_int(report, "moved", 0), ==, 4);
    ferry_migration_set_report(fixture->migration, json_pack("{s:i}", "total_ms", 5));
    report = record_of(fixture)->report;
    g_assert_cmpuint(json_object_size(report), ==, 1);
    g_assert_cmpint(ferry_json_get_int(report, "total_ms", 0), ==, 5);
}

/* Whoever holds one reads it while the saga goes on. */
static void
test_snapshot_is_a_copy(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, NULL, "it broke");
    g_autoptr(FerryRecord) before = NULL;

    ferry_migration_add_report(fixture->migration, json_pack("{s:i}", "files", 1));
    before = ferry_migration_snapshot(fixture->migration);
    ferry_migration_add_report(fixture->migration, json_pack("{s:i}", "trim", 2));
    ferry_migration_set_error(fixture->migration, error);
    ferry_migration_set_instance(fixture->migration, make_instance());
    g_assert_cmpuint(json_object_size(before->report), ==, 1);
    g_assert_null(before->error);
    g_assert_null(before->instance_info);
    g_assert_cmpuint(json_object_size(record_of(fixture)->report), ==, 2);
}

static gint64
journaled_percent(Fixture *fixture)
{
    g_autoptr(FerryRecord) record = journaled(fixture);

    return ferry_json_get_int(record->progress, "percent", -1);
}

static void
report_percent(Fixture *fixture, int percent, int elapsed_ms)
{
    ferry_migration_report_progress(
        fixture->migration, json_pack("{s:i, s:i}", "percent", percent, "elapsed_ms", elapsed_ms));
}

/* Each percent is journaled, and no look that brought none. */
static void
test_progress(Fixture *fixture, gconstpointer user_data)
{
    report_percent(fixture, 0, 100);
    g_assert_cmpint(journaled_percent(fixture), ==, -1);
    report_percent(fixture, 10, 200);
    g_assert_cmpint(journaled_percent(fixture), ==, 10);
    report_percent(fixture, 10, 300);

    g_autoptr(FerryRecord) record = journaled(fixture);

    g_assert_cmpint(ferry_json_get_int(record->progress, "elapsed_ms", -1), ==, 200);
    g_assert_cmpint(ferry_json_get_int(record_of(fixture)->progress, "elapsed_ms", -1), ==, 300);
    report_percent(fixture, 20, 400);
    g_assert_cmpint(journaled_percent(fixture), ==, 20);
}

/* What has not begun can be forced later; what has been aborted cannot. */
static void
test_forced_too_early(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) early = NULL;
    g_autoptr(GError) late = NULL;
    const char *action = NULL;

    g_assert_true(ferry_migration_enter(fixture->migration, FERRY_STATUS_QUEUED, NULL));
    g_assert_false(ferry_migration_request_force(fixture->migration, &action, &early));
    g_assert_error(early, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    g_assert_nonnull(strstr(early->message, "forced to complete yet: it waits for others"));
    g_assert_true(ferry_migration_request_abort(fixture->migration, NULL));
    g_assert_false(ferry_migration_request_force(fixture->migration, &action, &late));
    g_assert_nonnull(strstr(late->message, "forced to complete any more"));
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/migration/not-described", test_not_described);
    ADD("/migration/instance", test_instance);
    ADD("/migration/instance-after-restart", test_instance_after_restart);
    ADD("/migration/seeds-are-avoided", test_seeds_are_avoided);
    ADD("/migration/volumes-are-adopted", test_volumes_are_adopted);
    ADD("/migration/migrate-data", test_migrate_data);
    ADD("/migration/error", test_error);
    ADD("/migration/report", test_report);
    ADD("/migration/forced-too-early", test_forced_too_early);
    ADD("/migration/snapshot-is-a-copy", test_snapshot_is_a_copy);
    ADD("/migration/progress", test_progress);
    return g_test_run();
}
