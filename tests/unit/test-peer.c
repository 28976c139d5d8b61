/* What is asked of another agent, and how often. */
#include "config.h"

#include "peer/peer.h"

#include "agent-fixture.h"
#include "ferry/json.h"

static GError *
unreachable(const char *reason)
{
    GError *error = ferry_error_new(FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "No answer");

    ferry_error_set_detail(error, "reason", json_string(reason));
    return error;
}

static json_t *
call(AgentFixture *self, guint timeout_ms, GError **error)
{
    return ferry_peer_call(&self->agent,
                           &(FerryCall){.server = "kvm02",
                                        .method = "get_migration",
                                        .args = json_pack("{s:s}", "migration_id", MIGRATION),
                                        .timeout_ms = timeout_ms},
                           error);
}

static void
test_answer(AgentFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_bus_answer("kvm02", "get_migration", json_pack("{s:s}", "status", "prepared"));

    g_autoptr(FerryJson) answer = call(self, 0, &error);
    g_autoptr(FerryJson) args = fake_bus_args("kvm02", "get_migration");

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_get_string(answer, "status"), ==, "prepared");
    g_assert_cmpstr(ferry_json_get_string(args, "migration_id"), ==, MIGRATION);
}

static void
test_asks_again(AgentFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_bus_refuse("kvm02", "get_migration", unreachable("no-answer"));
    fake_bus_refuse("kvm02", "get_migration",
                    ferry_error_new(FERRY_ERROR_HYPERVISOR_UNAVAILABLE, NULL, "libvirt is away"));
    fake_bus_answer("kvm02", "get_migration", json_object());

    g_autoptr(FerryJson) answer = call(self, 20000, &error);

    g_assert_no_error(error);
    g_assert_nonnull(answer);
    g_assert_cmpuint(fake_bus_count("kvm02", "get_migration"), ==, 3);
}

/* A refusal is an answer. */
static void
test_refused(AgentFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_bus_refuse("kvm02", "get_migration",
                    ferry_error_new(FERRY_ERROR_MIGRATION_NOT_FOUND, NULL, "No such migration"));
    g_assert_null(call(self, 20000, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND);
    g_assert_cmpuint(fake_bus_count("kvm02", "get_migration"), ==, 1);
}

static void
test_time_is_up(AgentFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    fake_bus_refuse("kvm02", "get_migration", unreachable("no-answer"));
    g_assert_null(call(self, 700, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE);
    g_assert_cmpuint(fake_bus_count("kvm02", "get_migration"), ==, 2);
}

static void
test_asks_once(AgentFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(call(self, 0, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE);
    g_assert_cmpuint(fake_bus_count("kvm02", "get_migration"), ==, 1);
}

/* The peer lost the broker as we did, and may find it again some time after us. */
static void
test_broker_is_away(AgentFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    self->config->outcome_timeout_s = 20;
    fake_bus_refuse("kvm02", "get_migration", unreachable("no-broker"));
    fake_bus_refuse("kvm02", "get_migration", unreachable("no-answer"));
    fake_bus_answer("kvm02", "get_migration", json_object());

    g_autoptr(FerryJson) answer = call(self, 1, &error);

    g_assert_no_error(error);
    g_assert_nonnull(answer);
}

static gpointer
cancel_soon(gpointer cancellable)
{
    g_usleep(100 * 1000);
    g_cancellable_cancel(cancellable);
    return NULL;
}

static void
test_cancelled(AgentFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();

    fake_bus_block("get_migration");

    GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);

    g_assert_null(ferry_peer_call(&self->agent,
                                  &(FerryCall){.server = "kvm02",
                                               .method = "get_migration",
                                               .args = json_object(),
                                               .timeout_ms = 60000,
                                               .cancellable = cancellable},
                                  &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CANCELLED);
    g_thread_join(thread);
}

static void
test_busy(AgentFixture *self, gconstpointer user_data)
{
    g_autoptr(GError) plain = unreachable("no-answer");
    g_autoptr(GError) busy = unreachable("no-answer");

    ferry_error_set_detail(busy, "retry", json_true());
    g_assert_false(ferry_peer_is_busy(plain));
    g_assert_true(ferry_peer_is_busy(busy));
}

static void
assert_observed(AgentFixture *self, FerryObservedState expected)
{
    FerryObservedState observed = ferry_peer_observe(&self->agent, "kvm02", UUID, NULL, NULL);

    g_assert_cmpstr(ferry_observed_state_to_string(observed), ==,
                    ferry_observed_state_to_string(expected));
}

static void
test_observe(AgentFixture *self, gconstpointer user_data)
{
    assert_observed(self, FERRY_OBSERVED_UNREACHABLE);
    fake_bus_observe("kvm02", "running");
    assert_observed(self, FERRY_OBSERVED_RUNNING);
    fake_bus_observe("kvm02", NULL);
    assert_observed(self, FERRY_OBSERVED_ABSENT);
    fake_bus_observe("kvm02", "dancing");
    assert_observed(self, FERRY_OBSERVED_UNREACHABLE);
    /* An older agent's word for it. */
    fake_bus_answer("kvm02", "describe_instance", json_pack("{s:s}", "sight", "running"));
    assert_observed(self, FERRY_OBSERVED_RUNNING);
    fake_bus_refuse("kvm02", "describe_instance",
                    ferry_error_new(FERRY_ERROR_HYPERVISOR_UNAVAILABLE, NULL, "libvirt is away"));
    assert_observed(self, FERRY_OBSERVED_UNREACHABLE);
}

#define ADD(path, func) AGENT_ADD("/peer/" path, "kvm01", func)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("answer", test_answer);
    ADD("asks-again", test_asks_again);
    ADD("refused", test_refused);
    ADD("time-is-up", test_time_is_up);
    ADD("asks-once", test_asks_once);
    ADD("broker-is-away", test_broker_is_away);
    ADD("cancelled", test_cancelled);
    ADD("busy", test_busy);
    ADD("observe", test_observe);
    return g_test_run();
}
