/* What becomes of migrations that ended in error, with a saga that only says what it was asked. */
#include "config.h"

#include "source/resolver.h"

#include "ferry/json.h"
#include "source-fixture.h"

static guint ran;
static guint undone;
static bool may_undo;

static FerryStepEnd
run_before(FerryMigration *migration, bool resumed, GError **error)
{
    g_assert_not_reached();
}

static FerryStepEnd
run_after(FerryMigration *migration, bool resumed, GError **error)
{
    ran++;
    return FERRY_STEP_DONE;
}

static bool
undo(FerryMigration *migration, GError **error)
{
    undone++;
    if (!may_undo)
        ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "No answer");
    return may_undo;
}

static void
report(FerryMigration *migration)
{
}

static const FerrySagaStep steps[] = {
    {.name = "prepare", .status = FERRY_STATUS_PREPARING, .run = run_before, .undo = undo},
    {.name = "finish",
     .status = FERRY_STATUS_POST_MIGRATING,
     .run = run_after,
     .point_of_no_return = true},
    {0},
};

static const FerrySaga saga = {steps, report};

typedef struct {
    SourceFixture source;
    FerryResolver *resolver;
} Fixture;

static void
set_up(Fixture *self, gconstpointer user_data)
{
    ran = undone = 0;
    may_undo = true;
    source_set_up(&self->source, user_data);
    source_migration(&self->source, FERRY_STATUS_ERROR, NULL);
    self->resolver = ferry_resolver_new(&self->source.agent.agent, &saga);
}

static void
tear_down(Fixture *self, gconstpointer user_data)
{
    g_cancellable_cancel(self->source.agent.agent.stopping);
    ferry_resolver_free(self->resolver);
    source_tear_down(&self->source, user_data);
}

static json_t *
resolve(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    json_t *answer = ferry_resolver_resolve(self->resolver, MIGRATION, &error);

    g_assert_no_error(error);
    return answer;
}

static void
assert_answer(const json_t *answer, const char *status, const char *action)
{
    g_assert_cmpstr(ferry_json_get_string(answer, "status"), ==, status);
    g_assert_cmpstr(ferry_json_get_string(answer, "action"), ==, action);
}

static void
assert_journaled(Fixture *self, const char *status)
{
    g_autoptr(FerryRecord) record = agent_record(&self->source.agent, MIGRATION, FERRY_ROLE_SOURCE);

    g_assert_cmpstr(ferry_status_to_string(record->status), ==, status);
}

static void
test_found_there(Fixture *self, gconstpointer user_data)
{
    source_leave(&self->source);
    fake_bus_observe("kvm02", "running");

    g_autoptr(FerryJson) answer = resolve(self);

    assert_answer(answer, "completed", "finish");
    g_assert_cmpuint(ran, ==, 1);
    g_assert_cmpuint(undone, ==, 0);
    assert_journaled(self, "completed");

    /* Asked again it tells what was found. */
    g_autoptr(FerryJson) again = resolve(self);

    assert_answer(again, "completed", "none");
    g_assert_cmpstr(ferry_json_get_string(json_object_get(again, "evidence"), "outcome"), ==,
                    "succeeded");
    g_assert_cmpuint(ran, ==, 1);
}

static void
test_found_here(Fixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", NULL);

    g_autoptr(FerryJson) answer = resolve(self);

    assert_answer(answer, "failed", "roll-back");
    g_assert_cmpuint(ran, ==, 0);
    g_assert_cmpuint(undone, ==, 1);
    assert_journaled(self, "failed");
}

static void
test_clean_up_fails(Fixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", NULL);
    may_undo = false;

    g_autoptr(FerryJson) answer = resolve(self);

    assert_answer(answer, "error", "roll-back");
    g_assert_true(json_is_object(json_object_get(answer, "error")));
    assert_journaled(self, "error");
}

/* Nothing is done to an instance that runs twice. */
static void
test_split_brain(Fixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", "running");

    g_autoptr(FerryJson) answer = resolve(self);

    assert_answer(answer, "error", "none");
    g_assert_cmpuint(ran + undone, ==, 0);
    assert_journaled(self, "error");
}

/* It stands there by an I/O error: the destination knows when it goes on. */
static void
test_stopped_there(Fixture *self, gconstpointer user_data)
{
    source_leave(&self->source);
    fake_bus_answer(
        "kvm02", "describe_instance",
        json_pack("{s:s, s:s}", "observed_state", "paused", "state_reason", "I/O error"));

    g_autoptr(FerryJson) answer = resolve(self);

    assert_answer(answer, "completed", "finish");
    g_assert_cmpstr(ferry_json_get_string(json_object_get(answer, "evidence"), "outcome"), ==,
                    "stopped");
    g_assert_cmpuint(ran, ==, 1);
}

static void
test_not_in_error(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = agent_record(&self->source.agent, MIGRATION, FERRY_ROLE_SOURCE);

    record->status = FERRY_STATUS_RUNNING;
    g_assert_true(
        ferry_journal_save(self->source.agent.agent.journal, record, /* event= */ NULL, NULL));
    g_assert_null(ferry_resolver_resolve(self->resolver, MIGRATION, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
}

static void
test_unknown(Fixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ferry_resolver_resolve(self->resolver, OTHER_UUID, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND);
}

/* Nobody orders it: the thread asks by itself. */
static void
test_in_the_background(Fixture *self, gconstpointer user_data)
{
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    source_leave(&self->source);
    fake_bus_observe("kvm02", "running");
    ferry_resolver_wake(self->resolver);
    for (;;) {
        g_autoptr(FerryRecord) record =
            agent_record(&self->source.agent, MIGRATION, FERRY_ROLE_SOURCE);

        if (record->status == FERRY_STATUS_COMPLETED)
            return;
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        g_usleep(10 * 1000);
    }
}

#define ADD(path, func) g_test_add("/resolver/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("found-there", test_found_there);
    ADD("found-here", test_found_here);
    ADD("clean-up-fails", test_clean_up_fails);
    ADD("split-brain", test_split_brain);
    ADD("stopped-there", test_stopped_there);
    ADD("not-in-error", test_not_in_error);
    ADD("unknown", test_unknown);
    ADD("in-the-background", test_in_the_background);
    return g_test_run();
}
