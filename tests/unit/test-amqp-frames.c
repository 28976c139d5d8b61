#include "config.h"

#include "ferry/error.h"
#include "rpc/amqp-frames.h"
#include "rpc/envelope.h"

#include <string.h>

static amqp_basic_deliver_t deliver = {.delivery_tag = 7};
static amqp_basic_return_t returned;
static amqp_basic_properties_t properties;

static amqp_frame_t
method(guint32 id, void *decoded)
{
    return (amqp_frame_t){
        .frame_type = AMQP_FRAME_METHOD,
        .channel = FERRY_AMQP_CHANNEL,
        .payload.method = {.id = id, .decoded = decoded},
    };
}

static amqp_frame_t
delivery(void)
{
    deliver.consumer_tag = amqp_cstring_bytes("2");
    return method(AMQP_BASIC_DELIVER_METHOD, &deliver);
}

static amqp_frame_t
header(guint64 size)
{
    return (amqp_frame_t){
        .frame_type = AMQP_FRAME_HEADER,
        .channel = FERRY_AMQP_CHANNEL,
        .payload.properties = {.class_id = AMQP_BASIC_CLASS,
                               .body_size = size,
                               .decoded = &properties},
    };
}

static amqp_frame_t
body(const char *text)
{
    return (amqp_frame_t){
        .frame_type = AMQP_FRAME_BODY,
        .channel = FERRY_AMQP_CHANNEL,
        .payload.body_fragment = amqp_cstring_bytes(text),
    };
}

static amqp_frame_t
on_channel(guint16 channel, amqp_frame_t frame)
{
    frame.channel = channel;
    return frame;
}

/* Gives @count frames, of which none but the last may complete something, or fail.
 * Returns: (transfer full): what the last one gave. */
static FerryAmqpEvent
take(const amqp_frame_t *given, guint count, GError **error)
{
    g_autoptr(FerryAmqpFrames) frames = ferry_amqp_frames_new();
    FerryAmqpEvent event = {.kind = FERRY_AMQP_NOTHING};

    for (guint i = 0; i < count; i++) {
        const bool last = i + 1 == count;
        const bool taken = ferry_amqp_frames_take(frames, &given[i], &event, last ? error : NULL);

        if (!last) {
            g_assert_true(taken);
            g_assert_cmpint(event.kind, ==, FERRY_AMQP_NOTHING);
        }
    }
    return event;
}

static void
assert_breach(const char *words, guint count, const amqp_frame_t *given)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryAmqpEvent) event = take(given, count, &error);

    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE);
    g_assert_nonnull(ferry_error_hint(error));
    g_assert_nonnull(strstr(error->message, "The broker broke the protocol"));
    if (!strstr(error->message, words))
        g_error("\"%s\" lacks \"%s\"", error->message, words);
    g_assert_cmpint(event.kind, ==, FERRY_AMQP_NOTHING);
}

#define ASSERT_BREACH(words, ...)                                                                  \
    assert_breach(words, G_N_ELEMENTS(((const amqp_frame_t[]){__VA_ARGS__})),                      \
                  (const amqp_frame_t[]){__VA_ARGS__})

static void
test_message(void)
{
    const amqp_frame_t given[] = {delivery(), header(5), body("he"), body(""), body("llo")};
    g_autoptr(GError) error = NULL;

    properties = (amqp_basic_properties_t){
        ._flags = AMQP_BASIC_REPLY_TO_FLAG,
        .reply_to = amqp_cstring_bytes("reply_1"),
    };
    g_auto(FerryAmqpEvent) event = take(given, G_N_ELEMENTS(given), &error);
    properties = (amqp_basic_properties_t){0};

    g_assert_no_error(error);
    g_assert_cmpint(event.kind, ==, FERRY_AMQP_DELIVERY);
    g_assert_cmpuint(event.delivery.tag, ==, 7);
    g_assert_cmpstr(event.delivery.consumer_tag, ==, "2");
    g_assert_cmpstr(event.delivery.reply_to, ==, "reply_1");
    g_assert_null(event.delivery.message_id);
    g_assert_cmpmem(g_bytes_get_data(event.delivery.body, NULL),
                    g_bytes_get_size(event.delivery.body), "hello", 5);
}

static void
test_one_after_the_other(void)
{
    g_autoptr(FerryAmqpFrames) frames = ferry_amqp_frames_new();
    const amqp_frame_t given[] = {delivery(), header(2), body("ab"), delivery(), header(0)};
    g_autoptr(GError) error = NULL;
    guint messages = 0;

    for (guint i = 0; i < G_N_ELEMENTS(given); i++) {
        g_auto(FerryAmqpEvent) event = {.kind = FERRY_AMQP_NOTHING};

        g_assert_true(ferry_amqp_frames_take(frames, &given[i], &event, &error));
        messages += event.kind == FERRY_AMQP_DELIVERY;
    }
    g_assert_cmpuint(messages, ==, 2);
}

