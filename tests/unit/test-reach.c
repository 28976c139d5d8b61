#include "config.h"

#include "checks/port-probe.h"

#include <gio/gio.h>
#include <sys/socket.h>

#define LIMIT_MS 400

static FerryReach
reach_of(const char *host, guint16 port)
{
    FerryProbe probe = {.host = host, .port = port, .limit_ms = LIMIT_MS};

    ferry_port_probe_run(&probe, 1);
    return probe.reach;
}

static void
test_open_and_closed(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    guint16 port = g_socket_listener_add_any_inet_port(listener, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpint(reach_of("127.0.0.1", port), ==, FERRY_REACH_OPEN);
    g_socket_listener_close(listener);
    g_assert_cmpint(reach_of("127.0.0.1", port), ==, FERRY_REACH_CLOSED);
    g_assert_true(ferry_reach_answered(FERRY_REACH_OPEN));
    g_assert_true(ferry_reach_answered(FERRY_REACH_CLOSED));
    g_assert_false(ferry_reach_answered(FERRY_REACH_SILENT));
}

static void
test_no_name(void)
{
    FerryReach reach = reach_of("no such name", 22);

    g_assert_true(reach == FERRY_REACH_NO_NAME || reach == FERRY_REACH_SILENT);
    g_assert_cmpint(reach_of("", 22), !=, FERRY_REACH_OPEN);
}

/* A listener whose queue is full drops what comes: nothing answers, as behind a firewall. */
static GSocket *
deaf_socket(guint16 *ret_port, GPtrArray *filling)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
    g_autoptr(GSocketAddress) any = g_inet_socket_address_new_from_string("127.0.0.1", 0);

    g_assert_no_error(error);
    g_assert_true(g_socket_bind(socket, any, FALSE, &error));
    g_socket_set_listen_backlog(socket, 0);
    g_assert_true(g_socket_listen(socket, &error));

    g_autoptr(GSocketAddress) address = g_socket_get_local_address(socket, &error);

    *ret_port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address));
    for (int i = 0; i < 4; i++) {
        GSocket *client =
            g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

        g_socket_set_blocking(client, FALSE);
        g_socket_connect(client, address, NULL, NULL);
        g_ptr_array_add(filling, client);
    }
    return g_steal_pointer(&socket);
}

static void
test_silence_has_a_limit(void)
{
    guint16 port = 0;
    g_autoptr(GPtrArray) filling = g_ptr_array_new_with_free_func(g_object_unref);
    g_autoptr(GSocket) deaf G_GNUC_UNUSED = deaf_socket(&port, filling);
    FerryProbe probes[8] = {0};
    gint64 begun = g_get_monotonic_time();

    for (gsize i = 0; i < G_N_ELEMENTS(probes); i++)
        probes[i] = (FerryProbe){.host = "127.0.0.1", .port = port, .limit_ms = LIMIT_MS};
    ferry_port_probe_run(probes, G_N_ELEMENTS(probes));
    /* Together and not one after the other. */
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 3 * LIMIT_MS * 1000);
    for (gsize i = 0; i < G_N_ELEMENTS(probes); i++)
        g_assert_cmpint(probes[i].reach, ==, FERRY_REACH_SILENT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reach/open-and-closed", test_open_and_closed);
    g_test_add_func("/reach/no-name", test_no_name);
    g_test_add_func("/reach/silence-has-a-limit", test_silence_has_a_limit);
    return g_test_run();
}
