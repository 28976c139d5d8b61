#include "config.h"

#include "command.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "order.h"
#include "output.h"
#include "place.h"
#include "route.h"
#include "session.h"
#include "table.h"
#include "words.h"

#include <string.h>

typedef struct {
    const FerryInvocation *invocation;
    gboolean verbose;
} Settings;

typedef struct {
    const FerryRoute *route;
    const char *instance;
    const json_t *source;
    const json_t *destination; /* NULL: it did not answer */
} Answers;

/* Worst first. A result that this version does not know ("?") may be a bad one. */
static const char *const results[] = {"fail", "?", "warn", "pass"};
#define RANK_FAIL 0
#define RANK_WARN (G_N_ELEMENTS(results) - 2)
#define RANK_PASS (G_N_ELEMENTS(results) - 1)

static guint
rank_of(const json_t *check)
{
    const char *result = ferry_json_get_string(check, "result");

    for (guint i = 0; i < G_N_ELEMENTS(results); i++) {
        if (g_strcmp0(results[i], result) == 0)
            return i;
    }
    return 1;
}

static void
add_checks(FerryTable *table, const char *host, const json_t *answer, guint rank)
{
    size_t index = 0;
    const json_t *check = NULL;

    json_array_foreach(json_object_get(answer, "checks"), index, check) {
        if (rank_of(check) != rank)
            continue;
        g_autofree char *message = ferry_words_translate(ferry_json_get_string(check, "message"));
        g_autofree char *hint = ferry_words_translate(ferry_json_get_string(check, "hint"));
        const char *const cells[] = {ferry_json_get_string(check, "result"), host,
                                     ferry_json_get_string(check, "name"), message, NULL};
        ferry_table_add(table, cells);
        if (!hint || rank == RANK_PASS)
            continue;
        g_autofree char *text = g_strdup_printf("hint: %s", hint);
        const char *const hint_cells[] = {"", "", "", text, NULL};
        ferry_table_add(table, hint_cells);
    }
}

/* Appends the names of the checks of @rank, each once. Returns: how many checks these were. */
static guint
name_checks(GString *names, const json_t *answer, guint rank)
{
    guint count = 0;
    size_t index = 0;
    const json_t *check = NULL;

    json_array_foreach(json_object_get(answer, "checks"), index, check) {
        const char *name = ferry_json_get_string(check, "name");

        if (rank_of(check) != rank || !name)
            continue;
        count++;
        g_autofree char *quoted = g_strdup_printf(" %s,", name);
        if (!strstr(names->str, quoted))
            g_string_append(names, quoted);
    }
    return count;
}

/* Returns: (transfer full): "2 failed (disk-exists, space)"; NULL when there is none. */
static char *
sum_up(const Answers *answers, guint rank, const char *word)
{
    g_autoptr(GString) names = g_string_new(NULL);
    guint count =
        name_checks(names, answers->source, rank) + name_checks(names, answers->destination, rank);

    if (count == 0)
        return NULL;
    return g_strdup_printf("%u %s (%.*s)", count, word, (int)names->len - 2, names->str + 1);
}

static bool
all_pass(const Answers *answers)
{
    g_autoptr(GString) names = g_string_new(NULL);
    guint others = 0;

    for (guint rank = 0; rank < RANK_PASS; rank++)
        others += name_checks(names, answers->source, rank) +
                  name_checks(names, answers->destination, rank);
    return others == 0;
}

static bool
is_compatible(const Answers *answers)
{
    return ferry_json_get_bool(answers->source, "compatible", false) &&
           ferry_json_get_bool(answers->destination, "compatible", false);
}

/* The last line: what the whole table comes to. */
static void
print_conclusion(const Answers *answers)
{
    g_autofree char *failed = sum_up(answers, RANK_FAIL, "failed");
    g_autofree char *warned = sum_up(answers, RANK_WARN, "to look at");
    const char *plain = failed ? failed : warned;
    const char *word = is_compatible(answers) ? "can move" : "cannot move";

    if (!answers->destination && !failed)
        ferry_say("%s: it is not known whether it can move to %s", answers->instance,
                  answers->route->to);
    else
        ferry_say("%s %s%s%s", answers->instance, word, plain ? ": " : "", plain ? plain : "");
}

/* What passed is of interest where nothing else is. */
static void
print_checks(const Answers *answers, bool verbose)
{
    static const char *const titles[] = {"RESULT", "HOST", "CHECK", "MESSAGE", NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);
    guint ranks = verbose || all_pass(answers) ? RANK_PASS + 1 : RANK_PASS;

    for (guint rank = 0; rank < ranks; rank++) {
        add_checks(table, answers->route->from, answers->source, rank);
        add_checks(table, answers->route->to, answers->destination, rank);
    }
    ferry_table_print(table);
    print_conclusion(answers);
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
        {"verbose", 0, 0, G_OPTION_ARG_NONE, &settings->verbose, "Show also what passed", NULL},
        {.long_name = NULL},
    };
    GOptionGroup *group = ferry_order_group_new(options);

    ferry_route_add_entries(route, group);
    g_option_group_add_entries(group, entries);
    return group;
}

FerryExit
ferry_command_check(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) options = json_object();
    g_auto(FerryRoute) route = {0};
    Settings settings = {.invocation = invocation};
    GOptionGroup *group = group_new(options, &route, &settings);

    if (!ferry_invocation_parse(invocation, group, 1, &argc, &argv, &error) ||
        !ferry_route_check(&route, &error))
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerrySession) session = ferry_session_open(invocation, &error);
    if (!session)
        return ferry_report_error(error, invocation->json);
    return run(session, &route, argv[1], options, &settings);
}
