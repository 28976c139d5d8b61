/* The report of an ended migration; when a post-copy may be resumed; a transfer without a guest. */
#include "config.h"

#include "source/report.h"

#include "ferry/json.h"
#include "files/digests.h"
#include "source-fixture.h"
#include "source/cold-transfer.h"
#include "source/post-copy.h"

#include <string.h>

/* --- the report ------------------------------------------------------------------------------- */

static json_t *
make_report(SourceFixture *self, json_t *before)
{
    g_autoptr(FerryInstance) instance = agent_instance(self->path, "qcow2", "running");
    g_autoptr(FerryRecord) record = ferry_record_new(MIGRATION, FERRY_ROLE_SOURCE);
    g_autoptr(FerryJson) steps = json_array();

    record->report = before;
    record->created_us = g_get_real_time() - 5 * G_USEC_PER_SEC;
    return ferry_source_report_make(record, instance, steps);
}

static json_t *
arrival(int downtime_ms)
{
    return json_pack("{s:i, s:[{s:s, s:s, s:s, s:i}]}", "downtime_ms", downtime_ms, "disks",
                     "target", "vda", "path", "/srv/web.raw", "format", "raw", "allocation_bytes",
                     4096);
}

static void
test_report(SourceFixture *self, gconstpointer user_data)
{
    FerryTransferResult result = {.moved_bytes = 1000,
                                  .disk_ms = 20,
                                  .memory_ms = 30,
                                  .summary = {.valid = true, .downtime_ms = 44}};
    json_t *before = ferry_source_report_transfer(&result);

    json_object_set_new(before, "arrival", arrival(99));

    g_autoptr(FerryJson) report = make_report(self, before);
    const json_t *disk = json_array_get(json_object_get(report, "disks"), 0);

    /* Both sides measured it; the source's is the whole of it. */
    g_assert_cmpint(ferry_json_get_int(report, "downtime_ms", 0), ==, 44);
    g_assert_cmpint(ferry_json_get_int(report, "moved_bytes", 0), ==, 1000);
    g_assert_cmpint(ferry_json_get_int(report, "disk_phase_ms", 0), ==, 20);
    g_assert_cmpint(ferry_json_get_int(report, "memory_phase_ms", 0), ==, 30);
    g_assert_cmpint(ferry_json_get_int(report, "total_ms", 0), >=, 5000);
    g_assert_cmpstr(ferry_json_get_string(disk, "destination_path"), ==, "/srv/web.raw");
    g_assert_cmpstr(ferry_json_get_string(disk, "destination_format"), ==, "raw");
    g_assert_cmpint(ferry_json_get_int(disk, "allocation_after_bytes", 0), ==, 4096);
    g_assert_null(json_object_get(report, "arrival"));
}

/* The source's agent was not there to hear it. */
static void
test_downtime_of_the_destination(SourceFixture *self, gconstpointer user_data)
{
    FerryTransferResult result = {0};
    json_t *before = ferry_source_report_transfer(&result);

    json_object_set_new(before, "arrival", arrival(99));

    g_autoptr(FerryJson) report = make_report(self, before);

    g_assert_cmpint(ferry_json_get_int(report, "downtime_ms", 0), ==, 99);
}

/* --- a post-copy that broke off --------------------------------------------------------------- */

static void
test_resumable(SourceFixture *self, gconstpointer user_data)
{
    FerryConfirmation seen = {.source = FERRY_OBSERVED_POSTCOPY_FAILED,
                              .destination = FERRY_OBSERVED_POSTCOPY_FAILED};

    g_assert_true(ferry_post_copy_can_be_resumed(&seen));
    /* While one side does not know, its connection may still live. */
    seen.source = FERRY_OBSERVED_POSTCOPY;
    g_assert_false(ferry_post_copy_can_be_resumed(&seen));
    seen.source = FERRY_OBSERVED_POSTCOPY_FAILED;
    seen.destination = FERRY_OBSERVED_RUNNING;
    g_assert_false(ferry_post_copy_can_be_resumed(&seen));
}

static json_t *
far_libvirt(const char *version, const char *since)
{
    return json_pack("{s:s, s:s}", "libvirt_version", version, "libvirt_since", since);
}

static void
break_post_copy(SourceFixture *self)
{
    self->agent.config->live_migration_permit_post_copy = true;
    source_migration(self, FERRY_STATUS_RUNNING, json_pack("{s:b}", "post_copy", 1));
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);
}

