#include "config.h"

#include "checks/port-probe.h"

#include "checks/port-listener.h"

#include <gio/gio.h>

#include <string.h>

/* One port; all callbacks run in the caller's thread, in a context of its own. */
typedef struct {
    FerryProbe *probe;
    GCancellable *over;
    GSource *limit;
    GSocketConnection *connection; /* NULL until it stands */
    char answer[FERRY_PORT_TOKEN_HALF];
    gsize *waiting;
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
end(Attempt *self, FerryReach reach)
{
    self->probe->reach = reach;
    (*self->waiting)--;
    g_source_destroy(self->limit);
    g_source_unref(self->limit);
    g_clear_object(&self->connection);
    g_object_unref(self->over);
    g_free(self);
}

static void
on_answered(GObject *stream, GAsyncResult *result, gpointer data)
{
    Attempt *self = data;
    const char *expected = self->probe->token + FERRY_PORT_TOKEN_HALF;
    gsize length = 0;
    bool read = g_input_stream_read_all_finish(G_INPUT_STREAM(stream), result, &length, NULL);

    end(self, read && length == sizeof self->answer &&
                      memcmp(self->answer, expected, sizeof self->answer) == 0
                  ? FERRY_REACH_OPEN
                  : FERRY_REACH_OTHER);
}

static void
on_said(GObject *stream, GAsyncResult *result, gpointer data)
{
    Attempt *self = data;

    if (!g_output_stream_write_all_finish(G_OUTPUT_STREAM(stream), result, NULL, NULL))
        end(self, FERRY_REACH_OTHER);
    else
        g_input_stream_read_all_async(g_io_stream_get_input_stream(G_IO_STREAM(self->connection)),
                                      self->answer, sizeof self->answer, G_PRIORITY_DEFAULT,
                                      self->over, on_answered, self);
}

static void
on_connected(GObject *client, GAsyncResult *result, gpointer data)
{
    Attempt *self = data;
    g_autoptr(GError) error = NULL;

    self->connection = g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, &error);
    if (!self->connection)
        end(self, meaning_of(error));
    else if (!self->probe->token)
        end(self, FERRY_REACH_OPEN);
    else
        g_output_stream_write_all_async(
            g_io_stream_get_output_stream(G_IO_STREAM(self->connection)), self->probe->token,
            FERRY_PORT_TOKEN_HALF, G_PRIORITY_DEFAULT, self->over, on_said, self);
}

static gboolean
on_limit(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return G_SOURCE_CONTINUE;
}

static void
begin(FerryProbe *probe, GSocketClient *client, GMainContext *context, gsize *waiting)
{
    Attempt *self = g_new0(Attempt, 1);
    g_autoptr(GSocketConnectable) address = g_network_address_new(probe->host, probe->port);

    self->probe = probe;
    self->over = g_cancellable_new();
    self->limit = g_timeout_source_new(probe->limit_ms);
    self->waiting = waiting;
    (*waiting)++;
    g_source_set_callback(self->limit, on_limit, self->over, NULL);
    g_source_attach(self->limit, context);
    g_socket_client_connect_async(client, address, self->over, on_connected, self);
}

void
ferry_port_probe_run(FerryProbe *probes, gsize count)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSocketClient) client = g_socket_client_new();
    gsize waiting = 0;

    g_main_context_push_thread_default(context);
    g_socket_client_set_enable_proxy(client, FALSE);
    for (gsize i = 0; i < count; i++)
        begin(&probes[i], client, context, &waiting);
    while (waiting > 0)
        g_main_context_iteration(context, TRUE);
    g_main_context_pop_thread_default(context);
}
