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
assert_next(FerrySendQueue *queue, bool notifications, const char *name)
{
    g_autoptr(FerryOutgoing) next = ferry_send_queue_take(queue, notifications);

    g_assert_cmpstr(next ? next->routing_key : NULL, ==, name);
    if (next)
        ferry_send_queue_settle(queue, next);
}

static void
test_order(void)
{
    g_autoptr(FerrySendQueue) queue = ferry_send_queue_new();

    ferry_send_queue_push(queue, outgoing(FERRY_OUTGOING_SAMPLE, "sample"));
    ferry_send_queue_push(queue, outgoing(FERRY_OUTGOING_NOTIFICATION, "event 1"));
    ferry_send_queue_push(queue, outgoing(FERRY_OUTGOING_NOTIFICATION, "event 2"));
    ferry_send_queue_push(queue, outgoing(FERRY_OUTGOING_CALL, "call"));
    ferry_send_queue_push(queue, outgoing(FERRY_OUTGOING_ANSWER, "answer"));
    g_assert_true(ferry_send_queue_has_notifications(queue));
    assert_next(queue, false, "call");
    assert_next(queue, false, "answer");
    assert_next(queue, false, "sample");
    assert_next(queue, false, NULL);
    assert_next(queue, true, "event 1");
    assert_next(queue, true, "event 2");
    g_assert_false(ferry_send_queue_has_notifications(queue));
}

static void
test_put_back(void)
{
    g_autoptr(FerrySendQueue) queue = ferry_send_queue_new();

    ferry_send_queue_push(queue, outgoing(FERRY_OUTGOING_NOTIFICATION, "1"));
    ferry_send_queue_push(queue, outgoing(FERRY_OUTGOING_NOTIFICATION, "2"));
    ferry_send_queue_put_back(queue, ferry_send_queue_take(queue, true));
    assert_next(queue, true, "1");
    g_assert_false(ferry_send_queue_flush(queue, 1));
    assert_next(queue, true, "2");
    g_assert_true(ferry_send_queue_flush(queue, 1));
}

static void
test_samples_are_replaced(void)
{
    g_autoptr(FerrySendQueue) queue = ferry_send_queue_new();
    const char *const keys[] = {"a", "b", "a"};
    const char *const names[] = {"a 1", "b 1", "a 2"};

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        FerryOutgoing *sample = outgoing(FERRY_OUTGOING_SAMPLE, names[i]);

        sample->replace_key = g_strdup(keys[i]);
        ferry_send_queue_push(queue, sample);
    }
    g_assert_true(ferry_send_queue_flush(queue, 1));
    assert_next(queue, true, "b 1");
    assert_next(queue, true, "a 2");
    assert_next(queue, true, NULL);
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
    g_autoptr(FerrySendQueue) queue = ferry_send_queue_new();

    for (guint i = 0; i < 2; i++) {
        FerryOutgoing *answer = outgoing(FERRY_OUTGOING_ANSWER, "a");

        answer->user_data = &freed;
        answer->destroy = count;
        ferry_send_queue_push(queue, answer);
        ferry_send_queue_close(queue);
    }
    g_assert_true(ferry_send_queue_is_closed(queue));
    g_assert_cmpuint(freed, ==, 1);
    ferry_send_queue_clear(queue);
    g_assert_cmpuint(freed, ==, 2);
}

/* No heartbeat after the answer, whenever it was due. */
static void
test_answer_ends_heartbeats(void)
{
    g_autoptr(FerrySendQueue) queue = ferry_send_queue_new();
    guint64 id = ferry_send_queue_add_heartbeat(queue, "q", "m", 1);

    g_usleep(3000);
    ferry_send_queue_push_due_heartbeats(queue);
    FerryOutgoing *answer = outgoing(FERRY_OUTGOING_ANSWER, "answer");
    answer->heartbeat_id = id;
    ferry_send_queue_push(queue, answer);
    g_assert_cmpint(ferry_send_queue_next_heartbeat_us(queue), ==, G_MAXINT64);
    g_usleep(3000);
    ferry_send_queue_push_due_heartbeats(queue);
    assert_next(queue, true, "q");
    assert_next(queue, true, "answer");
    assert_next(queue, true, NULL);
}

static void
note(guint64 id, const char *reply_queue, const char *msg_id, gpointer user_data)
{
    g_string_append_printf(user_data, "%s%s ", reply_queue, msg_id);
}

