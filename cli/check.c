#include "config.h"

#include "check-table.h"
#include "command.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "order.h"
#include "output.h"
#include "place.h"
#include "route.h"
#include "session.h"

typedef struct {
    const FerryInvocation *invocation;
    gboolean verbose;
    char *host; /* that alone is looked at; NULL: an instance is */
} Settings;

static void
settings_clear(Settings *settings)
{
    g_clear_pointer(&settings->host, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, settings_clear)

typedef struct {
    const FerryRoute *route;
    const char *instance;
    const json_t *source;
    const json_t *destination; /* NULL: it did not answer */
} Answers;

static bool
is_compatible(const Answers *answers)
{
    return ferry_json_get_bool(answers->source, "compatible", false) &&
           ferry_json_get_bool(answers->destination, "compatible", false);
}

static void
print_checks(const Answers *answers, bool verbose)
{
    const FerryCheckAnswer both[] = {{answers->route->from, answers->source},
                                     {answers->route->to, answers->destination}};
    bool failed = false;
    g_autofree char *sum = ferry_check_table_sum_up(both, G_N_ELEMENTS(both), &failed);

    ferry_check_table_print(both, G_N_ELEMENTS(both), verbose);
    /* The last line: what the whole table comes to. */
    if (!answers->destination && !failed)
        ferry_say("%s: it is not known whether it can move to %s", answers->instance,
                  answers->route->to);
    else
        ferry_say("%s %s%s%s", answers->instance,
                  is_compatible(answers) ? "can move" : "cannot move", sum ? ": " : "",
                  sum ? sum : "");
}

/* Has the source check itself, the destination and the link between them. */
static json_t *
ask_source(FerrySession *session,
           const FerryRoute *route,
           const char *instance,
           json_t *options,
           GError **error)
{
    json_t *args = json_pack("{s:o,s:o,s:O}", "instance", ferry_json_text(instance), "host",
                             ferry_json_text(route->to), "options", options);

    return ferry_session_call(session, route->from, "check_can_live_migrate_source", args, error);
}

/* The source answers what the destination told it. If it did not ask the destination, that is asked
 * from here. Returns: (transfer full): what the destination answered. */
static json_t *
get_destination(FerrySession *session,
                const FerryRoute *route,
                const json_t *source,
                json_t *options,
                GError **error)
{
    json_t *heard = json_object_get(source, "destination");
    const json_t *why = json_object_get(source, "destination_error");
    json_t *info = json_object_get(source, "instance_info");

    if (json_is_object(heard))
        return json_incref(heard);
    if (json_is_object(why)) {
        g_propagate_error(error, ferry_error_from_json(why));
        return NULL;
    }
    if (!json_is_object(info)) {
        ferry_set_error(error, FERRY_ERROR_REMOTE, "see the log of virt-ferryd on the source",
                        "%s answered without instance_info", route->from);
        return NULL;
    }
    json_t *args = json_pack("{s:O,s:O}", "instance_info", info, "options", options);
    return ferry_session_call(session, route->to, "check_can_live_migrate_destination", args,
                              error);
}

static FerryExit
report(const Answers *answers, bool json, bool verbose)
{
    bool compatible = is_compatible(answers);

    if (json) {
        g_autoptr(FerryJson) document =
            json_pack("{s:b,s:O,s:O}", "compatible", compatible, "source", answers->source,
                      "destination", answers->destination);

        ferry_print_json(document);
    } else {
        print_checks(answers, verbose);
    }
    return compatible ? FERRY_EXIT_DONE : FERRY_EXIT_FAILED;
}

static FerryExit
report_refusal(FerrySession *session,
               const Answers *answers,
               GError *error,
               const FerryInvocation *invocation)
{
    const char *const hosts[] = {answers->route->from, answers->route->to, NULL};

    ferry_place_explain(session, answers->instance, hosts, error);
    return ferry_report_error(error, invocation->json);
}

static FerryExit
run(FerrySession *session,
    FerryRoute *route,
    const char *name,
    json_t *options,
    const Settings *settings)
{
    const FerryInvocation *invocation = settings->invocation;
    g_autoptr(GError) error = NULL;
    g_autofree char *instance = ferry_place_complete(session, route, name, &error);
    Answers answers = {.route = route, .instance = instance ? instance : name};

    if (!instance)
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerryJson) source = ask_source(session, route, instance, options, &error);
    if (!source)
        return report_refusal(session, &answers, error, invocation);
    answers.source = source;
    g_autoptr(FerryJson) destination = get_destination(session, route, source, options, &error);
    if (!destination) {
        FerryExit status = report_refusal(session, &answers, error, invocation);

        if (!invocation->json)
            print_checks(&answers, settings->verbose);
        return status;
    }
    answers.destination = destination;
    return report(&answers, invocation->json, settings->verbose);
}

