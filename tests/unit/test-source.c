/* Whole journeys of a source, from the order to the record's end: every step of its saga, with the
 * stand-ins for libvirt and for the destination's agent. */
#include "config.h"

#include "source/source.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "source-fixture.h"
#include "source/steps/table.h"
#include "storage/quarantine.h"

#include <string.h>

#define AWAIT_US (20 * G_USEC_PER_SEC)
#define DETACH_MS 5000

typedef struct {
    SourceFixture source;
    FerryResolver *resolver;
    FerrySource *orders;
    guint answers;
    FerryStatus answered; /* with the last of them */
} Fixture;

static void
start_agent(Fixture *self)
{
    self->resolver = ferry_resolver_new(&self->source.agent.agent, &ferry_source_saga);
    self->orders = ferry_source_new(&self->source.agent.agent, &ferry_source_saga, self->resolver);
}

static void
stop_agent(Fixture *self)
{
    g_assert_true(ferry_scheduler_detach(ferry_source_scheduler(self->orders), DETACH_MS));
    ferry_source_free(self->orders);
    ferry_resolver_free(self->resolver);
}

static void
set_up(Fixture *self, gconstpointer user_data)
{
    source_set_up(&self->source, user_data);
    self->source.agent.agent.quarantine = ferry_quarantine_new(&self->source.agent.agent);
    start_agent(self);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    g_cancellable_cancel(self->source.agent.agent.stopping);
    stop_agent(self);
    ferry_quarantine_free(self->source.agent.agent.quarantine);
    source_tear_down(&self->source, user_data);
}

/* --- the other host --------------------------------------------------------------------------- */

/* The first call of it is the rehearsal. */
static void
show_running(gpointer data)
{
    if (fake_call_count("virDomainMigrateToURI3") > 1)
        fake_bus_observe("kvm02", "running");
}

/* A kvm02 where all goes well: it can, it prepares, it shows the instance once it was sent. */
static void
answer_well(Fixture *self)
{
    fake_bus_answer("kvm02", "check_can_live_migrate_destination",
                    json_pack("{s:b, s:[], s:n}", "compatible", 1, "checks", "dest_check_data"));
    fake_bus_answer("kvm02", "pre_live_migration", source_migrate_data(&self->source));
    fake_bus_answer("kvm02", "rollback_live_migration_at_destination",
                    json_pack("{s:s, s:[], s:[]}", "status", "rolled-back", "removed", "kept"));
    fake_bus_answer("kvm02", "post_live_migration_at_destination",
                    json_pack("{s:s, s:s, s:i, s:[]}", "status", "completed", "instance_state",
                              "running", "downtime_ms", 33, "disks"));
    fake_bus_observe("kvm02", NULL);
    fake_call_hook("virDomainMigrateToURI3", show_running, NULL);
}

/* The rehearsal is answered as ever. */
static void
fail_transfer(void)
{
    fake_bus_observe("kvm02", NULL);
    fake_call_hook("virDomainMigrateToURI3", NULL, NULL);
    fake_call_fail("virDomainMigrateToURI3", VIR_ERR_OPERATION_FAILED,
                   "Failed to connect socket to '/proc/no-libvirt'");
    fake_call_fail("virDomainMigrateToURI3", VIR_ERR_OPERATION_FAILED, "QEMU said no");
}

/* --- orders and ends -------------------------------------------------------------------------- */

static json_t *
new_order(const char *host, json_t *options)
{
    return json_pack("{s:s, s:{s:s, s:s, s:o}}", "method", "live_migrate_instance", "args",
                     "instance", "web-1", "host", host, "options",
                     options ? options : json_object());
}

static void
take_answer(const char *migration_id, FerryStatus status, gpointer data)
{
    Fixture *self = data;

    g_assert_cmpstr(migration_id, ==, MIGRATION);
    self->answers++;
    self->answered = status;
}

static bool
send_order(Fixture *self, const char *host, json_t *options, GError **error)
{
    g_autoptr(FerryJson) order = new_order(host, options);
    g_autoptr(FerryMigrationRequest) request =
        ferry_migration_request_read(MIGRATION, FERRY_MIGRATION_REQUEST_WHOLE, order, error);

    return request && ferry_source_order(self->orders, request, take_answer, self, error);
}

