/* rpc-server.c: the peer that the wire tests talk to: the real bus with methods of no use.
 *
 * Tells on standard output, one JSON document a line, what its callbacks saw.
 */
#include "config.h"

#include "ferry/bus.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"

#include <glib-unix.h>

#include <stdio.h>

#define FLUSH_MS 5000

typedef struct {
    FerryBus *bus;
    GMainLoop *loop;
    guint confirmed;
} Server;

static const char *const echo_arguments[] = {"a", "b", "c", "u", "text", "mark", NULL};
static const char *const sleep_required[] = {"seconds", NULL};
static const char *const mark_argument[] = {"mark", NULL};
static const char *const order_arguments[] = {"seconds", "mark", NULL};
static const char *const fail_arguments[] = {"kind", "message", NULL};
static const char *const notify_required[] = {"count", NULL};
static const char *const notify_optional[] = {"event_type", "priority", "topic",
                                              "payload",    "sample",   NULL};
static const char *const call_required[] = {"ask", NULL};
static const char *const call_optional[] = {"server", "args", "timeout_ms", "cancel_ms", NULL};
static const char *const survey_optional[] = {"window_ms", NULL};

static const FerryMethod methods[] = {
    {"echo", FERRY_METHOD_SHARED, NULL, echo_arguments},
    {"nothing", FERRY_METHOD_SHARED, NULL, mark_argument},
    {"who", FERRY_METHOD_SHARED, NULL, mark_argument},
    {"sleep", FERRY_METHOD_SHARED, sleep_required, mark_argument},
    {"fail", FERRY_METHOD_SHARED, NULL, fail_arguments},
    {"forget", FERRY_METHOD_SHARED, NULL, NULL},
    {"order", FERRY_METHOD_ORDER, NULL, order_arguments},
    {"notify", FERRY_METHOD_SHARED, notify_required, notify_optional},
    {"call", FERRY_METHOD_SHARED, call_required, call_optional},
    {"survey", FERRY_METHOD_SHARED, call_required, survey_optional},
    {NULL, FERRY_METHOD_NONE, NULL, NULL},
};

static char *server_name;