static GOptionGroup *
group_new(json_t *options, FerryRoute *route, Settings *settings)
{
    const GOptionEntry entries[] = {
        {"host", 0, 0, G_OPTION_ARG_STRING, &settings->host,
         "Look at this host itself; with --to also at the way to that one", "HOST"},
        {"verbose", 0, 0, G_OPTION_ARG_NONE, &settings->verbose, "Show also what passed", NULL},
        {.long_name = NULL},
    };
    GOptionGroup *group = ferry_order_group_new(options);

    ferry_route_add_entries(route, group);
    g_option_group_add_entries(group, entries);
    return group;
}

/* --- one host --------------------------------------------------------------------------------- */

/* The last line. Ready is a host only where there is nothing to look at. @to: (nullable). */
static void
conclude(const FerryCheckAnswer *one, const char *to, bool ready)
{
    bool failed = false;
    g_autofree char *sum = ferry_check_table_sum_up(one, 1, &failed);
    g_autofree char *what =
        to ? g_strdup_printf("%s, with the way to %s,", one->host, to) : g_strdup(one->host);

    if (ready && sum)
        ferry_say("%s has nothing that fails: %s", what, sum);
    else
        ferry_say("%s is %s%s%s", what, ready ? "ready" : "not ready", sum ? ": " : "",
                  sum ? sum : "");
}

static FerryExit
report_host(const char *host, const char *to, const json_t *answer, const Settings *settings)
{
    const FerryCheckAnswer one = {host, answer};
    bool ready = ferry_json_get_bool(answer, "compatible", false);

    if (settings->invocation->json) {
        ferry_print_json(answer);
    } else {
        ferry_check_table_print(&one, 1, settings->verbose);
        conclude(&one, to, ready);
    }
    return ready ? FERRY_EXIT_DONE : FERRY_EXIT_FAILED;
}

static FerryExit
run_host(FerrySession *session, const FerryRoute *route, const Settings *settings)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *now = ferry_clock_format_iso(ferry_clock_now_us());
    json_t *args = json_pack("{s:s}", "at", now);

    if (route->to)
        json_object_set_new(args, "host", ferry_json_text(route->to));

    g_autoptr(FerryJson) answer =
        ferry_session_call(session, settings->host, "check_host", args, &error);

    if (!answer)
        return ferry_report_error(error, settings->invocation->json);
    return report_host(settings->host, route->to, answer, settings);
}

/* A host is looked at without an instance; how many operands there are is to be known first. */
static bool
names_host(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--host") == 0 || g_str_has_prefix(argv[i], "--host="))
            return true;
    }
    return false;
}

static bool
check_host_route(const FerryRoute *route, const json_t *options, GError **error)
{
    if (!route->from && json_object_size(options) == 0)
        return true;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                "--host looks at a host, whatever the instance: besides it there is --to only");
    return false;
}

FerryExit
ferry_command_check(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) options = json_object();
    g_auto(FerryRoute) route = {0};
    g_auto(Settings) settings = {.invocation = invocation};
    GOptionGroup *group = group_new(options, &route, &settings);
    bool of_host = names_host(argc, argv);

    if (!ferry_invocation_parse(invocation, group, of_host ? 0 : 1, &argc, &argv, &error) ||
        !(of_host ? check_host_route(&route, options, &error) : ferry_route_check(&route, &error)))
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerrySession) session = ferry_session_open(invocation, &error);
    if (!session)
        return ferry_report_error(error, invocation->json);
    if (of_host)
        return run_host(session, &route, &settings);
    return run(session, &route, argv[1], options, &settings);
}