static void
send(Fixture *self, json_t *options)
{
    g_autoptr(GError) error = NULL;
    bool stands = send_order(self, "kvm02", options, &error);

    g_assert_no_error(error);
    g_assert_true(stands);
}

/* Returns: (transfer full): the record once it has ended. */
static FerryRecord *
await_end(Fixture *self)
{
    gint64 deadline = g_get_monotonic_time() + AWAIT_US;

    for (;;) {
        g_autoptr(FerryRecord) record =
            agent_record(&self->source.agent, MIGRATION, FERRY_ROLE_SOURCE);

        if (ferry_status_is_terminal(record->status))
            return g_steal_pointer(&record);
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        g_usleep(5000);
    }
}

static void
assert_end(const FerryRecord *record, const char *status, const char *code)
{
    const char *message = ferry_json_get_string(record->error, "message");

    if (g_strcmp0(ferry_status_to_string(record->status), status) != 0)
        g_error("It is %s, not %s: %s", ferry_status_to_string(record->status), status, message);
    g_assert_cmpstr(ferry_json_get_string(record->error, "code"), ==, code);
}

static char *
list_steps(Fixture *self)
{
    g_autoptr(FerryJson) steps =
        ferry_journal_steps(self->source.agent.agent.journal, MIGRATION, FERRY_ROLE_SOURCE);
    GString *list = g_string_new(NULL);

    for (gsize i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);

        g_string_append_printf(list, "%s:%s ", ferry_json_get_string(step, "name"),
                               ferry_json_get_string(step, "state"));
    }
    return g_string_free(list, FALSE);
}

/* --- journeys --------------------------------------------------------------------------------- */

static void
test_completed(Fixture *self, gconstpointer user_data)
{
    answer_well(self);
    send(self, NULL);

    g_autoptr(FerryRecord) record = await_end(self);
    g_autofree char *steps = list_steps(self);
    g_autoptr(FerryJson) asked = fake_bus_args("kvm02", "pre_live_migration");
    const json_t *disk = json_array_get(json_object_get(record->report, "disks"), 0);

    assert_end(record, "completed", NULL);
    g_assert_cmpuint(self->answers, ==, 1);
    g_assert_cmpstr(steps, ==,
                    "check:done prepare:done files:done trim:done snapshot:done seed:done "
                    "transfer:done confirm:done finish:done source-domain:done "
                    "source-disks:done ");
    g_assert_cmpstr(ferry_json_get_string(asked, "migration_id"), ==, MIGRATION);
    g_assert_cmpstr(ferry_json_get_string(json_object_get(asked, "instance_info"), "name"), ==,
                    "web-1");
    g_assert_cmpint(ferry_json_get_int(record->report, "downtime_ms", 0), ==, 33);
    g_assert_cmpstr(ferry_json_get_string(disk, "target"), ==, "vda");
    g_assert_false(fake_domain_exists(UUID));
    g_assert_cmpuint(fake_bus_count("kvm02", "rollback_live_migration_at_destination"), ==, 0);
}

static void
test_check_fails_there(Fixture *self, gconstpointer user_data)
{
    answer_well(self);
    fake_bus_forget("kvm02", "check_can_live_migrate_destination");
    fake_bus_answer("kvm02", "check_can_live_migrate_destination",
                    json_pack("{s:b, s:[{s:s, s:s, s:s}], s:n}", "compatible", 0, "checks", "name",
                              "memory", "result", "fail", "message", "No memory",
                              "dest_check_data"));
    send(self, NULL);

    g_autoptr(FerryRecord) record = await_end(self);

    assert_end(record, "failed", "MigrationPreCheckError");
    g_assert_cmpuint(fake_bus_count("kvm02", "pre_live_migration"), ==, 0);
    /* The rehearsal, which touches nothing. */
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 1);
}

static void
test_nobody_there(Fixture *self, gconstpointer user_data)
{
    send(self, NULL);

    g_autoptr(FerryRecord) record = await_end(self);

    assert_end(record, "failed", "DestinationUnreachable");
    g_assert_cmpint(fake_domain_state(UUID), ==, VIR_DOMAIN_RUNNING);
}

