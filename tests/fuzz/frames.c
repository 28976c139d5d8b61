/* Well-formed frames of a broker: the library's decoders of methods and properties, and what makes
 * events of frames. The input is orders to build frames by. Framing itself, the login and the calls
 * are broker.c's: a connection costs a hundred times as much as its frames. */
#include "config.h"

#include "frame-builder.h"
#include "target.h"

#include "../../rpc/amqp-frames.h"
#include "../../rpc/envelope.h"

/* Type, channel, size. */
#define HEAD 7
/* Class, weight, size of the body. */
#define CONTENT_HEAD 12
#define METHOD_HEAD 4

static guint64
number_at(const guint8 *bytes, guint size)
{
    guint64 number = 0;

    for (guint i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void
check_event(const FerryAmqpEvent *event)
{
    const FerryDelivery *delivery = &event->delivery;

    if (event->kind == FERRY_AMQP_DELIVERY)
        g_assert_nonnull(delivery->consumer_tag);
    if (event->kind != FERRY_AMQP_DELIVERY && event->kind != FERRY_AMQP_RETURNED)
        return;
    g_assert_true((delivery->body != NULL) == (delivery->body_size <= FERRY_ENVELOPE_MAX_BYTES));
    if (delivery->body)
        g_assert_cmpuint(g_bytes_get_size(delivery->body), ==, delivery->body_size);
}

/* As amqp_handle_input() does. Returns: false when it would have given up. */
static bool
decode(amqp_frame_t *frame, amqp_pool_t *pool, const guint8 *payload, guint size)
{
    const guint head = frame->frame_type == AMQP_FRAME_METHOD   ? METHOD_HEAD
                       : frame->frame_type == AMQP_FRAME_HEADER ? CONTENT_HEAD
                                                                : 0;

    if (size < head)
        return false;

    const amqp_bytes_t encoded = {size - head, (void *)(payload + head)};

    switch (frame->frame_type) {
    case AMQP_FRAME_METHOD:
        frame->payload.method.id = (guint32)number_at(payload, 4);
        return amqp_decode_method(frame->payload.method.id, pool, encoded,
                                  &frame->payload.method.decoded) >= 0;
    case AMQP_FRAME_HEADER:
        frame->payload.properties.class_id = (guint16)number_at(payload, 2);
        frame->payload.properties.body_size = number_at(payload + 4, 8);
        return amqp_decode_properties(frame->payload.properties.class_id, pool, encoded,
                                      &frame->payload.properties.decoded) >= 0;
    default:
        frame->payload.body_fragment = encoded;
        return true;
    }
}

/* Returns: whether the connection could go on after @frame. */
static bool
take(FerryAmqpFrames *frames, const amqp_frame_t *frame)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryAmqpEvent) event = {.kind = FERRY_AMQP_NOTHING};
    const bool taken = ferry_amqp_frames_take(frames, frame, &event, &error);

    g_assert_true(taken == (error == NULL));
    check_event(&event);
    return taken;
}

static bool
read_frame(FerryAmqpFrames *frames, amqp_pool_t *pool, const guint8 *bytes, guint size)
{
    amqp_frame_t frame = {.frame_type = bytes[0], .channel = (guint16)number_at(bytes + 1, 2)};
    /* A copy of the exact length, so that a sanitizer sees a read past its end. */
    g_autofree guint8 *payload = size > 0 ? g_memdup2(bytes + HEAD, size) : g_new0(guint8, 1);

    /* The library keeps those to itself. */
    if (frame.frame_type == AMQP_FRAME_HEARTBEAT || frame.frame_type == 0)
        return true;
    return decode(&frame, pool, payload, size) && take(frames, &frame);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(FerryAmqpFrames) frames = ferry_amqp_frames_new();
    g_autoptr(GByteArray) sent = g_byte_array_new();
    amqp_pool_t pool;
    bool alive = true;

    init_amqp_pool(&pool, 1024);
    ferry_fuzz_build_frames(data, size, sent);
    for (guint at = 0; alive && at < sent->len;) {
        const guint length = (guint)number_at(sent->data + at + 3, 4);

        alive = read_frame(frames, &pool, sent->data + at, length);
        at += HEAD + length + 1;
    }
    empty_amqp_pool(&pool);
    return 0;
}
