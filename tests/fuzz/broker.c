/* A conversation with a broker that has said all it will say: the login, the calls that wait for an
 * answer, publishing, and events.
 *
 * The first byte says how: whether the login is the broker's usual one or in the input, whether an
 * agent then declares its queues, publishes, or only reads, and whether the rest are bytes as they
 * come or orders to build well-formed frames by. */
#include "config.h"

#include "frame-builder.h"
#include "target.h"

#include "../../rpc/amqp-connection.h"
#include "../../rpc/amqp-publish.h"
#include "../../rpc/topology.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OWN_LOGIN = 1 << 0,
    DECLARES = 1 << 1,
    PUBLISHES = 1 << 2,
    BUILDS_FRAMES = 1 << 3,
};

/* What the socket takes without a reader. */
#define SENT_MAX 65536

static void
put_login(GByteArray *sent)
{
    g_autoptr(GByteArray) start = g_byte_array_new();
    g_autoptr(GByteArray) tune = g_byte_array_new();
    g_autoptr(GByteArray) open_ok = g_byte_array_new();
    g_autoptr(GByteArray) channel_ok = g_byte_array_new();

    ferry_fuzz_put_number(start, 9, 2); /* the version, 0-9 */
    ferry_fuzz_put_number(start, 0, 4); /* no properties */
    ferry_fuzz_put_number(start, strlen("PLAIN"), 4);
    g_byte_array_append(start, (const guint8 *)"PLAIN", strlen("PLAIN"));
    ferry_fuzz_put_number(start, 0, 4); /* no locales */
    ferry_fuzz_put_number(tune, 2047, 2);
    ferry_fuzz_put_number(tune, 8192, 4); /* small buffers are soon made */
    ferry_fuzz_put_number(tune, 0, 2);
    ferry_fuzz_put_number(open_ok, 0, 1);
    ferry_fuzz_put_number(channel_ok, 0, 4);
    ferry_fuzz_put_method(sent, 0, AMQP_CONNECTION_START_METHOD, start);
    ferry_fuzz_put_method(sent, 0, AMQP_CONNECTION_TUNE_METHOD, tune);
    ferry_fuzz_put_method(sent, 0, AMQP_CONNECTION_OPEN_OK_METHOD, open_ok);
    ferry_fuzz_put_method(sent, 1, AMQP_CHANNEL_OPEN_OK_METHOD, channel_ok);
}

/* --- our side --------------------------------------------------------------------------------- */

static FerryTransport *
get_transport(void)
{
    static FerryTransport *transport;

    if (!transport) {
        g_autoptr(FerryMessagingOptions) options = ferry_messaging_options_new();

        options->heartbeat_timeout_threshold = 0;
        transport = ferry_transport_new(options, "fuzz", NULL);
    }
    return transport;
}

/* Until the connection is of no use any more, which it is at the end of the input. */
static void
read_events(FerryAmqpConnection *connection)
{
    g_autoptr(GError) error = NULL;
    bool alive = true;

    while (alive) {
        g_auto(FerryAmqpEvent) event = {.kind = FERRY_AMQP_NOTHING};

        alive = ferry_amqp_connection_next(connection, &event, &error);
        g_assert_true(alive == (error == NULL));
    }
    g_assert_nonnull(error->message);
}

static char own_queue[] = "virt-ferry.host";
static char fanout_queue[] = "fanout";

static bool
publish(FerryAmqpConnection *connection)
{
    g_autoptr(FerryOutgoing) outgoing =
        ferry_outgoing_new(FERRY_OUTGOING_ANSWER, "", "reply_1", json_object());

    return ferry_outgoing_encode(outgoing) && ferry_amqp_publish(connection, outgoing, 0, NULL);
}

/* All that an agent declares, claims and looks at again. */
static bool
declare(FerryAmqpConnection *connection, const FerryMessagingOptions *options)
{
    const FerryServerQueues queues = {.own = own_queue, .fanout = fanout_queue};
    guint consumers = 0;
    FerryClaim claim = FERRY_CLAIM_HELD;

    return ferry_topology_declare_server(connection, options, &queues, &consumers, NULL) &&
           ferry_topology_claim(connection, "claim", &claim, NULL) &&
           ferry_topology_await_rival(connection, "answers", NULL) &&
           ferry_topology_serve(connection, &queues, NULL) &&
           ferry_topology_refresh(connection, options, &queues, NULL);
}

static void
converse(guint8 how, int fd)
{
    FerryTransport *transport = get_transport();
    const FerryBroker *broker = g_ptr_array_index(transport->brokers, 0);
    g_autoptr(FerryAmqpState) state = amqp_new_connection();

    amqp_tcp_socket_set_sockfd(amqp_tcp_socket_new(state), fd);

    g_autoptr(GError) error = NULL;
    g_autoptr(FerryAmqpConnection) connection =
        ferry_amqp_connection_login(g_steal_pointer(&state), transport, broker, "fuzz", &error);

    g_assert_true((connection == NULL) == (error != NULL));
    if (!connection)
        return;
    if ((how & DECLARES) != 0 && !declare(connection, transport->options))
        return;
    if ((how & PUBLISHES) != 0 && !publish(connection))
        return;
    read_events(connection);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];

    if (size == 0 || size > SENT_MAX / 4)
        return 0;

    g_autoptr(GByteArray) sent = g_byte_array_new();

    if ((data[0] & OWN_LOGIN) == 0)
        put_login(sent);
    if ((data[0] & BUILDS_FRAMES) != 0)
        ferry_fuzz_build_frames(data + 1, size - 1, sent);
    else
        g_byte_array_append(sent, data + 1, (guint)size - 1);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), ==,
                    0);
    g_byte_array_set_size(sent, MIN(sent->len, SENT_MAX));
    g_assert_cmpint(write(ends[0], sent->data, sent->len), ==, (gssize)sent->len);
    (void)shutdown(ends[0], SHUT_WR);
    converse(data[0], ends[1]);
    (void)close(ends[0]);
    return 0;
}