/* libvirt says no, the instance is still here: the destination is rolled back. */
static void
test_transfer_fails(Fixture *self, gconstpointer user_data)
{
    answer_well(self);
    fail_transfer();
    send(self, NULL);

    g_autoptr(FerryRecord) record = await_end(self);

    assert_end(record, "failed", "MigrationError");
    g_assert_nonnull(strstr(ferry_json_get_string(record->error, "message"), "QEMU said no"));
    g_assert_cmpuint(fake_bus_count("kvm02", "rollback_live_migration_at_destination"), ==, 1);
    g_assert_true(fake_domain_exists(UUID));
}

/* The roll-back did not come through: a person, or the resolver, has to see to it. */
static void
test_roll_back_fails(Fixture *self, gconstpointer user_data)
{
    answer_well(self);
    fake_bus_forget("kvm02", "rollback_live_migration_at_destination");
    fake_bus_answer("kvm02", "rollback_live_migration_at_destination",
                    json_pack("{s:s, s:[], s:[{s:s}]}", "status", "error", "removed", "kept",
                              "kind", "volume"));
    fail_transfer();
    send(self, NULL);

    g_autoptr(FerryRecord) record = await_end(self);

    assert_end(record, "error", "MigrationError");
}

static void
test_abort(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    answer_well(self);
    fake_bus_block("pre_live_migration");
    send(self, NULL);
    while (fake_bus_count("kvm02", "pre_live_migration") == 0)
        g_usleep(5000);

    g_autoptr(FerryJson) answer = ferry_source_abort(self->orders, MIGRATION, &error);
    g_autoptr(FerryRecord) record = await_end(self);

    g_assert_no_error(error);
    assert_end(record, "cancelled", NULL);
    g_assert_cmpuint(fake_bus_count("kvm02", "rollback_live_migration_at_destination"), ==, 1);
    g_assert_true(fake_domain_exists(UUID));
}

/* The agent stops in the middle of the transfer; its next life watches it to its end. */
static void
test_restart(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    answer_well(self);
    send(self, json_pack("{s:s}", "source_disks", "keep"));
    fake_migration_hold();
    fake_call_await("virDomainMigrateToURI3", 2);
    fake_call_await("virDomainGetJobStats", 2);
    stop_agent(self);
    agent_reopen_journal(&self->source.agent);
    start_agent(self);
    g_assert_true(ferry_source_recover(self->orders, &error));
    g_assert_no_error(error);
    fake_call_await("virDomainGetJobStats", fake_call_count("virDomainGetJobStats") + 2);
    fake_migration_end(VIR_ERR_OK, NULL);

    g_autoptr(FerryRecord) record = await_end(self);

    assert_end(record, "completed", NULL);
    g_assert_cmpuint(fake_bus_count("kvm02", "pre_live_migration"), ==, 1);
    g_assert_cmpuint(fake_call_count("virDomainMigrateToURI3"), ==, 2);
}

/* --- the order itself ------------------------------------------------------------------------- */

