/* What both hosts say, asked until it stands. */
#include "config.h"

#include "source/confirmation.h"

#include "ferry/json.h"
#include "source-fixture.h"

#include <string.h>

static void
set_up(SourceFixture *self, gconstpointer user_data)
{
    source_set_up(self, user_data);
    source_migration(self, FERRY_STATUS_RUNNING, NULL);
}

static guint
asked(void)
{
    return fake_bus_count("kvm02", "describe_instance");
}

static void
assert_outcome(const FerryConfirmation *seen, FerryOutcome outcome)
{
    g_assert_cmpstr(ferry_outcome_to_string(seen->outcome), ==, ferry_outcome_to_string(outcome));
}

/* --- what one look settles -------------------------------------------------------------------- */

static void
test_succeeded(SourceFixture *self, gconstpointer user_data)
{
    source_leave(self);
    fake_bus_observe("kvm02", "running");

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 10);

    assert_outcome(&seen, FERRY_OUTCOME_SUCCEEDED);
    g_assert_cmpuint(asked(), ==, 1);
}

static void
test_not_moved(SourceFixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", NULL);

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 10);

    assert_outcome(&seen, FERRY_OUTCOME_NOT_MOVED);
    g_assert_cmpint(seen.destination, ==, FERRY_OBSERVED_ABSENT);
    g_assert_cmpuint(asked(), ==, 1);
}

static void
test_in_flight(SourceFixture *self, gconstpointer user_data)
{
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
    fake_bus_observe("kvm02", "incoming");

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 10);

    assert_outcome(&seen, FERRY_OUTCOME_IN_FLIGHT);
    g_assert_false(seen.idle_here);
    g_assert_cmpuint(asked(), ==, 1);
}

/* The destination first: the other order could miss a switch between the two questions. */
static void
let_it_leave(gpointer data)
{
    source_leave(data);
}

static void
test_destination_is_asked_first(SourceFixture *self, gconstpointer user_data)
{
    fake_bus_hook("describe_instance", let_it_leave, self);
    fake_bus_observe("kvm02", "running");

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 10);

    assert_outcome(&seen, FERRY_OUTCOME_SUCCEEDED);
}

static void
show_stopped_there(void)
{
    fake_bus_answer(
        "kvm02", "describe_instance",
        json_pack("{s:s, s:s}", "observed_state", "paused", "state_reason", "I/O error"));
}

/* It ran there, or libvirt would show another reason: no outcome that is not known. */
static void
test_stopped(SourceFixture *self, gconstpointer user_data)
{
    source_leave(self);
    show_stopped_there();

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 10);

    assert_outcome(&seen, FERRY_OUTCOME_STOPPED);
    g_assert_cmpuint(asked(), ==, 1);
}

static void
show_paused_there(void)
{
    fake_bus_answer("kvm02", "describe_instance",
                    json_pack("{s:s, s:s}", "observed_state", "paused", "state_reason", "user"));
}

/* A person paused it on its way, after it was described as running. */
static void
test_paused_by_a_person(SourceFixture *self, gconstpointer user_data)
{
    source_leave(self);
    show_paused_there();

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 10);

    assert_outcome(&seen, FERRY_OUTCOME_SUCCEEDED);
    g_assert_cmpuint(asked(), ==, 1);
}

static void
test_paused_by_a_person_and_here(SourceFixture *self, gconstpointer user_data)
{
    show_paused_there();

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 0);

    assert_outcome(&seen, FERRY_OUTCOME_UNKNOWN);
}

/* Where the source may still live nothing is certain. */
static void
test_stopped_and_here(SourceFixture *self, gconstpointer user_data)
{
    show_stopped_there();

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 0);

    assert_outcome(&seen, FERRY_OUTCOME_UNKNOWN);
}

/* --- what needs a second look ----------------------------------------------------------------- */

static void
test_split_brain_is_seen_twice(SourceFixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", "running");

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 10);

    assert_outcome(&seen, FERRY_OUTCOME_SPLIT_BRAIN);
    g_assert_cmpuint(asked(), ==, 2);
}

/* Both seen running in two moments: the source had just not stopped yet. */
static void
leave_at_the_second_look(gpointer data)
{
    if (asked() == 2)
        source_leave(data);
}

static void
test_split_brain_that_was_none(SourceFixture *self, gconstpointer user_data)
{
    fake_bus_hook("describe_instance", leave_at_the_second_look, self);
    fake_bus_observe("kvm02", "running");

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 10);

    assert_outcome(&seen, FERRY_OUTCOME_SUCCEEDED);
}

static void
test_gone(SourceFixture *self, gconstpointer user_data)
{
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED);
    fake_bus_observe("kvm02", NULL);

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 10);

    assert_outcome(&seen, FERRY_OUTCOME_GONE);
    g_assert_true(seen.died_here);
    g_assert_cmpuint(asked(), ==, 2);
}

/* A libvirtd that died between the switch and its clean-up leaves the source paused for good. */
static void
test_left_paused(SourceFixture *self, gconstpointer user_data)
{
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
    fake_bus_observe("kvm02", "running");

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 30);

    assert_outcome(&seen, FERRY_OUTCOME_SUCCEEDED);
    g_assert_cmpuint(asked(), ==, 6);
}