static void
test_heartbeats(void)
{
    g_autoptr(FerryHeartbeats) heartbeats = ferry_heartbeats_new();
    g_autoptr(GString) noted = g_string_new(NULL);
    guint64 slow = ferry_heartbeats_add(heartbeats, "q", "slow", 10, 0);
    guint64 fast = ferry_heartbeats_add(heartbeats, "q", "fast", 4, 0);

    g_assert_cmpint(ferry_heartbeats_next_us(heartbeats), ==, 4000);
    ferry_heartbeats_call_due(heartbeats, 3999, note, noted);
    g_assert_cmpstr(noted->str, ==, "");
    ferry_heartbeats_call_due(heartbeats, 4000, note, noted);
    g_assert_cmpstr(noted->str, ==, "qfast ");
    /* Two periods were slept through: one heartbeat, and the times stay. */
    ferry_heartbeats_call_due(heartbeats, 17000, note, g_string_truncate(noted, 0));
    g_assert_cmpuint(strlen(noted->str), ==, strlen("qfast qslow "));
    g_assert_cmpint(ferry_heartbeats_next_us(heartbeats), ==, 20000);
    ferry_heartbeats_remove(heartbeats, fast);
    ferry_heartbeats_remove(heartbeats, fast);
    ferry_heartbeats_remove(heartbeats, 0);
    ferry_heartbeats_call_due(heartbeats, 20000, note, g_string_truncate(noted, 0));
    g_assert_cmpstr(noted->str, ==, "qslow ");
    ferry_heartbeats_remove(heartbeats, slow);
    g_assert_cmpint(ferry_heartbeats_next_us(heartbeats), ==, G_MAXINT64);
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

/* A message that AMQP or the broker cannot take is known before it reaches the connection. */
static void
test_flaws(void)
{
    g_autofree char *name = g_strnfill(256, 'q');
    g_autofree char *large = g_strnfill(FERRY_OUTGOING_MAX_BYTES, 'x');
    g_autoptr(FerryOutgoing) good = outgoing(FERRY_OUTGOING_ANSWER, name + 1);
    g_autoptr(FerryOutgoing) far = outgoing(FERRY_OUTGOING_CALL, name);
    g_autoptr(FerryOutgoing) event = outgoing(FERRY_OUTGOING_NOTIFICATION, "event");

    g_assert_true(ferry_outgoing_encode(good));
    g_assert_null(ferry_outgoing_flaw(good));
    good->correlation_id = g_strdup(name);
    g_assert_nonnull(ferry_outgoing_flaw(good));
    g_assert_true(ferry_outgoing_encode(far));
    g_assert_nonnull(ferry_outgoing_flaw(far));
    json_object_set_new(event->document, "x", json_string(large));
    g_assert_true(ferry_outgoing_encode(event));
    g_assert_nonnull(ferry_outgoing_flaw(event));
}

/* Its caller learns why there is no answer. */
static void
test_answer_is_too_long(void)
{
    g_autofree char *large = g_strnfill(FERRY_OUTGOING_MAX_BYTES, 'x');
    g_autoptr(FerryOutgoing) oslo = ferry_outgoing_new(
        FERRY_OUTGOING_ANSWER, "", "q", json_pack("{s:s, s:s}", "_msg_id", "m", "result", large));
    g_autoptr(FerryOutgoing) bare =
        ferry_outgoing_new(FERRY_OUTGOING_ANSWER, "", "q", json_pack("{s:s}", "result", large));
    bool enveloped = false;

    bare->enveloped = false;
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*replaced by an error*");
    g_assert_true(ferry_outgoing_encode(oslo));
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*replaced by an error*");
    g_assert_true(ferry_outgoing_encode(bare));
    g_test_assert_expected_messages();
    g_assert_null(ferry_outgoing_flaw(oslo));
    g_assert_null(ferry_outgoing_flaw(bare));
    g_autoptr(FerryJson) answer =
        ferry_envelope_open(oslo->body, strlen(oslo->body), &enveloped, NULL);
    g_assert_cmpstr(ferry_json_get_string(answer, "_msg_id"), ==, "m");
    g_assert_nonnull(strstr(ferry_json_get_string(answer, "failure"), "InvalidRequest"));
    g_assert_nonnull(strstr(bare->body, "\"code\": \"InvalidRequest\""));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/send-queue/order", test_order);
    g_test_add_func("/send-queue/put-back", test_put_back);
    g_test_add_func("/send-queue/samples-are-replaced", test_samples_are_replaced);
    g_test_add_func("/send-queue/close", test_close);
    g_test_add_func("/send-queue/answer-ends-heartbeats", test_answer_ends_heartbeats);
    g_test_add_func("/send-queue/heartbeats", test_heartbeats);
    g_test_add_func("/send-queue/encoding", test_encoding);
    g_test_add_func("/send-queue/flaws", test_flaws);
    g_test_add_func("/send-queue/answer-is-too-long", test_answer_is_too_long);
    g_test_add_func("/send-queue/backoff", test_backoff);
    return g_test_run();
}