static void
test_repeated_order(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    answer_well(self);
    send(self, NULL);

    g_autoptr(FerryRecord) record = await_end(self);
    bool stands = send_order(self, "kvm02", NULL, &error);

    g_assert_no_error(error);
    g_assert_true(stands);
    g_assert_cmpint(self->answered, ==, FERRY_STATUS_COMPLETED);
    g_assert_cmpuint(self->answers, ==, 2);
    g_assert_false(send_order(self, "kvm03", NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
}

static void
assert_refused(Fixture *self, const char *host, FerryErrorCode code)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(send_order(self, host, NULL, &error));
    g_assert_error(error, FERRY_ERROR, (gint)code);
    g_assert_cmpuint(self->answers, ==, 0);
}

static void
test_refused_orders(Fixture *self, gconstpointer user_data)
{
    assert_refused(self, "kvm01", FERRY_ERROR_DESTINATION_NOT_ALLOWED);
    g_strfreev(self->source.agent.config->allowed_destinations);
    self->source.agent.config->allowed_destinations = g_strsplit("kvm0[34]", ",", -1);
    assert_refused(self, "kvm02", FERRY_ERROR_DESTINATION_NOT_ALLOWED);
    g_strfreev(self->source.agent.config->allowed_destinations);
    self->source.agent.config->allowed_destinations = g_strsplit("*", ",", -1);
    fake_domain_remove(UUID);
    fake_connections_drop();
    assert_refused(self, "kvm02", FERRY_ERROR_INSTANCE_NOT_FOUND);
}

/* The answer names the host that was asked: orders go to many. */
static void
test_no_such_instance(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) ordered = NULL;
    g_autoptr(GError) checked = NULL;

    fake_domain_remove(UUID);
    fake_connections_drop();
    g_assert_false(send_order(self, "kvm02", NULL, &ordered));
    g_assert_cmpstr(ordered->message, ==, "'kvm01' has no instance 'web-1'");
    g_assert_cmpstr(ferry_error_hint(ordered), ==, "describe_host names the instances of a host");
    g_assert_null(ferry_source_check(self->orders, "web-1", NULL, NULL, &checked));
    g_assert_error(checked, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND);
    g_assert_cmpstr(checked->message, ==, ordered->message);
}

static void
assert_asked_for_post_copy(const char *method, bool asked)
{
    g_autoptr(FerryJson) args = fake_bus_args("kvm02", method);

    g_assert_true(ferry_json_get_bool(json_object_get(args, "options"), "post_copy", false) ==
                  asked);
    g_assert_null(json_object_get(json_object_get(args, "options"), "policy"));
}

/* Its ban is asked for before anything is begun, also where the order names no policy. */
static void
test_post_copy_by_default_policy(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    FerryConfig *config = self->source.agent.config;

    config->live_migration_permit_post_copy = true;
    answer_well(self);

    g_autoptr(FerryJson) unsaid = ferry_source_check(self->orders, "web-1", "kvm02", NULL, &error);

    g_assert_nonnull(unsaid);
    assert_asked_for_post_copy("check_can_live_migrate_destination", false);
    g_free(config->policy);
    config->policy = g_strdup("post-copy");

    g_autoptr(FerryJson) said = ferry_source_check(self->orders, "web-1", "kvm02", NULL, &error);

    g_assert_nonnull(said);
    assert_asked_for_post_copy("check_can_live_migrate_destination", true);
    send(self, NULL);

    g_autoptr(FerryRecord) record = await_end(self);

    assert_end(record, "completed", NULL);
    assert_asked_for_post_copy("check_can_live_migrate_destination", true);
    assert_asked_for_post_copy("pre_live_migration", true);
}

static void
test_check(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    answer_well(self);

    g_autoptr(FerryJson) alone = ferry_source_check(self->orders, "web-1", NULL, NULL, &error);
    g_autoptr(FerryJson) both = ferry_source_check(self->orders, "web-1", "kvm02", NULL, &error);
    g_autoptr(FerryJson) none = ferry_source_check(self->orders, "web-1", "kvm09", NULL, &error);

    g_assert_no_error(error);
    g_assert_true(ferry_json_get_bool(alone, "compatible", false));
    g_assert_true(ferry_json_get_bool(both, "compatible", false));
    g_assert_nonnull(json_object_get(both, "destination"));
    g_assert_false(ferry_json_get_bool(none, "compatible", true));
    g_assert_nonnull(json_object_get(none, "destination_error"));
}

#define ADD(path, func) g_test_add("/source/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("completed", test_completed);
    ADD("check-fails-there", test_check_fails_there);
    ADD("nobody-there", test_nobody_there);
    ADD("transfer-fails", test_transfer_fails);
    ADD("roll-back-fails", test_roll_back_fails);
    ADD("abort", test_abort);
    ADD("restart", test_restart);
    ADD("order/repeated", test_repeated_order);
    ADD("order/refused", test_refused_orders);
    ADD("order/no-such-instance", test_no_such_instance);
    ADD("order/post-copy-by-default-policy", test_post_copy_by_default_policy);
    ADD("check", test_check);
    return g_test_run();
}
