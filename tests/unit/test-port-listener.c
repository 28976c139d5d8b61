#include "config.h"

#include "checks/port-listener.h"
#include "checks/port-probe.h"

#include "runtime/listen-address.h"
#include "ferry/json.h"
#include "runtime/detached-call.h"

#include <gio/gio.h>

#include <string.h>

/* Below what Linux gives to clients, so that nothing but the tests is there. */
static const FerryPortRange range = {23000, 23063};

static json_t *
port_at(const json_t *answer, gsize index)
{
    return json_array_get(json_object_get(answer, "ports"), index);
}

static guint16
number_of(const json_t *port)
{
    return (guint16)json_integer_value(json_object_get(port, "port"));
}

static FerryReach
reach_with(const json_t *port, const char *token)
{
    FerryProbe probe = {
        .host = "127.0.0.1", .port = number_of(port), .token = token, .limit_ms = 1000};

    ferry_port_probe_run(&probe, 1);
    return probe.reach;
}

static bool
is_taken(guint16 port)
{
    return ferry_listen_address_try("0.0.0.0", port) == FERRY_LISTEN_TAKEN;
}

static void
await_end(void)
{
    g_assert_true(ferry_detached_calls_await_none(10000));
}

static void
test_proof(void)
{
    g_autoptr(FerryJson) answer = ferry_port_listener_open(range);
    const json_t *port = port_at(answer, 0);
    const json_t *other = port_at(answer, 1);

    g_assert_true(json_is_null(json_object_get(answer, "why")));
    g_assert_cmpuint(number_of(port), ==, range.last);
    g_assert_cmpuint(number_of(other), ==, range.first + 32);
    /* As libvirt tries a port before it gives it away. */
    g_assert_true(is_taken(number_of(port)));

    /* Who does not know the token is not answered, and does not end it. */
    g_assert_cmpint(reach_with(port, "00000000000000000000000000000000"), ==, FERRY_REACH_OTHER);
    g_assert_true(is_taken(number_of(port)));

    g_assert_cmpint(reach_with(port, ferry_json_get_string(port, "token")), ==, FERRY_REACH_OPEN);
    g_assert_cmpint(reach_with(other, ferry_json_get_string(other, "token")), ==, FERRY_REACH_OPEN);
    await_end();
    /* And nothing is left of it that libvirt or QEMU would find in their way. */
    g_assert_false(is_taken(number_of(port)));
    g_assert_false(is_taken(number_of(other)));
}

static void
test_somebody_else(void)
{
    g_autoptr(FerryJson) answer = ferry_port_listener_open(range);
    const json_t *port = port_at(answer, 0);
    g_autofree char *token = g_strdup(ferry_json_get_string(port, "token"));

    /* It knows the half that is said to it, not the answer. */
    token[FERRY_PORT_TOKEN_HALF] = token[FERRY_PORT_TOKEN_HALF] == '0' ? '1' : '0';
    g_assert_cmpint(reach_with(port, token), ==, FERRY_REACH_OTHER);
    await_end();
}

static void
test_nobody_comes(void)
{
    gint64 begun = g_get_monotonic_time();
    g_autoptr(FerryJson) answer = ferry_port_listener_open(range);
    json_int_t for_ms = json_integer_value(json_object_get(answer, "for_ms"));

    await_end();
    g_assert_false(is_taken(range.last));
    g_assert_cmpint((g_get_monotonic_time() - begun) / 1000, >=, for_ms);
    g_assert_cmpint((g_get_monotonic_time() - begun) / 1000, <, for_ms + 1500);
}

static void
test_many_questions(void)
{
    guint taken = 0;

    for (guint i = 0; i < 50; i++) {
        g_autoptr(FerryJson) answer = ferry_port_listener_open(range);

        g_assert_true((json_array_size(json_object_get(answer, "ports")) == 0) ==
                      json_is_string(json_object_get(answer, "why")));
    }
    for (guint port = range.first; port <= range.last; port++)
        taken += is_taken((guint16)port) ? 1 : 0;
    g_assert_cmpuint(taken, ==, 8);
    /* The lowest are those that libvirt gives away next. */
    for (guint port = range.first; port < range.first + 24U; port++)
        g_assert_false(is_taken((guint16)port));
    await_end();
}

static GPtrArray *
listen_at_all(guint first, guint last)
{
    GPtrArray *listeners = g_ptr_array_new_with_free_func(g_object_unref);

    for (guint port = first; port <= last; port++) {
        GSocketListener *listener = g_socket_listener_new();

        g_assert_true(
            g_socket_listener_add_inet_port(listener, (guint16)port, /* source= */ NULL, NULL));
        g_ptr_array_add(listeners, listener);
    }
    return listeners;
}

static void
test_range_in_use(void)
{
    /* So many migrations arrive that the next of QEMU's ports may be there. */
    g_autoptr(GPtrArray) upper = listen_at_all(range.last - 15, range.last - 1);
    g_autoptr(GPtrArray) lower = listen_at_all(range.first + 20, range.first + 31);
    g_autoptr(FerryJson) answer = ferry_port_listener_open(range);

    g_assert_cmpuint(json_array_size(json_object_get(answer, "ports")), ==, 0);
    g_assert_nonnull(strstr(ferry_json_get_string(answer, "why"), "in use"));
}

static void
test_small_range(void)
{
    g_autoptr(FerryJson) few = ferry_port_listener_open((FerryPortRange){23000, 23006});
    g_autoptr(FerryJson) none = ferry_port_listener_open((FerryPortRange){23006, 23000});
    g_autoptr(FerryJson) one = ferry_port_listener_open((FerryPortRange){23000, 23007});

    g_assert_nonnull(strstr(ferry_json_get_string(few, "why"), "to spare"));
    g_assert_nonnull(strstr(ferry_json_get_string(none, "why"), "to spare"));
    g_assert_cmpuint(json_array_size(json_object_get(one, "ports")), ==, 1);
    await_end();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/port-listener/proof", test_proof);
    g_test_add_func("/port-listener/somebody-else", test_somebody_else);
    g_test_add_func("/port-listener/nobody-comes", test_nobody_comes);
    g_test_add_func("/port-listener/many-questions", test_many_questions);
    g_test_add_func("/port-listener/range-in-use", test_range_in_use);
    g_test_add_func("/port-listener/small-range", test_small_range);
    return g_test_run();
}
