#include "config.h"

#include "checks/port-listener.h"

#include "ferry/lock.h"
#include "runtime/detached-call.h"
#include "runtime/listen-address.h"

#include <gio/gio.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* A source that has the answer connects at once; long enough for a packet that was lost. */
#define HOLD_MS 2000
/* Somebody who connects and says nothing. */
#define WORD_MS 200
/* Two a question: where a firewall lets a part of the range pass, one of them tells. */
#define MOST_PORTS 2
/* A port that a client's connection has for its own end is passed over. */
#define CANDIDATES 8
/* Of the range at most one part in so many is held, for all questions together. */
#define SHARE 8

typedef struct {
    GSocket *socket;
    guint16 port;
    char token[2 * FERRY_PORT_TOKEN_HALF + 1];
} Port;

typedef struct {
    GPtrArray *ports; /* Port */
    gint64 until_us;
} Round;

static struct {
    GMutex lock;
    guint count; /* guarded by lock */
} held;

/* --- ports ------------------------------------------------------------------------------------ */

static bool
hold_one(FerryPortRange range)
{
    guint most = (range.last - range.first + 1U) / SHARE;
    FERRY_LOCK_SCOPE(&held.lock);

    if (held.count >= most)
        return false;
    held.count++;
    return true;
}

static void
let_one_go(void)
{
    FERRY_LOCK_SCOPE(&held.lock);

    held.count--;
}

static void
port_free(gpointer data)
{
    Port *self = data;

    g_socket_close(self->socket, NULL);
    g_object_unref(self->socket);
    g_free(self);
    let_one_go();
}

static GSocket *
listen_as(GSocketFamily family, guint16 port, GError **error)
{
    g_autoptr(GSocket) socket =
        g_socket_new(family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
    g_autoptr(GInetAddress) any = g_inet_address_new_any(family);
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new(any, port);

    if (socket && family == G_SOCKET_FAMILY_IPV6)
        g_socket_set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0, NULL);
    /* Without SO_REUSEADDR the port is taken for libvirt from here on, not from listen() on only:
     * two that may reuse an address can both bind to it, and one cannot listen then. */
    if (!socket || !g_socket_bind(socket, address, /* allow_reuse= */ FALSE, error) ||
        !g_socket_listen(socket, error))
        return NULL;
    g_socket_set_blocking(socket, FALSE);
    return g_steal_pointer(&socket);
}

/* Both families at once, as QEMU listens; IPv4 alone where the host has no other. */
static GSocket *
listen_at(guint16 port)
{
    g_autoptr(GError) error = NULL;
    GSocket *socket = listen_as(G_SOCKET_FAMILY_IPV6, port, &error);

    return socket || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)
               ? socket
               : listen_as(G_SOCKET_FAMILY_IPV4, port, NULL);
}

static Port *
port_new(GSocket *socket, guint16 port)
{
    Port *self = g_new0(Port, 1);

    self->socket = socket;
    self->port = port;
    for (gsize i = 0; i < 2 * FERRY_PORT_TOKEN_HALF; i++)
        self->token[i] = "0123456789abcdef"[g_random_int_range(0, 16)];
    return self;
}

/* libvirt reserves the lowest ports first, before QEMU listens at them. Where half of those right
 * below are free, none that is reserved reaches up to here. */
static bool
is_out_of_reach(FerryPortRange range, guint16 port)
{
    guint width = (range.last - range.first + 1U) / 4;
    guint taken = 0;

    for (guint i = 1; i <= width; i++)
        taken += port - i < range.first ||
                 ferry_listen_address_try("0.0.0.0", port - i) == FERRY_LISTEN_TAKEN;
    return taken <= width / 2;
}

/* Adds @port or the first below it that is free. */
static void
add_port(GPtrArray *ports, FerryPortRange range, guint16 highest)
{
    if (!hold_one(range))
        return;
    for (guint i = 0; i < CANDIDATES && is_out_of_reach(range, (guint16)(highest - i)); i++) {
        GSocket *socket = listen_at((guint16)(highest - i));

        if (!socket)
            continue;
        g_ptr_array_add(ports, port_new(socket, (guint16)(highest - i)));
        return;
    }
    let_one_go();
}

