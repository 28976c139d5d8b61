#include "config.h"

#include "ferry/json.h"
#include "rpc/backoff.h"
#include "rpc/envelope.h"
#include "rpc/heartbeats.h"
#include "rpc/send-queue.h"

#include <string.h>

static FerryOutgoing *
outgoing(FerryOutgoingKind kind, const char *name)
{
    return ferry_outgoing_new(kind, "", name, json_object());
}

static void
assert_next(FerryLanes *lanes, bool notifications, const char *name)
{
    g_autoptr(FerryOutgoing) next = ferry_lanes_take(lanes, notifications);

    g_assert_cmpstr(next ? next->routing_key : NULL, ==, name);
    if (next)
        ferry_lanes_settle(lanes, next);
}

static void
test_order(void)
{
    g_autoptr(FerryLanes) lanes = ferry_lanes_new();

    ferry_lanes_push(lanes, outgoing(FERRY_OUTGOING_SAMPLE, "sample"));
    ferry_lanes_push(lanes, outgoing(FERRY_OUTGOING_NOTIFICATION, "event 1"));
    ferry_lanes_push(lanes, outgoing(FERRY_OUTGOING_NOTIFICATION, "event 2"));
    ferry_lanes_push(lanes, outgoing(FERRY_OUTGOING_CALL, "call"));
    ferry_lanes_push(lanes, outgoing(FERRY_OUTGOING_ANSWER, "answer"));
    g_assert_true(ferry_lanes_have_notifications(lanes));
    assert_next(lanes, false, "call");
    assert_next(lanes, false, "answer");
    assert_next(lanes, false, "sample");
    assert_next(lanes, false, NULL);
    assert_next(lanes, true, "event 1");
    assert_next(lanes, true, "event 2");
    g_assert_false(ferry_lanes_have_notifications(lanes));
}

static void
test_put_back(void)
{
    g_autoptr(FerryLanes) lanes = ferry_lanes_new();

    ferry_lanes_push(lanes, outgoing(FERRY_OUTGOING_NOTIFICATION, "1"));
    ferry_lanes_push(lanes, outgoing(FERRY_OUTGOING_NOTIFICATION, "2"));
    ferry_lanes_put_back(lanes, ferry_lanes_take(lanes, true));
    assert_next(lanes, true, "1");
    g_assert_false(ferry_lanes_flush(lanes, 1));
    assert_next(lanes, true, "2");
    g_assert_true(ferry_lanes_flush(lanes, 1));
}

static void
test_samples_are_replaced(void)
{
    g_autoptr(FerryLanes) lanes = ferry_lanes_new();
    const char *const keys[] = {"a", "b", "a"};
    const char *const names[] = {"a 1", "b 1", "a 2"};

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        FerryOutgoing *sample = outgoing(FERRY_OUTGOING_SAMPLE, names[i]);

        sample->replace_key = g_strdup(keys[i]);
        ferry_lanes_push(lanes, sample);
    }
    g_assert_true(ferry_lanes_flush(lanes, 1));
    assert_next(lanes, true, "b 1");
    assert_next(lanes, true, "a 2");
    assert_next(lanes, true, NULL);
}

static void
count(gpointer data)
{
    guint *counter = data;

    (*counter)++;
}

static void
test_close(void)
{
    guint freed = 0;
    g_autoptr(FerryLanes) lanes = ferry_lanes_new();

    for (guint i = 0; i < 2; i++) {
        FerryOutgoing *answer = outgoing(FERRY_OUTGOING_ANSWER, "a");

        answer->user_data = &freed;
        answer->destroy = count;
        ferry_lanes_push(lanes, answer);
        ferry_lanes_close(lanes);
    }
    g_assert_true(ferry_lanes_is_closed(lanes));
    g_assert_cmpuint(freed, ==, 1);
    ferry_lanes_clear(lanes);
    g_assert_cmpuint(freed, ==, 2);
}

/* No beat after the answer, whenever it was due. */
static void
test_answer_ends_pulse(void)
{
    g_autoptr(FerryLanes) lanes = ferry_lanes_new();
    guint64 pulse = ferry_lanes_add_pulse(lanes, "q", "m", 1);

    g_usleep(3000);
    ferry_lanes_queue_beats(lanes);
    FerryOutgoing *answer = outgoing(FERRY_OUTGOING_ANSWER, "answer");
    answer->pulse = pulse;
    ferry_lanes_push(lanes, answer);
    g_assert_cmpint(ferry_lanes_next_beat_us(lanes), ==, G_MAXINT64);
    g_usleep(3000);
    ferry_lanes_queue_beats(lanes);
    assert_next(lanes, true, "q");
    assert_next(lanes, true, "answer");
    assert_next(lanes, true, NULL);
}