/* It is known not to survive it: nothing is tried, and the version is said. */
static void
test_resume_known_to_kill(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    break_post_copy(self);
    fake_bus_answer("kvm02", "ping", far_libvirt("11.3.0", "one"));
    g_assert_false(ferry_post_copy_resume(self->migration, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_OUTCOME_UNKNOWN);
    g_assert_nonnull(strstr(error->message, "libvirt 11.3.0"));
    g_assert_cmphex(fake_migration_flags() & VIR_MIGRATE_POSTCOPY_RESUME, ==, 0);
}

/* Another one that dies of it does so twice, not for ever; updated it has another chance. */
static void
test_resume_kills_twice(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    break_post_copy(self);
    for (guint i = 0; i < 2; i++) {
        g_autofree char *before = g_strdup_printf("life %u", i);
        g_autofree char *after = g_strdup_printf("life %u", i + 1);

        fake_bus_forget("kvm02", "ping");
        fake_bus_answer("kvm02", "ping", far_libvirt("10.5.0", before));
        fake_bus_answer("kvm02", "ping", far_libvirt("10.5.0", after));
        g_assert_true(ferry_post_copy_resume(self->migration, &error));
        g_assert_no_error(error);
    }
    g_assert_false(ferry_post_copy_resume(self->migration, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
    g_assert_nonnull(strstr(error->message, "libvirt 10.5.0 on 'kvm02'"));
    g_clear_error(&error);
    fake_bus_forget("kvm02", "ping");
    fake_bus_answer("kvm02", "ping", far_libvirt("11.4.0", "new"));
    g_assert_true(ferry_post_copy_resume(self->migration, &error));
    g_assert_no_error(error);
}

static void
test_resume(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    self->agent.config->live_migration_permit_post_copy = true;
    source_migration(self, FERRY_STATUS_RUNNING, json_pack("{s:b}", "post_copy", 1));
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);
    fake_bus_answer("kvm02", "ping", far_libvirt("9.0.0", "one"));
    g_assert_true(ferry_post_copy_resume(self->migration, &error));
    g_assert_no_error(error);
    g_assert_cmphex(fake_migration_flags() & VIR_MIGRATE_POSTCOPY_RESUME, !=, 0);
}

/* --- one that does not run -------------------------------------------------------------------- */

static void
shut_off(SourceFixture *self)
{
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
    self->agent.agent.digests = ferry_digests_new(self->agent.agent.journal, self->agent.agent.virt,
                                                  self->agent.agent.stopping);
    source_migration(self, FERRY_STATUS_ACCEPTED, NULL);

    g_autoptr(FerryJson) info = agent_instance_info(self->path, "qcow2", "shutoff");
    g_autoptr(GError) error = NULL;
    FerryInstance *instance = ferry_instance_from_json(info, &error);

    g_assert_no_error(error);
    ferry_migration_set_instance(self->migration, instance);
    g_assert_true(
        ferry_migration_set_migrate_data(self->migration, source_migrate_data(self), &error));
}

static void
end_digests(SourceFixture *self)
{
    g_cancellable_cancel(self->agent.agent.stopping);
    ferry_digests_free(self->agent.agent.digests);
}

/* The destination has the file already; the definition goes last, from libvirtd to libvirtd. */
static void
test_cold(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryTransferResult) result = {0};

    shut_off(self);
    fake_bus_answer("kvm02", "prepare_file", json_pack("{s:s}", "state", "present"));
    g_assert_true(ferry_cold_transfer_run(self->migration, false, &result, &error));
    g_assert_no_error(error);
    g_assert_null(result.error);
    g_assert_cmphex(fake_migration_flags(), ==,
                    VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST);
    /* The source keeps its own until the outcome. */
    g_assert_true(fake_domain_exists(UUID));
    end_digests(self);
}

static void
start_it(gpointer data)
{
    fake_domain_set_state(UUID, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
}

/* Somebody starts it while its files are carried: nothing is defined over there. */
static void
test_cold_is_started(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryTransferResult) result = {0};

    shut_off(self);
    fake_bus_hook("prepare_file", start_it, NULL);
    fake_bus_answer("kvm02", "prepare_file", json_pack("{s:s}", "state", "present"));
    g_assert_false(ferry_cold_transfer_run(self->migration, false, &result, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSTANCE_INVALID_STATE);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
    end_digests(self);
}

static void
write_to_it(gpointer data)
{
    agent_write_raw(data, 3 * MIB);
}

/* Started and stopped again it looks as before, but for what it wrote. */
static void
test_cold_is_written_to(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryTransferResult) result = {0};

    shut_off(self);
    fake_bus_hook("prepare_file", write_to_it, self->path);
    fake_bus_answer("kvm02", "prepare_file", json_pack("{s:s}", "state", "present"));
    g_assert_false(ferry_cold_transfer_run(self->migration, false, &result, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSTANCE_INVALID_STATE);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
    end_digests(self);
}

/* An earlier life of the agent had it defined there: that is the end of it. */
static void
test_cold_again(SourceFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryTransferResult) result = {0};

    shut_off(self);
    fake_bus_observe("kvm02", "shut-off");
    g_assert_true(ferry_cold_transfer_run(self->migration, true, &result, &error));
    g_assert_cmpuint(fake_bus_count("kvm02", "prepare_file"), ==, 0);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 0);
    end_digests(self);
}

#define ADD(path, func) SOURCE_ADD(path, func)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("/source-report/report", test_report);
    ADD("/source-report/downtime-of-the-destination", test_downtime_of_the_destination);
    ADD("/post-copy/resumable", test_resumable);
    ADD("/post-copy/resume", test_resume);
    ADD("/post-copy/resume-known-to-kill", test_resume_known_to_kill);
    ADD("/post-copy/resume-kills-twice", test_resume_kills_twice);
    ADD("/cold-transfer/run", test_cold);
    ADD("/cold-transfer/is-started", test_cold_is_started);
    ADD("/cold-transfer/is-written-to", test_cold_is_written_to);
    ADD("/cold-transfer/again", test_cold_again);
    return g_test_run();
}