/* --- listening -------------------------------------------------------------------------------- */

static void
round_free(gpointer data)
{
    Round *self = data;

    g_ptr_array_unref(self->ports);
    g_free(self);
}

static bool
await(GSocket *socket)
{
    return g_socket_condition_timed_wait(socket, G_IO_IN | G_IO_HUP, WORD_MS * 1000, NULL, NULL);
}

/* Whoever knows the first half has our answer. */
static bool
exchange(GSocket *client, const char *token)
{
    char word[FERRY_PORT_TOKEN_HALF] = "";

    return await(client) &&
           g_socket_receive(client, word, sizeof word, NULL, NULL) == (gssize)sizeof word &&
           memcmp(word, token, sizeof word) == 0 &&
           g_socket_send(client, token + sizeof word, sizeof word, NULL, NULL) ==
               (gssize)sizeof word;
}

/* Returns: true when the one who was meant has come. */
static bool
serve_one(const Port *port)
{
    /* The one who closes first has the connection's rest for a minute, and with it the port. */
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    g_autoptr(GSocket) client = g_socket_accept(port->socket, NULL, NULL);

    if (!client)
        return false;
    g_socket_set_blocking(client, FALSE);

    bool proven = exchange(client, port->token);

    if (proven)
        (void)await(client);
    (void)setsockopt(g_socket_get_fd(client), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return proven;
}

static void
await_clients(Round *self, gint64 left_us)
{
    GPollFD fds[MOST_PORTS] = {0};
    guint count = self->ports->len;

    for (guint i = 0; i < count; i++) {
        const Port *port = g_ptr_array_index(self->ports, i);

        fds[i] = (GPollFD){.fd = g_socket_get_fd(port->socket), .events = G_IO_IN};
    }
    if (g_poll(fds, count, (int)(left_us / 1000) + 1) <= 0)
        return;
    for (guint i = count; i > 0; i--)
        if (fds[i - 1].revents && serve_one(g_ptr_array_index(self->ports, i - 1)))
            g_ptr_array_remove_index(self->ports, i - 1);
}

static bool
listen_for_a_moment(gpointer data, GError **error)
{
    Round *self = data;

    while (self->ports->len > 0 && g_get_monotonic_time() < self->until_us)
        await_clients(self, self->until_us - g_get_monotonic_time());
    g_ptr_array_set_size(self->ports, 0);
    return true;
}

/* --- the answer ------------------------------------------------------------------------------- */

static json_t *
describe(const GPtrArray *ports)
{
    json_t *list = json_array();

    for (guint i = 0; i < ports->len; i++) {
        const Port *port = g_ptr_array_index(ports, i);

        json_array_append_new(list,
                              json_pack("{s:i, s:s}", "port", port->port, "token", port->token));
    }
    return list;
}

json_t *
ferry_port_listener_open(FerryPortRange range)
{
    g_autoptr(GPtrArray) ports = g_ptr_array_new_with_free_func(port_free);
    bool small = range.last < range.first || range.last - range.first + 1 < SHARE;

    if (!small) {
        add_port(ports, range, range.last);
        add_port(ports, range, (guint16)(range.first + (range.last - range.first + 1) / 2));
    }

    json_t *answer =
        json_pack("{s:{s:i, s:i}, s:o, s:i, s:s?}", "range", "first", range.first, "last",
                  range.last, "ports", describe(ports), "for_ms", HOLD_MS, "why",
                  ports->len > 0 ? NULL
                  : small        ? "its range has no port to spare"
                                 : "too many of its ports are in use");

    if (ports->len > 0) {
        Round *round = g_new0(Round, 1);
        FerryDetachedWork work = {.thread = "vf-ports",
                                  .func = listen_for_a_moment,
                                  .data = round,
                                  .free_data = round_free};

        round->ports = g_steal_pointer(&ports);
        round->until_us = g_get_monotonic_time() + HOLD_MS * G_GINT64_CONSTANT(1000);
        ferry_detached_call_abandon(ferry_detached_call_start(&work));
    }
    return answer;
}
