/* The commands about an existing migration: show, abort, force-complete, resolve. */
#include "config.h"

#include "command.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "output.h"
#include "records.h"
#include "report.h"
#include "session.h"

/* Parses the command line and opens the session.
 * @ret_id: (transfer full). @ret_host: (transfer full) (nullable).
 * Returns: (transfer full): the session; NULL with @error set. */
static FerrySession *
begin(FerryInvocation *invocation,
      int argc,
      char **argv,
      char **ret_id,
      char **ret_host,
      GError **error)
{
    g_autofree char *host = NULL;
    const GOptionEntry entries[] = {
        {"host", 0, 0, G_OPTION_ARG_STRING, &host, "The host to ask", "HOST"},
        {.long_name = NULL},
    };
    GOptionGroup *group = g_option_group_new("order", "", "", NULL, NULL);

    g_option_group_add_entries(group, entries);
    if (!ferry_invocation_parse(invocation, argv[0], group, 1, &argc, &argv, error))
        return NULL;
    *ret_id = g_strdup(argv[1]);
    *ret_host = g_steal_pointer(&host);
    return ferry_session_open(invocation, error);
}

FerryExit
ferry_command_show(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;
    g_autofree char *host = NULL;
    g_autoptr(FerrySession) session = begin(invocation, argc, argv, &id, &host, &error);

    if (!session)
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerryJson) records = ferry_records_find(session, host, id, &error);
    if (!records)
        return ferry_report_error(error, invocation->json);
    if (invocation->json) {
        ferry_print_json(records);
        return FERRY_EXIT_DONE;
    }
    size_t index = 0;
    const json_t *record = NULL;
    json_array_foreach(records, index, record) {
        if (index > 0)
            ferry_say("%s", "");
        ferry_report_print_record(record);
    }
    return FERRY_EXIT_DONE;
}

/* Returns: (transfer full): the host that gets the order: @host, or the source in the record. */
static char *
find_source(FerrySession *session, const char *host, const char *id, GError **error)
{
    if (host)
        return g_strdup(host);
    g_autoptr(FerryJson) records = ferry_records_find(session, NULL, id, error);
    if (!records)
        return NULL;
    const char *source = ferry_json_get_string(json_array_get(records, 0), "source");
    if (!source)
        ferry_set_error(error, FERRY_ERROR_MIGRATION_NOT_FOUND, "name the source by --host",
                        "the record of migration %s names no source", id);
    return g_strdup(source);
}

static void
print_value(const char *key, const json_t *value)
{
    if (json_is_null(value))
        return;
    g_autofree char *text =
        json_is_string(value) ? g_strdup(json_string_value(value)) : ferry_json_dump(value);
    ferry_say("%-12s %s", key, text);
}

static void
print_answer(const json_t *answer, bool json)
{
    const char *key = NULL;
    json_t *value = NULL;

    if (json) {
        ferry_print_json(answer);
        return;
    }
    if (json_is_object(json_object_get(answer, "instance"))) {
        ferry_report_print_record(answer);
        return;
    }
    json_object_foreach((json_t *)answer, key, value)
        print_value(key, value);
}

/* Calls @method at the source and prints the answer. @ret_answer: (transfer full) (nullable). */
static FerryExit
order(FerryInvocation *invocation, int argc, char **argv, const char *method, json_t **ret_answer)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;
    g_autofree char *host = NULL;
    g_autoptr(FerrySession) session = begin(invocation, argc, argv, &id, &host, &error);

    if (!session)
        return ferry_report_error(error, invocation->json);
    g_autofree char *source = find_source(session, host, id, &error);
    if (!source)
        return ferry_report_error(error, invocation->json);
    json_t *args = json_pack("{s:o}", "migration_id", ferry_json_text(id));
    g_autoptr(FerryJson) answer = ferry_session_call(session, source, method, args, &error);
    if (!answer)
        return ferry_report_error(error, invocation->json);
    print_answer(answer, invocation->json);
    if (ret_answer)
        *ret_answer = g_steal_pointer(&answer);
    return FERRY_EXIT_DONE;
}

FerryExit
ferry_command_abort(FerryInvocation *invocation, int argc, char **argv)
{
    return order(invocation, argc, argv, "live_migration_abort", /* ret_answer= */ NULL);
}

FerryExit
ferry_command_force_complete(FerryInvocation *invocation, int argc, char **argv)
{
    return order(invocation, argc, argv, "live_migration_force_complete", /* ret_answer= */ NULL);
}

/* The exit status says failed as long as the migration stays in `error`. */
FerryExit
ferry_command_resolve(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(FerryJson) answer = NULL;
    FerryExit status = order(invocation, argc, argv, "resolve_migration", &answer);
    bool still = g_strcmp0(ferry_json_get_string(answer, "status"), "error") == 0;
    return status == FERRY_EXIT_DONE && still ? FERRY_EXIT_FAILED : status;
}
