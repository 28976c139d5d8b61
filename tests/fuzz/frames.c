/* Frames of a broker: the library's decoder, and what makes events of frames. The rest are bytes as
 * they come when the first byte is 0, else orders to build well-formed frames by.
 *
 * One connection, which was logged in, reads many inputs: making one costs more than reading. */
#include "config.h"

#include "frame-builder.h"
#include "target.h"

#include "../../rpc/amqp-frames.h"
#include "../../rpc/envelope.h"

#define FRAME_MAX 8192

static FerryAmqpState *
log_in(void)
{
    FerryAmqpState *state = amqp_new_connection();
    char greeting[] = "AMQP\0\0\x09\x01";
    amqp_frame_t frame;

    /* The one input that the library takes before a login and that leaves it ready for frames. */
    g_assert_cmpint(amqp_handle_input(state, (amqp_bytes_t){8, greeting}, &frame), ==, 8);
    g_assert_cmpint(amqp_tune_connection(state, 2047, FRAME_MAX, 0), ==, AMQP_STATUS_OK);
    return state;
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

/* Returns: whether all of it was decoded. */
static bool
read_all(FerryAmqpState *state, GByteArray *sent)
{
    g_autoptr(FerryAmqpFrames) frames = ferry_amqp_frames_new();
    amqp_bytes_t rest = {sent->len, sent->data};
    bool alive = true;

    while (alive && rest.len > 0) {
        amqp_frame_t frame;
        const int read = amqp_handle_input(state, rest, &frame);

        if (read < 0)
            return false;
        rest = (amqp_bytes_t){rest.len - (size_t)read, (char *)rest.bytes + read};
        /* Those two the library keeps to itself. */
        if (frame.frame_type != 0 && frame.frame_type != AMQP_FRAME_HEARTBEAT)
            alive = take(frames, &frame);
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FerryAmqpState *state;
    g_autoptr(GByteArray) sent = g_byte_array_new();

    if (size == 0)
        return 0;
    if (!state)
        state = log_in();
    if (data[0] != 0)
        ferry_fuzz_build_frames(data + 1, size - 1, sent);
    else
        g_byte_array_append(sent, data + 1, (guint)size - 1);
    if (read_all(state, sent) && amqp_release_buffers_ok(state))
        amqp_release_buffers(state);
    else
        g_clear_pointer(&state, ferry_amqp_state_destroy);
    return 0;
}
