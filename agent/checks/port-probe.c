#include "config.h"

#include "checks/port-probe.h"

#include <gio/gio.h>

/* One round of probes; all callbacks run in the caller's thread, in a context of its own. */
typedef struct {
    GMainContext *context;
    GCancellable *over;
    gsize waiting;
} Round;

typedef struct {
    Round *round;
    FerryProbe *probe;
} Attempt;

static FerryReach
meaning_of(const GError *error)
{
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
        return FERRY_REACH_CLOSED;
    if (error->domain == G_RESOLVER_ERROR)
        return FERRY_REACH_NO_NAME;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        return FERRY_REACH_SILENT;
    return FERRY_REACH_NO_ROUTE;
}

static void
on_connected(GObject *client, GAsyncResult *result, gpointer data)
{
    Attempt *attempt = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, &error);

    attempt->probe->reach = connection ? FERRY_REACH_OPEN : meaning_of(error);
    attempt->round->waiting--;
    g_free(attempt);
}

static void
begin(Round *round, GSocketClient *client, FerryProbe *probe)
{
    Attempt *attempt = g_new0(Attempt, 1);
    g_autoptr(GSocketConnectable) address = g_network_address_new(probe->host, probe->port);

    attempt->round = round;
    attempt->probe = probe;
    round->waiting++;
    g_socket_client_connect_async(client, address, round->over, on_connected, attempt);
}

static gboolean
on_limit(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return G_SOURCE_REMOVE;
}

void
ferry_port_probe_run(FerryProbe *probes, gsize count, guint limit_ms)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GCancellable) over = g_cancellable_new();
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSource) limit = g_timeout_source_new(limit_ms);
    Round round = {context, over, 0};

    g_main_context_push_thread_default(context);
    g_socket_client_set_enable_proxy(client, FALSE);
    g_source_set_callback(limit, on_limit, over, NULL);
    g_source_attach(limit, context);
    for (gsize i = 0; i < count; i++)
        begin(&round, client, &probes[i]);
    while (round.waiting > 0)
        g_main_context_iteration(context, TRUE);
    g_source_destroy(limit);
    g_main_context_pop_thread_default(context);
}
