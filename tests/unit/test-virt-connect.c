/* Connections to a libvirtd that is not there, and to one that takes them and says nothing. */
#include "config.h"

#include "ferry/error.h"
#include "runtime/detached-call.h"
#include "virt/auto.h"
#include "virt/virt.h"

/* Nobody accepts what comes in there. */
static GSocketListener *
silent_listener(char **ret_uri)
{
    g_autoptr(GError) error = NULL;
    GSocketListener *listener = g_socket_listener_new();
    guint16 port = g_socket_listener_add_any_inet_port(listener, NULL, &error);

    g_assert_no_error(error);
    *ret_uri = g_strdup_printf("qemu+tcp://127.0.0.1:%u/system", port);
    return listener;
}

/* Each who asks is told why. */
static void
test_closed(void)
{
    g_autofree char *uri = NULL;
    g_autoptr(GSocketListener) listener = silent_listener(&uri);
    g_autoptr(FerryVirt) virt = ferry_virt_new(uri);

    g_socket_listener_close(listener);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(ferry_virt_connect(virt, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
        g_assert_nonnull(strstr(error->message, uri));
        g_assert_false(ferry_virt_is_connected(virt));
    }
}

static void
test_far_is_closed(void)
{
    g_autofree char *uri = NULL;
    g_autoptr(GSocketListener) listener = silent_listener(&uri);
    g_autoptr(GError) error = NULL;

    g_socket_listener_close(listener);
    g_assert_null(ferry_virt_connect_to(uri, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
}

static gpointer
cancel(gpointer cancellable)
{
    g_usleep(50 * 1000);
    g_cancellable_cancel(cancellable);
    return NULL;
}

/* The opening hangs, is left behind, and ends with the other side. */
static void
test_far_is_silent(void)
{
    g_autofree char *uri = NULL;
    g_autoptr(GSocketListener) listener = silent_listener(&uri);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_new("cancel", cancel, cancellable);

    g_assert_null(ferry_virt_connect_to(uri, cancellable, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CANCELLED);
    g_assert_false(ferry_detached_calls_await_none(0));
    g_thread_join(thread);
    g_socket_listener_close(listener);
    g_assert_true(ferry_detached_calls_await_none(10000));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* That libvirt is away is warned of. */
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    g_test_add_func("/virt-connect/closed", test_closed);
    g_test_add_func("/virt-connect/far-is-closed", test_far_is_closed);
    g_test_add_func("/virt-connect/far-is-silent", test_far_is_silent);
    return g_test_run();
}
