#include "config.h"

#include "command.h"
#include "ferry/json.h"
#include "format.h"
#include "output.h"
#include "progress-line.h"
#include "session.h"

#include <glib-unix.h>

#include <signal.h>
#include <stdio.h>

#define PUBLISHER_PREFIX "virt-ferryd."

typedef struct {
    char *host;
    char *instance;
    char *migration;
    gboolean no_progress;
    bool json;
} Watch;

static void
watch_clear(Watch *watch)
{
    g_free(watch->host);
    g_free(watch->instance);
    g_free(watch->migration);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Watch, watch_clear)

static GOptionGroup *
group_new(Watch *watch)
{
    const GOptionEntry entries[] = {
        {"host", 0, 0, G_OPTION_ARG_STRING, &watch->host, "Only this host's", "HOST"},
        {"instance", 0, 0, G_OPTION_ARG_STRING, &watch->instance, "Only this one's", "INSTANCE"},
        {"migration", 0, 0, G_OPTION_ARG_STRING, &watch->migration, "Only this one's", "ID"},
        {"no-progress", 0, 0, G_OPTION_ARG_NONE, &watch->no_progress, "Leave progress out", NULL},
        {.long_name = NULL},
    };
    GOptionGroup *group = g_option_group_new("watch", "", "", NULL, NULL);

    g_option_group_add_entries(group, entries);
    return group;
}

/* Returns: (transfer none): the host in "virt-ferryd.kvm01"; "?" for another publisher. */
static const char *
publisher_host(const json_t *body)
{
    const char *publisher = ferry_json_get_string(body, "publisher_id");

    if (!publisher || !g_str_has_prefix(publisher, PUBLISHER_PREFIX))
        return "?";
    return publisher + sizeof PUBLISHER_PREFIX - 1;
}

static bool
is_wanted(const Watch *watch, const json_t *body)
{
    const json_t *payload = json_object_get(body, "payload");
    const json_t *instance = json_object_get(payload, "instance");
    const char *type = ferry_json_get_string(body, "event_type");

    if (watch->host && g_strcmp0(watch->host, publisher_host(body)) != 0)
        return false;
    if (watch->migration &&
        g_strcmp0(watch->migration, ferry_json_get_string(payload, "migration_id")) != 0)
        return false;
    if (watch->instance &&
        g_strcmp0(watch->instance, ferry_json_get_string(instance, "name")) != 0 &&
        g_strcmp0(watch->instance, ferry_json_get_string(instance, "uuid")) != 0)
        return false;
    return !watch->no_progress || g_strcmp0(type, "migration.progress") != 0;
}

/* Returns: (transfer full): what the event says beyond its name. */
static char *
describe(const json_t *payload)
{
    const json_t *error = json_object_get(payload, "error");
    const char *message = ferry_json_get_string(error, "message");

    if (message)
        return g_strdup_printf("%s: %s", ferry_json_get_string(error, "code"), message);
    if (!ferry_json_get_string(payload, "status"))
        return g_strdup("");
    return ferry_progress_line_render(payload, /* columns= */ 0);
}

static void
print_event(const json_t *body)
{
    const json_t *payload = json_object_get(body, "payload");
    const char *type = ferry_json_get_string(body, "event_type");
    const char *time = ferry_json_get_string(payload, "at");
    const char *name = ferry_json_get_string(json_object_get(payload, "instance"), "name");
    const char *id = ferry_json_get_string(payload, "migration_id");
    g_autofree char *shown_time =
        ferry_format_time(time ? time : ferry_json_get_string(body, "timestamp"));
    g_autofree char *text = describe(payload);

    ferry_say("%.19s  %s  %s  %s  %s  %s", shown_time, publisher_host(body), type ? type : "?",
              name ? name : "-", id ? id : "-", text);
    fflush(stdout);
}

static void
on_event(const json_t *body, gpointer user_data)
{
    const Watch *watch = user_data;

    if (!is_wanted(watch, body))
        return;
    if (watch->json)
        ferry_print_json(body);
    else
        print_event(body);
}

static gboolean
on_signal(gpointer user_data)
{
    g_main_loop_quit(user_data);
    return G_SOURCE_CONTINUE;
}

static void
run_until_signal(void)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(/* context= */ NULL, /* is_running= */ FALSE);
    guint interrupt = g_unix_signal_add(SIGINT, on_signal, loop);
    guint terminate = g_unix_signal_add(SIGTERM, on_signal, loop);

    g_main_loop_run(loop);
    g_source_remove(interrupt);
    g_source_remove(terminate);
}

FerryExit
ferry_command_watch(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(Watch) watch = {0};

    if (!ferry_invocation_parse(invocation, group_new(&watch), 0, &argc, &argv, &error))
        return ferry_report_error(error, invocation->json);
    watch.json = invocation->json;
    g_autoptr(FerrySession) session = ferry_session_new(invocation, &error);
    if (!session)
        return ferry_report_error(error, invocation->json);
    ferry_session_listen(session, on_event, &watch);
    if (!ferry_session_connect(session, &error))
        return ferry_report_error(error, invocation->json);
    g_printerr("virt-ferry: watching\n"); /* from here on nothing is missed */
    run_until_signal();
    return FERRY_EXIT_DONE;
}