static void
beat(guint64 id, const char *reply_queue, const char *msg_id, gpointer user_data)
{
    g_string_append_printf(user_data, "%s%s ", reply_queue, msg_id);
}

static void
test_pulses(void)
{
    g_autoptr(FerryPulses) pulses = ferry_pulses_new();
    g_autoptr(GString) beats = g_string_new(NULL);
    guint64 slow = ferry_pulses_add(pulses, "q", "slow", 10, 0);
    guint64 fast = ferry_pulses_add(pulses, "q", "fast", 4, 0);

    g_assert_cmpint(ferry_pulses_next_us(pulses), ==, 4000);
    ferry_pulses_beat(pulses, 3999, beat, beats);
    g_assert_cmpstr(beats->str, ==, "");
    ferry_pulses_beat(pulses, 4000, beat, beats);
    g_assert_cmpstr(beats->str, ==, "qfast ");
    /* Two periods were slept through: one beat, and the rhythm stays. */
    ferry_pulses_beat(pulses, 17000, beat, g_string_truncate(beats, 0));
    g_assert_cmpuint(strlen(beats->str), ==, strlen("qfast qslow "));
    g_assert_cmpint(ferry_pulses_next_us(pulses), ==, 20000);
    ferry_pulses_remove(pulses, fast);
    ferry_pulses_remove(pulses, fast);
    ferry_pulses_remove(pulses, 0);
    ferry_pulses_beat(pulses, 20000, beat, g_string_truncate(beats, 0));
    g_assert_cmpstr(beats->str, ==, "qslow ");
    ferry_pulses_remove(pulses, slow);
    g_assert_cmpint(ferry_pulses_next_us(pulses), ==, G_MAXINT64);
}

static const char *
unique_id(const FerryOutgoing *message, char **ret_text)
{
    bool enveloped = false;
    g_autoptr(FerryJson) document =
        ferry_envelope_open(message->body, strlen(message->body), &enveloped, NULL);

    g_free(*ret_text);
    *ret_text = g_strdup(ferry_json_get_string(document, "_unique_id"));
    return *ret_text;
}

static void
test_encoding(void)
{
    g_autoptr(FerryOutgoing) event = outgoing(FERRY_OUTGOING_NOTIFICATION, "k");
    g_autoptr(FerryOutgoing) answer =
        ferry_outgoing_new(FERRY_OUTGOING_ANSWER, "", "k", json_pack("{s:s}", "_unique_id", "u"));
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    g_assert_true(ferry_outgoing_encode(event));
    g_assert_nonnull(unique_id(event, &first));
    g_assert_true(ferry_outgoing_encode(event));
    g_assert_cmpstr(unique_id(event, &second), !=, first);
    g_assert_cmpuint(json_object_size(event->document), ==, 0);
    g_assert_true(ferry_outgoing_encode(answer));
    g_assert_cmpstr(unique_id(answer, &first), ==, "u");
    answer->enveloped = false;
    g_assert_true(ferry_outgoing_encode(answer));
    g_assert_cmpstr(answer->body, ==, "{\"_unique_id\": \"u\"}");
}

static void
test_backoff(void)
{
    const guint expected[] = {1, 3, 5, 7, 9, 10, 10};
    FerryBackoff backoff = {.start_s = 1, .step_s = 2, .limit_s = 10};

    for (guint round = 0; round < 2; round++) {
        for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
            g_assert_cmpuint(ferry_backoff_next(&backoff), ==, expected[i]);
        ferry_backoff_reset(&backoff);
    }
    /* However it is configured, there is a pause. */
    FerryBackoff nothing = {.start_s = 0, .step_s = 0, .limit_s = 0};
    g_assert_cmpuint(ferry_backoff_next(&nothing), ==, 1);
    g_assert_cmpuint(ferry_backoff_next(&nothing), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/send-queue/order", test_order);
    g_test_add_func("/send-queue/put-back", test_put_back);
    g_test_add_func("/send-queue/samples-are-replaced", test_samples_are_replaced);
    g_test_add_func("/send-queue/close", test_close);
    g_test_add_func("/send-queue/answer-ends-pulse", test_answer_ends_pulse);
    g_test_add_func("/send-queue/pulses", test_pulses);
    g_test_add_func("/send-queue/encoding", test_encoding);
    g_test_add_func("/send-queue/backoff", test_backoff);
    return g_test_run();
}
