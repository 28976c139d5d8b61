#include "config.h"

#include "frame-builder.h"

#include "input.h"

#include "../../rpc/amqp-frames.h"
#include "../../rpc/topology.h"

#include <string.h>

void
ferry_fuzz_put_number(GByteArray *bytes, guint64 number, guint size)
{
    for (guint i = size; i > 0; i--) {
        const guint8 byte = (guint8)(number >> (8 * (i - 1)));

        g_byte_array_append(bytes, &byte, 1);
    }
}

static void
put_text(GByteArray *bytes, const char *text)
{
    ferry_fuzz_put_number(bytes, strlen(text), 1);
    g_byte_array_append(bytes, (const guint8 *)text, (guint)strlen(text));
}

static void
put_frame(GByteArray *sent, guint8 type, guint channel, const GByteArray *payload)
{
    ferry_fuzz_put_number(sent, type, 1);
    ferry_fuzz_put_number(sent, channel, 2);
    ferry_fuzz_put_number(sent, payload->len, 4);
    g_byte_array_append(sent, payload->data, payload->len);
    ferry_fuzz_put_number(sent, AMQP_FRAME_END, 1);
}

void
ferry_fuzz_put_method(GByteArray *sent, guint channel, guint32 method, const GByteArray *arguments)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();

    ferry_fuzz_put_number(payload, method, 4);
    g_byte_array_append(payload, arguments->data, arguments->len);
    put_frame(sent, AMQP_FRAME_METHOD, channel, payload);
}

/* --- frames built by orders ------------------------------------------------------------------- */

static void
take_bytes(FerryFuzzInput *orders, GByteArray *bytes, size_t count)
{
    count = MIN(count, orders->left);
    g_byte_array_append(bytes, orders->next, (guint)count);
    orders->next += count;
    orders->left -= count;
}

static const guint32 methods[] = {
    AMQP_BASIC_ACK_METHOD,
    AMQP_BASIC_NACK_METHOD,
    AMQP_BASIC_CANCEL_METHOD,
    AMQP_BASIC_CANCEL_OK_METHOD,
    AMQP_BASIC_CONSUME_OK_METHOD,
    AMQP_BASIC_GET_OK_METHOD,
    AMQP_CHANNEL_CLOSE_METHOD,
    AMQP_CHANNEL_FLOW_METHOD,
    AMQP_CONFIRM_SELECT_OK_METHOD,
    AMQP_CONNECTION_BLOCKED_METHOD,
    AMQP_CONNECTION_CLOSE_METHOD,
    AMQP_CONNECTION_START_METHOD,
    AMQP_CONNECTION_TUNE_METHOD,
    AMQP_CONNECTION_OPEN_OK_METHOD,
    AMQP_CONNECTION_UNBLOCKED_METHOD,
    AMQP_EXCHANGE_DECLARE_OK_METHOD,
    AMQP_QUEUE_BIND_OK_METHOD,
    AMQP_QUEUE_DECLARE_OK_METHOD,
    AMQP_QUEUE_DELETE_OK_METHOD,
    AMQP_BASIC_DELIVER_METHOD,
    AMQP_BASIC_RETURN_METHOD,
    AMQP_CHANNEL_OPEN_OK_METHOD,
    AMQP_TX_COMMIT_OK_METHOD,
};

static const guint16 classes[] = {AMQP_CONNECTION_CLASS, AMQP_CHANNEL_CLASS, AMQP_EXCHANGE_CLASS,
                                  AMQP_QUEUE_CLASS,      AMQP_BASIC_CLASS,   AMQP_TX_CLASS,
                                  AMQP_CONFIRM_CLASS,    AMQP_ACCESS_CLASS};

static const char *const tags[] = {FERRY_CONSUMER_SHARED, FERRY_CONSUMER_REPLIES,
                                   FERRY_CONSUMER_LISTENER, "", "nobody's"};

