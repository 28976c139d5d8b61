#include "config.h"

#include "session.h"

#include "ferry/config.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/patient-call.h"
#include "host-survey.h"
#include "output.h"

#include <string.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 15000
/* An agent whose libvirt is slow answers late; its own limit of a request is 45 s. */
#define SLOW_LIMIT_MS 45000
/* A ping is answered on the spot, whatever the agent and its libvirt are doing. */
#define PING_TIMEOUT_MS 2000
#define TRANSPORT_URL_VARIABLE "VIRT_FERRY_TRANSPORT_URL"

struct FerrySession {
    FerryBus *bus;
    char *topic; /* of notifications */
    guint timeout_ms;
    bool configured;   /* something names the broker; else it is the default */
    GCancellable *end; /* ends the calls that are under way */
    guint pending;     /* calls whose callback has not run yet; main thread */
};

typedef struct {
    FerrySession *session;
    char *host;
    char *method;
    json_t *args;
    guint timeout_ms;
} Call;

static void
call_free(Call *call)
{
    g_free(call->host);
    g_free(call->method);
    json_decref(call->args);
    g_free(call);
}

/* Without --config-file the host's configuration is read, if the user may: it holds the broker's
 * password. */
static FerryConfig *
load_config(const FerryInvocation *invocation, GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (guint i = 0; i < invocation->config_files->len; i++)
        g_strv_builder_add(builder, g_ptr_array_index(invocation->config_files, i));
    if (invocation->config_files->len == 0 && access(FERRY_CONFIG_FILE, R_OK) == 0)
        g_strv_builder_add(builder, FERRY_CONFIG_FILE);
    g_auto(GStrv) files = g_strv_builder_end(builder);
    return ferry_config_load((const char *const *)files, error);
}

/* Returns: true when anything names the broker. Without that the default is tried: a broker on this
 * machine. */
static bool
is_configured(const FerryInvocation *invocation, const FerryConfig *config)
{
    const char *variable = g_getenv(TRANSPORT_URL_VARIABLE);

    return invocation->transport_url || (variable && *variable != '\0') ||
           invocation->config_files->len > 0 ||
           ferry_config_origin(config, "DEFAULT", "transport_url");
}

static void
override(char **field, const char *text)
{
    if (!text || *text == '\0')
        return;
    g_free(*field);
    *field = g_strdup(text);
}

FerrySession *
ferry_session_new(const FerryInvocation *invocation, GError **error)
{
    g_autoptr(FerryConfig) config = load_config(invocation, error);

    if (!config)
        return NULL;
    override(&config->messaging->transport_url, g_getenv(TRANSPORT_URL_VARIABLE));
    override(&config->messaging->transport_url, invocation->transport_url);
    override(&config->messaging->control_exchange, invocation->exchange);
    g_autoptr(FerryBus) bus =
        ferry_bus_new(config->messaging, "virt-ferry", g_main_context_default(), error);
    if (!bus)
        return NULL;

    FerrySession *self = g_new0(FerrySession, 1);

    self->bus = g_steal_pointer(&bus);
    self->topic = g_strdup(config->notification_topics[0]);
    self->timeout_ms = invocation->timeout_s * 1000;
    self->configured = is_configured(invocation, config);
    self->end = g_cancellable_new();
    return self;
}

void
ferry_session_drain(FerrySession *self)
{
    g_cancellable_cancel(self->end);
    while (self->pending > 0)
        g_main_context_iteration(/* context= */ NULL, /* may_block= */ TRUE);
}

void
ferry_session_free(FerrySession *self)
{
    if (!self)
        return;
    ferry_session_drain(self); /* calls run in threads of their own and use the bus */
    ferry_bus_free(self->bus);
    g_object_unref(self->end);
    g_free(self->topic);
    g_free(self);
}

void
ferry_session_listen(FerrySession *self, FerryNotificationFunc func, gpointer user_data)
{
    g_autofree char *info = g_strconcat(self->topic, ".info", NULL);
    g_autofree char *failure = g_strconcat(self->topic, ".error", NULL);
    g_autofree char *sample = g_strconcat(self->topic, ".sample", NULL);
    const char *const keys[] = {info, failure, sample, NULL};

    ferry_bus_listen(self->bus, keys, func, user_data);
}

