#include "config.h"

#include "command.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "order.h"
#include "output.h"
#include "route.h"
#include "session.h"
#include "table.h"

/* Worst first. A result that this version does not know ("?") may be a bad one. */
static const char *const results[] = {"fail", "?", "warn", "pass"};

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
        const char *const cells[] = {ferry_json_get_string(check, "result"), host,
                                     ferry_json_get_string(check, "name"),
                                     ferry_json_get_string(check, "message"), NULL};
        ferry_table_add(table, cells);
        const char *hint = ferry_json_get_string(check, "hint");
        if (!hint || rank == G_N_ELEMENTS(results) - 1)
            continue;
        g_autofree char *text = g_strdup_printf("hint: %s", hint);
        const char *const hint_cells[] = {"", "", "", text, NULL};
        ferry_table_add(table, hint_cells);
    }
}

static void
print_checks(const FerryRoute *route, const json_t *source, const json_t *destination)
{
    static const char *const titles[] = {"RESULT", "HOST", "CHECK", "MESSAGE", NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);

    for (guint rank = 0; rank < G_N_ELEMENTS(results); rank++) {
        add_checks(table, route->from, source, rank);
        add_checks(table, route->to, destination, rank);
    }
    ferry_table_print(table);
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
report(const FerryRoute *route, const json_t *source, const json_t *destination, bool json)
{
    bool compatible = ferry_json_get_bool(source, "compatible", false) &&
                      ferry_json_get_bool(destination, "compatible", false);

    if (json) {
        g_autoptr(FerryJson) document = json_pack("{s:b,s:O,s:O}", "compatible", compatible,
                                                  "source", source, "destination", destination);

        ferry_print_json(document);
    } else {
        print_checks(route, source, destination);
    }
    return compatible ? FERRY_EXIT_DONE : FERRY_EXIT_FAILED;
}

FerryExit
ferry_command_check(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) options = json_object();
    g_auto(FerryRoute) route = {0};
    GOptionGroup *group = ferry_order_group_new(options);

    ferry_route_add_entries(&route, group);
    if (!ferry_invocation_parse(invocation, argv[0], group, 1, &argc, &argv, &error) ||
        !ferry_route_check(&route, &error))
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerrySession) session = ferry_session_open(invocation, &error);
    if (!session)
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerryJson) source = ask_source(session, &route, argv[1], options, &error);
    if (!source)
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerryJson) destination = get_destination(session, &route, source, options, &error);
    if (!destination) {
        if (!invocation->json)
            print_checks(&route, source, NULL);
        return ferry_report_error(error, invocation->json);
    }
    return report(&route, source, destination, invocation->json);
}
