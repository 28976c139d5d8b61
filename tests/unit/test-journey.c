#include "config.h"

#include "../../cli/journey.h"
#include "ferry/json.h"

#define ID "3f2b8a4e-0c1d-4e5f-8a9b-123456789abc"

/* A payload of the source kvm01, at @seq, in @status. */
static json_t *
payload_new(gint64 seq, const char *status)
{
    return json_pack("{s:s,s:s,s:s,s:I,s:s}", "migration_id", ID, "role", "source", "source",
                     "kvm01", "seq", (json_int_t)seq, "status", status);
}

static bool
take(FerryJourney *journey, const char *type, json_t *payload)
{
    g_autoptr(FerryJson) body = json_pack("{s:s,s:o}", "event_type", type, "payload", payload);

    return ferry_journey_take_event(journey, body);
}

static bool
take_progress(FerryJourney *journey, gint64 seq, gint64 sample, gint64 elapsed_ms)
{
    json_t *payload = payload_new(seq, "running");

    json_object_set_new(payload, "sample", json_integer(sample));
    json_object_set_new(payload, "progress",
                        json_pack("{s:I}", "elapsed_ms", (json_int_t)elapsed_ms));
    return take(journey, "migration.progress", payload);
}

static void
test_the_way(void)
{
    g_autoptr(FerryJourney) journey = ferry_journey_new(ID, "kvm01");

    g_assert_null(ferry_journey_latest(journey));
    g_assert_true(take(journey, "migration.accepted", payload_new(1, "accepted")));
    g_assert_true(take(journey, "migration.running", payload_new(3, "running")));
    g_assert_true(take_progress(journey, 3, 1, 1000));
    g_assert_cmpint(ferry_journey_status(journey), ==, FERRY_STATUS_RUNNING);
    g_assert_false(ferry_journey_is_over(journey));
    g_assert_true(take(journey, "migration.completed", payload_new(5, "completed")));
    g_assert_true(ferry_journey_is_over(journey));
    g_assert_cmpint(ferry_journey_status(journey), ==, FERRY_STATUS_COMPLETED);
}

static void
test_old_news(void)
{
    g_autoptr(FerryJourney) journey = ferry_journey_new(ID, "kvm01");

    g_assert_true(take(journey, "migration.running", payload_new(3, "running")));
    g_assert_false(take(journey, "migration.running", payload_new(3, "running")));
    g_assert_false(take(journey, "migration.preparing", payload_new(2, "preparing")));
    g_assert_true(take_progress(journey, 3, 5, 5000));
    g_assert_false(take_progress(journey, 3, 4, 4000));
    g_assert_false(take_progress(journey, 2, 6, 6000));
    g_autoptr(FerryJson) old_record = payload_new(2, "preparing");
    g_assert_false(ferry_journey_take_record(journey, old_record));
    g_assert_cmpint(ferry_journey_status(journey), ==, FERRY_STATUS_RUNNING);
}

static void
test_agent_started_again(void)
{
    g_autoptr(FerryJourney) journey = ferry_journey_new(ID, "kvm01");

    g_assert_true(take_progress(journey, 3, 50, 50000));
    g_assert_true(take_progress(journey, 3, 1, 58000));
}

static void
test_others(void)
{
    g_autoptr(FerryJourney) journey = ferry_journey_new(ID, "kvm01");
    json_t *destination = payload_new(9, "rolled-back");

    json_object_set_new(destination, "role", json_string("destination"));
    g_assert_false(take(journey, "migration.destination.rolled_back", destination));
    json_t *stranger = payload_new(9, "failed");
    json_object_set_new(stranger, "migration_id", json_string("other"));
    g_assert_false(take(journey, "migration.failed", stranger));
    json_t *elsewhere = payload_new(9, "failed");
    json_object_set_new(elsewhere, "source", json_string("kvm09"));
    g_assert_false(take(journey, "migration.failed", elsewhere));
    g_assert_false(take(journey, "agent.started", json_null()));
    g_assert_false(take(journey, "x", json_array()));
    g_assert_false(ferry_journey_take_event(journey, NULL));
    g_assert_null(ferry_journey_latest(journey));
}

/* Events were missed: the record tells the end, and an event that comes late does not reopen it. */
static void
test_record_ends_it(void)
{
    g_autoptr(FerryJourney) journey = ferry_journey_new(ID, "kvm01");
    g_autoptr(FerryJson) record = payload_new(6, "cancelled");

    g_assert_true(ferry_journey_take_record(journey, record));
    g_assert_true(ferry_journey_is_over(journey));
    g_assert_false(take(journey, "migration.running", payload_new(7, "running")));
    g_assert_cmpint(ferry_journey_status(journey), ==, FERRY_STATUS_CANCELLED);
    g_assert_true(ferry_journey_latest(journey) == record);
}

static void
test_unknown_status(void)
{
    g_autoptr(FerryJourney) journey = ferry_journey_new(ID, "kvm01");

    g_assert_true(take(journey, "migration.running", payload_new(3, "running")));
    g_assert_true(take(journey, "migration.dreaming", payload_new(4, "dreaming")));
    g_assert_cmpint(ferry_journey_status(journey), ==, FERRY_STATUS_RUNNING);
    g_assert_false(ferry_journey_is_over(journey));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/journey/the-way", test_the_way);
    g_test_add_func("/journey/old-news", test_old_news);
    g_test_add_func("/journey/agent-started-again", test_agent_started_again);
    g_test_add_func("/journey/others", test_others);
    g_test_add_func("/journey/record-ends-it", test_record_ends_it);
    g_test_add_func("/journey/unknown-status", test_unknown_status);
    return g_test_run();
}
