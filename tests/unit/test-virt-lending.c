/* Connections that are lent: to one at a time, and opened one at a time. */
#include "config.h"

#include "ferry/error.h"
#include "runtime/detached-call.h"
#include "virt/auto.h"
#include "virt/lending.h"

#define ASKERS 8

static virConnectPtr
take(FerryLending *lending)
{
    g_autoptr(GError) error = NULL;
    virConnectPtr connection = ferry_lending_take(lending, &error);

    g_assert_no_error(error);
    g_assert_nonnull(connection);
    return connection;
}

static void
test_one_for_each(void)
{
    g_autoptr(FerryLending) lending = ferry_lending_new("test:///default");
    g_autoptr(virConnect) first = take(lending);
    g_autoptr(virConnect) second = take(lending);

    g_assert_true(first != second);
}

static void
test_given_back(void)
{
    g_autoptr(FerryLending) lending = ferry_lending_new("test:///default");
    virConnectPtr first = take(lending);

    ferry_virt_let_go(first);
    for (guint i = 0; i < 3; i++) {
        g_autoptr(virConnect) again = take(lending);

        g_assert_true(again == first);
    }
}

/* More than are kept: the others are closed, apart. */
static void
test_many(void)
{
    g_autoptr(FerryLending) lending = ferry_lending_new("test:///default");
    virConnectPtr connections[ASKERS];

    for (guint i = 0; i < ASKERS; i++)
        connections[i] = take(lending);
    for (guint i = 0; i < ASKERS; i++)
        ferry_virt_let_go(connections[i]);
    g_assert_true(ferry_detached_calls_await_none(10000));
    ferry_virt_let_go(take(lending));
}

/* The lender is gone: what comes back is closed. One that was never lent is closed, too. */
static void
test_late(void)
{
    FerryLending *lending = ferry_lending_new("test:///default");
    virConnectPtr late = take(lending);

    ferry_lending_free(lending);
    ferry_virt_let_go(late);
    ferry_virt_let_go(virConnectOpen("test:///default"));
    g_assert_true(ferry_detached_calls_await_none(10000));
}

/* --- a libvirtd that takes connections and says nothing --------------------------------------- */

static gpointer
ask(gpointer lending)
{
    GError *error = NULL;

    g_assert_null(ferry_lending_take(lending, &error));
    return error;
}

static gpointer
cancel(gpointer cancellable)
{
    g_usleep(100 * 1000);
    g_cancellable_cancel(cancellable);
    return NULL;
}

/* Nobody comes for a while. */
static void
assert_quiet(GSocketListener *listener)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    GThread *thread = g_thread_new("cancel", cancel, cancellable);

    g_assert_null(g_socket_listener_accept(listener, NULL, cancellable, NULL));
    g_thread_join(thread);
}

static void
test_hanging_opening_is_shared(void)
{
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    const guint16 port = g_socket_listener_add_any_inet_port(listener, NULL, NULL);
    g_autofree char *uri = g_strdup_printf("qemu+tcp://127.0.0.1:%u/system", port);
    g_autoptr(FerryLending) lending = ferry_lending_new(uri);
    GThread *askers[ASKERS];

    for (guint i = 0; i < ASKERS; i++)
        askers[i] = g_thread_new("ask", ask, lending);

    g_autoptr(GSocketConnection) one = g_socket_listener_accept(listener, NULL, NULL, NULL);

    g_assert_nonnull(one);
    assert_quiet(listener);
    /* Who comes now is refused. */
    g_socket_listener_close(listener);
    g_io_stream_close(G_IO_STREAM(one), NULL, NULL);
    for (guint i = 0; i < ASKERS; i++) {
        g_autoptr(GError) error = g_thread_join(askers[i]);

        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
        g_assert_nonnull(strstr(error->message, "Cannot connect"));
    }
    g_assert_true(ferry_detached_calls_await_none(10000));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* That a connection is not watched for standing still is warned of. */
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    virEventRegisterDefaultImpl();
    g_test_add_func("/virt-lending/one-for-each", test_one_for_each);
    g_test_add_func("/virt-lending/given-back", test_given_back);
    g_test_add_func("/virt-lending/many", test_many);
    g_test_add_func("/virt-lending/late", test_late);
    g_test_add_func("/virt-lending/hanging-opening-is-shared", test_hanging_opening_is_shared);
    return g_test_run();
}