static void
say_unconfigured(GError **error)
{
    bool there = access(FERRY_CONFIG_FILE, F_OK) == 0;
    bool hidden = there && access(FERRY_CONFIG_FILE, R_OK) != 0;

    g_prefix_error(error, "No broker is configured, and there is none on this machine: ");
    ferry_error_set_hint(
        *error,
        hidden ? "You may not read " FERRY_CONFIG_FILE
                 ": run it as root, or name the broker by VIRT_FERRY_TRANSPORT_URL"
        : there ? "Set transport_url in " FERRY_CONFIG_FILE
                : "Name the broker by VIRT_FERRY_TRANSPORT_URL=rabbit://USER:PASSWORD@HOST/, or a "
                  "file that does by --config-file");
}

bool
ferry_session_connect(FerrySession *self, GError **error)
{
    g_autoptr(GError) why = NULL;

    /* The error names the reason, and where another broker answers nobody asks for it. */
    ferry_mute_warnings(true);
    ferry_bus_start(self->bus);
    if (ferry_bus_wait_ready(self->bus, MIN(self->timeout_ms, CONNECT_TIMEOUT_MS), &why)) {
        ferry_mute_warnings(false);
        return true;
    }
    if (!self->configured)
        say_unconfigured(&why);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

FerrySession *
ferry_session_open(const FerryInvocation *invocation, GError **error)
{
    g_autoptr(FerrySession) session = ferry_session_new(invocation, error);

    if (!session || !ferry_session_connect(session, error))
        return NULL;
    return g_steal_pointer(&session);
}

json_t *
ferry_session_call(
    FerrySession *self, const char *host, const char *method, json_t *args, GError **error)
{
    const FerryCall call = {
        .server = host,
        .method = method,
        .args = args,
        .timeout_ms = self->timeout_ms,
        .cancellable = self->end,
    };

    return ferry_patient_call(self->bus, &call, SLOW_LIMIT_MS, error);
}

static void
run_call(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Call *call = data;
    GError *error = NULL;
    const FerryCall question = {
        .server = call->host,
        .method = call->method,
        .args = g_steal_pointer(&call->args),
        .timeout_ms = call->timeout_ms,
        .cancellable = cancellable,
    };
    json_t *result = ferry_bus_call(call->session->bus, &question, &error);

    if (result)
        g_task_return_pointer(task, result, (GDestroyNotify)json_decref);
    else
        g_task_return_error(task, error);
}

static void
count_finished(GTask *task, GParamSpec *property, gpointer user_data)
{
    FerrySession *self = user_data;

    self->pending--;
}

void
ferry_session_call_async(FerrySession *self,
                         const FerryCall *question,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
    Call *call = g_new0(Call, 1);

    call->session = self;
    call->host = g_strdup(question->server);
    call->method = g_strdup(question->method);
    call->args = question->args;
    call->timeout_ms = question->timeout_ms > 0 ? question->timeout_ms : self->timeout_ms;
    g_autoptr(GTask) task = g_task_new(/* source= */ NULL, self->end, callback, user_data);
    g_task_set_task_data(task, call, (GDestroyNotify)call_free);
    self->pending++;
    /* "completed" is notified after the callback, however the call ended. */
    g_signal_connect(task, "notify::completed", G_CALLBACK(count_finished), self);
    g_task_run_in_thread(task, run_call);
}

json_t *
ferry_session_call_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

void
ferry_session_survey(FerrySession *self,
                     const char *method,
                     guint window_ms,
                     FerrySurveyFunc func,
                     gpointer user_data)
{
    const FerrySurvey survey = {.method = method, .window_ms = window_ms};
    g_autoptr(GError) ignored = NULL;

    if (!ferry_bus_survey(self->bus, &survey, func, user_data, &ignored))
        g_debug("Survey by %s: %s", method, ignored->message);
}

json_t *
ferry_session_hosts(FerrySession *self, GError **error)
{
    return ferry_host_survey(self->bus, error);
}

/* Returns: true when the agent of @host is there. A queue outlives its agent: without asking, each
 * question to a dead agent would take its whole time. */
static bool
check_alive(FerrySession *self, const char *host, GError **error)
{
    const FerryCall ping = {.server = host,
                            .method = "ping",
                            .args = json_object(),
                            .timeout_ms = MIN(self->timeout_ms, PING_TIMEOUT_MS),
                            .cancellable = self->end};
    g_autoptr(FerryJson) answer = ferry_bus_call(self->bus, &ping, error);

    return answer != NULL;
}

char **
ferry_session_host_names(FerrySession *self, const char *host, GError **error)
{
    const char *only[] = {host, NULL};

    if (!host)
        return ferry_host_survey_names(self->bus, error);
    return check_alive(self, host, error) ? g_strdupv((char **)only) : NULL;
}