/* What is over the limit is counted and not kept. */
static void
test_large(void)
{
    const guint64 size = FERRY_ENVELOPE_MAX_BYTES + 1;
    g_autofree char *text = g_strnfill(size, 'x');
    const amqp_frame_t given[] = {delivery(), header(size), body(text)};
    g_autoptr(GError) error = NULL;
    g_auto(FerryAmqpEvent) event = take(given, G_N_ELEMENTS(given), &error);

    g_assert_no_error(error);
    g_assert_cmpuint(event.delivery.body_size, ==, size);
    g_assert_null(event.delivery.body);
}

/* The decoded properties of class connection have no fields: they must not be read as basic's. */
static void
test_other_class(void)
{
    amqp_connection_properties_t none = {0};
    amqp_frame_t frame = header(1);

    frame.payload.properties.class_id = AMQP_CONNECTION_CLASS;
    frame.payload.properties.decoded = &none;
    ASSERT_BREACH("content header of class 10", delivery(), frame);
}

static void
test_order_of_content(void)
{
    ASSERT_BREACH("content header without a message", header(1));
    ASSERT_BREACH("content header without a message", delivery(), header(2), header(2));
    ASSERT_BREACH("body without a content header", body("x"));
    ASSERT_BREACH("body without a content header", delivery(), body("x"));
    ASSERT_BREACH("longer than the 2 bytes", delivery(), header(2), body("abc"));
    ASSERT_BREACH("longer than the 2 bytes", delivery(), header(2), body("a"), body("bc"));
    ASSERT_BREACH("ends before its announced size", delivery(), delivery());
    ASSERT_BREACH("ends before its announced size", delivery(), header(2), body("a"), delivery());
    ASSERT_BREACH("ends before its announced size", method(AMQP_BASIC_RETURN_METHOD, &returned),
                  header(2), delivery());
    ASSERT_BREACH("a message of 18446744073709551615 bytes", delivery(), header(G_MAXUINT64));
}

static void
test_channels(void)
{
    amqp_connection_close_t close = {0};
    amqp_connection_blocked_t blocked = {0};

    ASSERT_BREACH("channel 2, which is not open", on_channel(2, delivery()));
    ASSERT_BREACH("channel 65535, which is not open", on_channel(65535, body("x")));
    ASSERT_BREACH("content on channel 0", on_channel(0, header(1)));
    ASSERT_BREACH("content on channel 0", on_channel(0, body("x")));
    ASSERT_BREACH("on channel 0", on_channel(0, delivery()));
    ASSERT_BREACH("on channel 1", method(AMQP_CONNECTION_CLOSE_METHOD, &close));
    ASSERT_BREACH("on channel 1", method(AMQP_CONNECTION_BLOCKED_METHOD, &blocked));
}

static void
test_strange_frames(void)
{
    amqp_queue_declare_ok_t declared = {0};
    amqp_connection_tune_t tune = {0};
    amqp_frame_t frame = delivery();

    ASSERT_BREACH("unexpected method AMQP_QUEUE_DECLARE_OK_METHOD",
                  method(AMQP_QUEUE_DECLARE_OK_METHOD, &declared));
    ASSERT_BREACH("unexpected method AMQP_CONNECTION_TUNE_METHOD on channel 0",
                  on_channel(0, method(AMQP_CONNECTION_TUNE_METHOD, &tune)));
    frame.frame_type = 99;
    ASSERT_BREACH("a frame of type 99", frame);
}

/* Alarms may come between the frames of a message; the end of all may, too. */
static void
test_between_frames(void)
{
    amqp_connection_blocked_t blocked = {0};
    amqp_channel_close_t close = {.reply_code = 406, .reply_text = amqp_cstring_bytes("no")};
    g_autoptr(FerryAmqpFrames) frames = ferry_amqp_frames_new();
    const amqp_frame_t given[] = {
        delivery(), on_channel(0, method(AMQP_CONNECTION_BLOCKED_METHOD, &blocked)), header(1)};
    const amqp_frame_t last = method(AMQP_CHANNEL_CLOSE_METHOD, &close);
    FerryAmqpEvent event = {.kind = FERRY_AMQP_NOTHING};
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(given); i++) {
        g_assert_true(ferry_amqp_frames_take(frames, &given[i], &event, &error));
        g_assert_cmpint(event.kind, ==, i == 1 ? FERRY_AMQP_BLOCKED : FERRY_AMQP_NOTHING);
    }
    g_assert_false(ferry_amqp_frames_take(frames, &last, &event, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "406: no"));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/amqp-frames/message", test_message);
    g_test_add_func("/amqp-frames/one-after-the-other", test_one_after_the_other);
    g_test_add_func("/amqp-frames/large", test_large);
    g_test_add_func("/amqp-frames/other-class", test_other_class);
    g_test_add_func("/amqp-frames/order-of-content", test_order_of_content);
    g_test_add_func("/amqp-frames/channels", test_channels);
    g_test_add_func("/amqp-frames/strange-frames", test_strange_frames);
    g_test_add_func("/amqp-frames/between-frames", test_between_frames);
    return g_test_run();
}