/* @line: (transfer full). Any thread. */
static void
tell(json_t *line)
{
    g_autofree char *text = ferry_json_dump(line);
    printf("%s\n", text);
    fflush(stdout);
    json_decref(line);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void
answer_who(FerryRequest *request)
{
    ferry_request_reply(request, json_string(server_name));
}

static void
answer_echo(FerryRequest *request)
{
    ferry_request_reply(request, json_incref(ferry_request_args(request)));
}

static gboolean
finish_sleep(gpointer data)
{
    FerryRequest *request = data;
    const json_t *args = ferry_request_args(request);
    tell(json_pack("{s:s, s:O?}", "slept", ferry_request_method(request), "mark",
                   json_object_get(args, "mark")));
    ferry_request_reply(request, json_pack("{s:O?}", "slept", json_object_get(args, "seconds")));
    return G_SOURCE_REMOVE;
}

static void
answer_later(FerryRequest *request)
{
    double seconds = json_number_value(json_object_get(ferry_request_args(request), "seconds"));
    g_timeout_add_full(G_PRIORITY_DEFAULT, (guint)(seconds * 1000), finish_sleep,
                       ferry_request_ref(request), (GDestroyNotify)ferry_request_unref);
}

static void
answer_fail(FerryRequest *request)
{
    const json_t *args = ferry_request_args(request);
    const char *kind = ferry_json_get_string(args, "kind");
    const char *message = ferry_json_get_string(args, "message");
    FerryErrorCode code = FERRY_ERROR_INSTANCE_ALREADY_MIGRATING;
    if (kind != NULL)
        (void)ferry_error_code_from_name(kind, &code);
    g_autoptr(GError) error =
        ferry_error_new(code, "Wait for it", "%s", message != NULL ? message : "failed");
    ferry_error_set_detail(error, "number", json_integer(409));
    ferry_request_fail(request, error);
}

/* --- notifications ---------------------------------------------------------------------------- */

static void
on_confirmed(gpointer user_data)
{
    Server *server = user_data;
    server->confirmed++;
    if (server->confirmed % 100 == 0 || server->confirmed < 100)
        tell(json_pack("{s:i}", "confirmed", (int)server->confirmed));
}

static void
notify(Server *server, const json_t *args, int number)
{
    const char *topic = ferry_json_get_string(args, "topic");
    const char *priority = ferry_json_get_string(args, "priority");
    const char *event_type = ferry_json_get_string(args, "event_type");
    g_autofree char *message_id = g_uuid_string_random();
    json_t *payload = json_object_get(args, "payload");
    g_autoptr(FerryJson) numbered =
        payload != NULL ? json_incref(payload) : json_pack("{s:i}", "number", number);
    const FerryNotification notification = {
        .topic = topic != NULL ? topic : "notifications",
        .priority = priority != NULL ? priority : "info",
        .publisher_id = "rpc-server.test",
        .event_type = event_type != NULL ? event_type : "test.event",
        .message_id = message_id,
        .time_us = ferry_clock_now_us(),
        .payload = numbered,
        .sample = ferry_json_get_bool(args, "sample", false),
        .replace_key = "test",
    };
    ferry_bus_notify(server->bus, &notification, on_confirmed, server);
}

static void
answer_notify(Server *server, FerryRequest *request)
{
    const json_t *args = ferry_request_args(request);
    gint64 count = ferry_json_get_int(args, "count", 1);
    for (int i = 0; i < count; i++)
        notify(server, args, i);
    ferry_request_reply(request, json_integer(count));
}

static void
on_notification(const json_t *body, gpointer user_data)
{
    tell(json_pack("{s:O}", "heard", body));
}

/* --- calls of its own ------------------------------------------------------------------------- */

typedef struct {
    FerryBus *bus;
    FerryRequest *request;
} Errand;

static gpointer
cancel_later(gpointer data)
{
    g_usleep(200000);
    g_cancellable_cancel(data);
    g_object_unref(data);
    return NULL;
}

static gpointer
run_call(gpointer data)
{
    Errand *errand = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    const json_t *args = ferry_request_args(errand->request);
    if (json_object_get(args, "cancel_ms") != NULL)
        g_thread_unref(g_thread_new("cancel", cancel_later, g_object_ref(cancellable)));
    const FerryCall call = {
        .server = ferry_json_get_string(args, "server"),
        .method = ferry_json_get_string(args, "ask"),
        .args = json_incref(json_object_get(args, "args")),
        .timeout_ms = (guint)ferry_json_get_int(args, "timeout_ms", 5000),
        .cancellable = cancellable,
    };
    json_t *result = ferry_bus_call(errand->bus, &call, &error);
    if (result != NULL)
        ferry_request_reply(errand->request, json_pack("{s:o}", "result", result));
    else
        ferry_request_reply(errand->request,
                            json_pack("{s:o}", "error", ferry_error_to_json(error)));
    ferry_request_unref(errand->request);
    g_free(errand);
    return NULL;
}

static void
collect(const json_t *result, const GError *error, gpointer user_data)
{
    json_array_append_new(user_data,
                          error != NULL ? ferry_error_to_json(error) : json_deep_copy(result));
}

static gpointer
run_survey(gpointer data)
{
    Errand *errand = data;
    g_autoptr(GError) error = NULL;
    const json_t *args = ferry_request_args(errand->request);
    json_t *answers = json_array();
    const FerrySurvey survey = {
        .method = ferry_json_get_string(args, "ask"),
        .window_ms = (guint)ferry_json_get_int(args, "window_ms", 1000),
    };
    if (ferry_bus_survey(errand->bus, &survey, collect, answers, &error))
        ferry_request_reply(errand->request, json_incref(answers));
    else
        ferry_request_fail(errand->request, error);
    json_decref(answers);
    ferry_request_unref(errand->request);
    g_free(errand);
    return NULL;
}

static void
answer_in_thread(Server *server, FerryRequest *request, GThreadFunc func)
{
    Errand *errand = g_new0(Errand, 1);
    errand->bus = server->bus;
    errand->request = ferry_request_ref(request);
    g_thread_unref(g_thread_new("errand", func, errand));
}

/* --- the server ------------------------------------------------------------------------------- */

static void
on_request(FerryRequest *request, gpointer user_data)
{
    Server *server = user_data;
    const char *method = ferry_request_method(request);
    tell(json_pack("{s:s, s:O?, s:i, s:s?}", "run", method, "mark",
                   json_object_get(ferry_request_args(request), "mark"), "addressing",
                   (int)ferry_request_addressing(request), "log_id",
                   ferry_request_log_id(request)));
    if (g_str_equal(method, "echo"))
        answer_echo(request);
    else if (g_str_equal(method, "who"))
        answer_who(request);
    else if (g_str_equal(method, "nothing"))
        ferry_request_reply(request, NULL);
    else if (g_str_equal(method, "sleep") || g_str_equal(method, "order"))
        answer_later(request);
    else if (g_str_equal(method, "fail"))
        answer_fail(request);
    else if (g_str_equal(method, "notify"))
        answer_notify(server, request);
    else if (g_str_equal(method, "call"))
        answer_in_thread(server, request, run_call);
    else if (g_str_equal(method, "survey"))
        answer_in_thread(server, request, run_survey);
    /* "forget" does nothing. */
}

static void
on_refused(const GError *error, gpointer user_data)
{
    tell(json_pack("{s:o}", "refused", ferry_error_to_json(error)));
}

static void
on_taken(const GError *error, gpointer user_data)
{
    tell(json_pack("{s:o}", "taken", ferry_error_to_json(error)));
}

static gpointer
tell_ready(gpointer data)
{
    g_autoptr(GError) error = NULL;
    if (ferry_bus_wait_ready(data, 60000, &error))
        tell(json_pack("{s:b}", "ready", 1));
    else
        tell(json_pack("{s:o}", "unready", ferry_error_to_json(error)));
    return NULL;
}

static gboolean
on_term(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

static bool
apply_options(FerryMessagingOptions *options, char **pairs, GError **error)
{
    for (guint i = 0; pairs != NULL && pairs[i] != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(pairs[i], "=", 2);
        bool known = false;
        if (!ferry_messaging_options_set(options, parts[0], parts[1], &known, error))
            return false;
    }
    return true;
}

static int
run(const FerryMessagingOptions *options, char **keys, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Server server = {.loop = loop};
    const FerryService service = {server_name, methods, on_request, &server};
    g_autoptr(FerryBus) bus = ferry_bus_new(options, "rpc-server", g_main_context_default(), error);
    if (bus == NULL)
        return 2;
    server.bus = bus;
    ferry_bus_serve(bus, &service);
    if (keys != NULL)
        ferry_bus_listen(bus, (const char *const *)keys, on_notification, &server);
    ferry_bus_set_refused_func(bus, on_refused, &server);
    ferry_bus_set_taken_func(bus, on_taken, &server);
    g_unix_signal_add(SIGTERM, on_term, loop);
    ferry_bus_start(bus);
    GThread *ready = g_thread_new("ready", tell_ready, bus);
    g_main_loop_run(loop);
    ferry_bus_stop_serving(bus);
    tell(json_pack("{s:b}", "flushed", ferry_bus_flush(bus, FLUSH_MS)));
    g_thread_join(ready);
    return 0;
}

int
main(int argc, char **argv)
{
    g_autofree char *url = NULL;
    g_autofree char *exchange = NULL;
    g_auto(GStrv) rabbit = NULL;
    g_auto(GStrv) keys = NULL;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"url", 0, 0, G_OPTION_ARG_STRING, &url, "transport_url", "URL"},
        {"exchange", 0, 0, G_OPTION_ARG_STRING, &exchange, "control_exchange", "NAME"},
        {"server", 0, 0, G_OPTION_ARG_STRING, &server_name, "host name to serve as", "NAME"},
        {"rabbit", 0, 0, G_OPTION_ARG_STRING_ARRAY, &rabbit, "an option", "NAME=VALUE"},
        {"listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &keys, "a routing key", "KEY"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(FerryMessagingOptions) options = ferry_messaging_options_new();
    g_option_context_add_main_entries(context, entries, NULL);
    int status = 2;
    if (g_option_context_parse(context, &argc, &argv, &error) &&
        apply_options(options, rabbit, &error)) {
        g_free(options->transport_url);
        options->transport_url = g_strdup(url);
        if (exchange != NULL) {
            g_free(options->control_exchange);
            options->control_exchange = g_strdup(exchange);
        }
        status = run(options, keys, &error);
    }
    if (error != NULL)
        fprintf(stderr, "rpc-server: %s\n", error->message);
    g_free(server_name);
    return status;
}