/* Mostly the open one. */
static guint
take_channel(FerryFuzzInput *orders)
{
    const guint8 byte = ferry_fuzz_take_byte(orders);

    return byte < 250 ? FERRY_AMQP_CHANNEL : byte == 250 ? 0 : byte;
}

static void
build_deliver(FerryFuzzInput *orders, GByteArray *sent)
{
    g_autoptr(GByteArray) arguments = g_byte_array_new();
    const guint channel = take_channel(orders);

    put_text(arguments, tags[ferry_fuzz_take_byte(orders) % G_N_ELEMENTS(tags)]);
    ferry_fuzz_put_number(arguments, ferry_fuzz_take_byte(orders), 8);
    ferry_fuzz_put_number(arguments, ferry_fuzz_take_byte(orders) & 1, 1);
    put_text(arguments, "virt-ferry");
    put_text(arguments, "virt-ferry.host");
    ferry_fuzz_put_method(sent, channel, AMQP_BASIC_DELIVER_METHOD, arguments);
}

static void
build_return(FerryFuzzInput *orders, GByteArray *sent)
{
    g_autoptr(GByteArray) arguments = g_byte_array_new();

    ferry_fuzz_put_number(arguments, 312, 2);
    put_text(arguments, "NO_ROUTE");
    put_text(arguments, "");
    put_text(arguments, "reply_1");
    ferry_fuzz_put_method(sent, take_channel(orders), AMQP_BASIC_RETURN_METHOD, arguments);
}

/* A content header: mostly of class basic and of a size of one byte. */
static void
build_header(FerryFuzzInput *orders, GByteArray *sent)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    const guint channel = take_channel(orders);
    const guint8 kind = ferry_fuzz_take_byte(orders);
    const guint8 size = ferry_fuzz_take_byte(orders);

    ferry_fuzz_put_number(payload,
                          kind < 192 ? AMQP_BASIC_CLASS : classes[kind % G_N_ELEMENTS(classes)], 2);
    ferry_fuzz_put_number(payload, 0, 2);
    ferry_fuzz_put_number(payload, size < 192 ? size : G_GUINT64_CONSTANT(1) << (size - 192), 8);
    ferry_fuzz_put_number(payload, ferry_fuzz_take_byte(orders), 1);
    ferry_fuzz_put_number(payload, ferry_fuzz_take_byte(orders), 1);
    take_bytes(orders, payload, ferry_fuzz_take_byte(orders));
    put_frame(sent, AMQP_FRAME_HEADER, channel, payload);
}

static void
build_body(FerryFuzzInput *orders, GByteArray *sent)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    const guint channel = take_channel(orders);

    take_bytes(orders, payload, ferry_fuzz_take_byte(orders));
    put_frame(sent, AMQP_FRAME_BODY, channel, payload);
}

static void
build_method(FerryFuzzInput *orders, GByteArray *sent)
{
    g_autoptr(GByteArray) arguments = g_byte_array_new();
    const guint channel = take_channel(orders);
    const guint32 method = methods[ferry_fuzz_take_byte(orders) % G_N_ELEMENTS(methods)];

    take_bytes(orders, arguments, ferry_fuzz_take_byte(orders));
    ferry_fuzz_put_method(sent, channel, method, arguments);
}

static void
build_frame(FerryFuzzInput *orders, GByteArray *sent)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    const guint8 type = ferry_fuzz_take_byte(orders);
    const guint channel = take_channel(orders);

    take_bytes(orders, payload, ferry_fuzz_take_byte(orders));
    put_frame(sent, type, channel, payload);
}

void
ferry_fuzz_build_frames(const uint8_t *data, size_t size, GByteArray *sent)
{
    FerryFuzzInput orders = {data, size};
    static void (*const builders[])(FerryFuzzInput *, GByteArray *) = {
        build_deliver, build_header, build_body, build_method, build_return, build_frame,
    };

    while (orders.left > 0)
        builders[ferry_fuzz_take_byte(&orders) % G_N_ELEMENTS(builders)](&orders, sent);
}
