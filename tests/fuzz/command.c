/* What the command reads: answers and events. The first byte chooses what is asked for; the rest is
 * an array, whose elements are the answers to its calls in their order ({"error": ...}: a failure),
 * or the events that it hears.
 *
 * This file has the functions of cli/session.h: agents that answer so stand behind them. */
#include "config.h"

#include "input.h"
#include "target.h"

#include "../../cli/command.h"
#include "../../cli/journey.h"
#include "../../cli/progress-line.h"
#include "../../cli/report.h"
#include "../../cli/session.h"

#include "ferry/error.h"
#include "ferry/json.h"

/* --- the agents ------------------------------------------------------------------------------- */

struct FerrySession {
    const json_t *script;
    size_t next;
    FerryNotificationFunc listener;
    gpointer listener_data;
};

static FerrySession the_session;

static json_t *
answer(FerrySession *session, GError **error)
{
    return ferry_fuzz_next_answer(session->script, &session->next, error);
}

FerrySession *
ferry_session_new(const FerryInvocation *invocation, GError **error)
{
    return &the_session;
}

void
ferry_session_free(FerrySession *session)
{
}

void
ferry_session_listen(FerrySession *session, FerryNotificationFunc func, gpointer user_data)
{
    session->listener = func;
    session->listener_data = user_data;
}

/* Who listens hears all of it, and is then told that the broker is gone. */
bool
ferry_session_connect(FerrySession *session, GError **error)
{
    size_t index = 0;
    json_t *event = NULL;

    if (!session->listener)
        return true;
    json_array_foreach(session->script, index, event)
        session->listener(event, session->listener_data);
    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "No broker");
    return false;
}

FerryConfig *
ferry_session_load_config(const FerryInvocation *invocation, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_CONFIG, NULL, "No configuration");
    return NULL;
}

FerrySession *
ferry_session_open(const FerryInvocation *invocation, GError **error)
{
    return &the_session;
}

json_t *
ferry_session_call(
    FerrySession *session, const char *host, const char *method, json_t *args, GError **error)
{
    json_decref(args);
    return answer(session, error);
}

void
ferry_session_call_async(FerrySession *session,
                         const FerryCall *question,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
    g_assert_not_reached();
}

json_t *
ferry_session_call_finish(GAsyncResult *result, GError **error)
{
    g_assert_not_reached();
}

void
ferry_session_drain(FerrySession *session)
{
}

json_t *
ferry_session_hosts(FerrySession *session, GError **error)
{
    json_t *hosts = answer(session, error);

    if (!hosts || json_is_array(hosts))
        return hosts;
    json_decref(hosts);
    return json_array();
}

void
ferry_session_survey(FerrySession *session,
                     const char *method,
                     guint window_ms,
                     FerrySurveyFunc func,
                     gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) told = answer(session, &error);

    func(told, error, user_data);
}

char **
ferry_session_host_names(FerrySession *session, const char *host, GError **error)
{
    static const char *const names[] = {"kvm01", "kvm02", NULL};

    return g_strdupv((char **)names);
}

/* --- the command ------------------------------------------------------------------------------ */

static void
print_nothing(const char *text)
{
    g_assert_true(g_utf8_validate(text, -1, NULL));
}

static void
run(const char *const *words)
{
    const FerryCommand *command = ferry_command_find(words[0]);
    g_autoptr(FerryInvocation) invocation = ferry_invocation_new();
    char *argv[8] = {NULL};
    int argc = 0;

    for (; words[argc]; argc++)
        argv[argc] = (char *)words[argc];
    (void)command->run(invocation, argc, argv);
}

/* As `migrate` does with what it hears, on lines of any width. */
static void
follow(const json_t *events)
{
    g_autoptr(FerryJourney) journey = ferry_journey_new("m-1", "kvm01");
    size_t index = 0;
    json_t *event = NULL;

    json_array_foreach(events, index, event) {
        if (!ferry_journey_take_event(journey, event) && !ferry_journey_take_record(journey, event))
            continue;
        for (guint columns = 0; columns < 120; columns += 40)
            g_free(ferry_progress_line_render(ferry_journey_latest(journey), columns));
        ferry_report_print_outcome(ferry_journey_latest(journey));
    }
}

static const char *const commands[][7] = {
    {"hosts"},
    {"list"},
    {"show", "m-1"},
    {"abort", "m-1"},
    {"force-complete", "m-1", "--host", "kvm01"},
    {"resolve", "m-1", "--host", "kvm01"},
    {"check", "web-1", "--from", "kvm01", "--to", "kvm02"},
    {"quarantine", "list"},
    {"quarantine", "restore", "m-1"},
    {"watch"},
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;

    g_autoptr(FerryJson) script =
        json_loadb((const char *)data + 1, size - 1, JSON_ALLOW_NUL, NULL);
    const guint chosen = data[0] % (G_N_ELEMENTS(commands) + 1);

    if (!json_is_array(script))
        return 0;
    g_set_print_handler(print_nothing);
    g_set_printerr_handler(print_nothing);
    the_session = (FerrySession){.script = script};
    if (chosen < G_N_ELEMENTS(commands))
        run(commands[chosen]);
    else
        follow(script);
    g_set_print_handler(NULL);
    g_set_printerr_handler(NULL);
    return 0;
}