/* Somebody still works on it: no number of looks makes that a success. */
static void
test_paused_with_a_job(SourceFixture *self, gconstpointer user_data)
{
    fake_domain_set_state(UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
    fake_job_set(UUID, VIR_DOMAIN_JOB_UNBOUNDED, VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
    fake_bus_observe("kvm02", "running");

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 2);

    assert_outcome(&seen, FERRY_OUTCOME_SWITCHING);
}

/* --- who does not answer ---------------------------------------------------------------------- */

static void
test_unreachable_until_time_is_up(SourceFixture *self, gconstpointer user_data)
{
    gint64 begun = g_get_monotonic_time();
    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 1);
    gint64 lasted_us = g_get_monotonic_time() - begun;

    assert_outcome(&seen, FERRY_OUTCOME_UNKNOWN);
    g_assert_cmpint(seen.destination, ==, FERRY_OBSERVED_UNREACHABLE);
    g_assert_cmpint(lasted_us, >=, G_USEC_PER_SEC);
    /* The pauses grow: 250 ms, 500 ms, 1 s. */
    g_assert_cmpuint(asked(), >=, 3);
    g_assert_cmpuint(asked(), <=, 4);
}

static void
test_answers_after_a_while(SourceFixture *self, gconstpointer user_data)
{
    source_leave(self);
    for (guint i = 0; i < 2; i++)
        fake_bus_refuse("kvm02", "describe_instance",
                        ferry_error_new(FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "No answer"));
    fake_bus_observe("kvm02", "running");

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 30);

    assert_outcome(&seen, FERRY_OUTCOME_SUCCEEDED);
    g_assert_cmpuint(asked(), ==, 3);
}

static void
test_own_libvirt_is_away(SourceFixture *self, gconstpointer user_data)
{
    fake_bus_observe("kvm02", "running");
    fake_call_fail_times("virConnectOpen", 100, VIR_ERR_RPC, "Cannot connect");
    fake_connections_drop();

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 0);

    assert_outcome(&seen, FERRY_OUTCOME_UNKNOWN);
    g_assert_cmpint(seen.source, ==, FERRY_OBSERVED_UNREACHABLE);
}

static void
test_stops_with_the_agent(SourceFixture *self, gconstpointer user_data)
{
    ferry_migration_detach(self->migration);

    FerryConfirmation seen = ferry_confirm_outcome(self->migration, 60);

    assert_outcome(&seen, FERRY_OUTCOME_UNKNOWN);
    g_assert_cmpuint(asked(), ==, 1);
}

/* --- the error -------------------------------------------------------------------------------- */

static void
assert_error_of(SourceFixture *self, FerryOutcome outcome, bool died_here, FerryErrorCode code)
{
    FerryConfirmation seen = {.outcome = outcome,
                              .source = FERRY_OBSERVED_RUNNING,
                              .destination = FERRY_OBSERVED_RUNNING,
                              .died_here = died_here};
    g_autoptr(GError) cause = ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, NULL, "It broke off");
    g_autoptr(FerryRecord) record = ferry_migration_snapshot(self->migration);
    g_autoptr(GError) error = ferry_confirmation_error(&seen, record, cause);
    const json_t *evidence = json_object_get(ferry_error_details(error), "evidence");

    g_assert_error(error, FERRY_ERROR, (gint)code);
    g_assert_cmpstr(ferry_json_get_string(evidence, "outcome"), ==,
                    ferry_outcome_to_string(outcome));
    if (outcome == FERRY_OUTCOME_NOT_MOVED)
        g_assert_cmpstr(error->message, ==, "It broke off");
    else
        g_assert_nonnull(json_object_get(ferry_error_details(error), "cause"));
}

static void
test_errors(SourceFixture *self, gconstpointer user_data)
{
    assert_error_of(self, FERRY_OUTCOME_NOT_MOVED, false, FERRY_ERROR_MIGRATION_ERROR);
    assert_error_of(self, FERRY_OUTCOME_SPLIT_BRAIN, false, FERRY_ERROR_OUTCOME_UNKNOWN);
    assert_error_of(self, FERRY_OUTCOME_GONE, false, FERRY_ERROR_OUTCOME_UNKNOWN);
    assert_error_of(self, FERRY_OUTCOME_GONE, true, FERRY_ERROR_INSTANCE_INVALID_STATE);
    assert_error_of(self, FERRY_OUTCOME_POSTCOPY_BROKEN, false, FERRY_ERROR_OUTCOME_UNKNOWN);
    assert_error_of(self, FERRY_OUTCOME_UNKNOWN, false, FERRY_ERROR_OUTCOME_UNKNOWN);
}

#define ADD(path, func)                                                                            \
    g_test_add("/confirmation/" path, SourceFixture, NULL, set_up, func, source_tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("succeeded", test_succeeded);
    ADD("stopped", test_stopped);
    ADD("stopped-and-here", test_stopped_and_here);
    ADD("paused-by-a-person", test_paused_by_a_person);
    ADD("paused-by-a-person-and-here", test_paused_by_a_person_and_here);
    ADD("not-moved", test_not_moved);
    ADD("in-flight", test_in_flight);
    ADD("destination-is-asked-first", test_destination_is_asked_first);
    ADD("split-brain-is-seen-twice", test_split_brain_is_seen_twice);
    ADD("split-brain-that-was-none", test_split_brain_that_was_none);
    ADD("gone", test_gone);
    ADD("left-paused", test_left_paused);
    ADD("paused-with-a-job", test_paused_with_a_job);
    ADD("unreachable-until-time-is-up", test_unreachable_until_time_is_up);
    ADD("answers-after-a-while", test_answers_after_a_while);
    ADD("own-libvirt-is-away", test_own_libvirt_is_away);
    ADD("stops-with-the-agent", test_stops_with_the_agent);
    ADD("errors", test_errors);
    return g_test_run();
}
