#include "config.h"

#include "runtime/listen-address.h"

#include <gio/gio.h>

static void
test_of_this_host(void)
{
    g_assert_cmpint(ferry_listen_address_try("127.0.0.1", 0), ==, FERRY_LISTEN_FREE);
    g_assert_cmpint(ferry_listen_address_try("0.0.0.0", 0), ==, FERRY_LISTEN_FREE);
}

static void
test_of_another(void)
{
    /* Documentation addresses: nobody's. */
    g_assert_cmpint(ferry_listen_address_try("203.0.113.77", 0), ==, FERRY_LISTEN_FOREIGN);
    g_assert_cmpint(ferry_listen_address_try("203.0.113.77", 5900), ==, FERRY_LISTEN_FOREIGN);
}

static void
test_taken(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    guint16 port = g_socket_listener_add_any_inet_port(listener, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpint(ferry_listen_address_try("127.0.0.1", port), ==, FERRY_LISTEN_TAKEN);
    g_socket_listener_close(listener);
    g_assert_cmpint(ferry_listen_address_try("127.0.0.1", port), ==, FERRY_LISTEN_FREE);
}

static void
test_no_address(void)
{
    g_assert_cmpint(ferry_listen_address_try("console.example.org", 0), ==, FERRY_LISTEN_UNKNOWN);
    g_assert_cmpint(ferry_listen_address_try("", 0), ==, FERRY_LISTEN_UNKNOWN);
    g_assert_cmpint(ferry_listen_address_try("127.0.0.1; reboot", 0), ==, FERRY_LISTEN_UNKNOWN);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/listen-address/of-this-host", test_of_this_host);
    g_test_add_func("/listen-address/of-another", test_of_another);
    g_test_add_func("/listen-address/taken", test_taken);
    g_test_add_func("/listen-address/no-address", test_no_address);
    return g_test_run();
}
