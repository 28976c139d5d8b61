/* The commands about an existing migration: show, abort, force-complete, tune, resolve. */
#include "config.h"

#include "command.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/status.h"
#include "order.h"
#include "output.h"
#include "records.h"
#include "report.h"
#include "session.h"

/* Which migration is meant, and where it is. */
typedef struct {
    char *id;
    char *host; /* (nullable) */
} Target;

static void
target_clear(Target *target)
{
    g_free(target->id);
    g_free(target->host);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

/* Parses the command line and opens the session.
 * @group: (transfer full): what it takes beside --host.
 * Returns: (transfer full): the session; NULL with @error set. */
static FerrySession *
begin_with(FerryInvocation *invocation,
           GOptionGroup *group,
           int argc,
           char **argv,
           Target *ret_target,
           GError **error)
{
    g_autofree char *host = NULL;
    const GOptionEntry entries[] = {
        {"host", 0, 0, G_OPTION_ARG_STRING, &host, "The host to ask", "HOST"},
        {.long_name = NULL},
    };

    g_option_group_add_entries(group, entries);
    if (!ferry_invocation_parse(invocation, group, 1, &argc, &argv, error))
        return NULL;
    ret_target->id = g_strdup(argv[1]);
    ret_target->host = g_steal_pointer(&host);
    return ferry_session_open(invocation, error);
}

static FerrySession *
begin(FerryInvocation *invocation, int argc, char **argv, Target *ret_target, GError **error)
{
    return begin_with(invocation, g_option_group_new("order", "", "", NULL, NULL), argc, argv,
                      ret_target, error);
}

FerryExit
ferry_command_show(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(Target) target = {0};
    g_autoptr(FerrySession) session = begin(invocation, argc, argv, &target, &error);

    if (!session)
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerryJson) records =
        ferry_records_find(session, target.host, target.id, FERRY_RECORDS_NEWEST, &error);
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

typedef struct {
    const char *method;
    FerryRecordsMeant meant; /* by the name of an instance */
    /* Says what was ordered and what follows; NULL: the answer says it. */
    void (*explain)(const json_t *record, const json_t *answer);
} Order;

/* With --host and a whole id the order goes there unseen: the record may be lost elsewhere.
 * Returns: (transfer full): the record, or what is known of it: its id and source. */
static json_t *
find_record(FerrySession *session,
            const char *host,
            const char *name,
            FerryRecordsMeant meant,
            GError **error)
{
    if (host && g_uuid_string_is_valid(name)) {
        g_autofree char *id = g_ascii_strdown(name, /* len= */ -1);

        return json_pack("{s:s,s:o}", "migration_id", id, "source", ferry_json_text(host));
    }
    g_autoptr(FerryJson) records = ferry_records_find(session, host, name, meant, error);
    json_t *record = records ? json_copy(json_array_get(records, 0)) : NULL;
    if (record && host)
        json_object_set_new(record, "source", ferry_json_text(host));
    if (!record || ferry_json_get_string(record, "source"))
        return record;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_NOT_FOUND, "name the source by --host",
                    "the record of migration '%s' names no source", name);
    json_decref(record);
    return NULL;
}

static void
print_value(const char *key, const json_t *value)
{
    if (json_is_null(value))
        return;
    g_autofree char *text =
        json_is_string(value) ? g_strdup(json_string_value(value)) : ferry_json_dump(value);
    ferry_say_fact(key, text);
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

/* Gives @which to the source and prints the answer.
 * @more: (nullable): further arguments. Returns: (transfer full) (nullable): the answer. */
static json_t *
give(FerrySession *session,
     const Target *target,
     const Order *which,
     json_t *more,
     bool json,
     GError **error)
{
    g_autoptr(FerryJson) record =
        find_record(session, target->host, target->id, which->meant, error);
    if (!record)
        return NULL;
    json_t *args = json_pack("{s:O}", "migration_id", json_object_get(record, "migration_id"));
    json_object_update(args, more);
    json_t *answer = ferry_session_call(session, ferry_json_get_string(record, "source"),
                                        which->method, args, error);
    if (answer && which->explain && !json)
        which->explain(record, answer);
    else if (answer)
        print_answer(answer, json);
    return answer;
}

/* @ret_answer: (transfer full) (nullable). */
static FerryExit
order(FerryInvocation *invocation, int argc, char **argv, const Order *which, json_t **ret_answer)
{
    g_autoptr(GError) error = NULL;
    g_auto(Target) target = {0};
    g_autoptr(FerrySession) session = begin(invocation, argc, argv, &target, &error);
    g_autoptr(FerryJson) answer =
        session ? give(session, &target, which, /* more= */ NULL, invocation->json, &error) : NULL;

    if (!answer)
        return ferry_report_error(error, invocation->json);
    if (ret_answer)
        *ret_answer = g_steal_pointer(&answer);
    return FERRY_EXIT_DONE;
}

static bool
is_before(const json_t *object, FerryStatus limit)
{
    const char *word = ferry_json_get_string(object, "status");
    FerryStatus status = FERRY_STATUS_ACCEPTED;

    return word && ferry_status_from_string(word, &status) && status < limit;
}

/* One that waited ends at once. */
static bool
had_not_begun(const json_t *record, const json_t *answer)
{
    return is_before(record, FERRY_STATUS_PREPARING) &&
           (is_before(answer, FERRY_STATUS_PREPARING) ||
            g_strcmp0(ferry_json_get_string(answer, "status"), "cancelled") == 0);
}

/* The answer comes before the end: the order is taken, and the agent undoes what it has begun. */
static void
explain_abort(const json_t *record, const json_t *answer)
{
    const char *id = ferry_json_get_string(record, "migration_id");
    const char *instance = ferry_json_get_string(json_object_get(record, "instance"), "name");
    const char *destination = ferry_json_get_string(record, "destination");

    if (had_not_begun(record, answer)) {
        ferry_say("migration %s is aborted; it was queued, and nothing was begun", id);
        ferry_say("%s stays on %s", instance ? instance : "the instance",
                  ferry_json_get_string(record, "source"));
        return;
    }
    ferry_say("the abort of migration %s is ordered; it was %s", id,
              ferry_json_get_string(answer, "status"));
    ferry_say("%s stays on %s; what was made for it on %s is removed now",
              instance ? instance : "the instance", ferry_json_get_string(record, "source"),
              destination ? destination : "the destination");
    ferry_say("it ends as cancelled, or as completed if it had switched over: virt-ferry show %s",
              id);
}

FerryExit
ferry_command_abort(FerryInvocation *invocation, int argc, char **argv)
{
    static const Order abort_order = {"live_migration_abort", FERRY_RECORDS_OPEN, explain_abort};

    return order(invocation, argc, argv, &abort_order, /* ret_answer= */ NULL);
}

FerryExit
ferry_command_force_complete(FerryInvocation *invocation, int argc, char **argv)
{
    static const Order force_order = {"live_migration_force_complete", FERRY_RECORDS_OPEN, NULL};

    return order(invocation, argc, argv, &force_order, /* ret_answer= */ NULL);
}

static void
explain_tuning(const json_t *record, const json_t *answer)
{
    const json_t *parameters = json_object_get(answer, "parameters");
    json_t *deferred = json_object_get(answer, "deferred");
    const char *key = NULL;
    json_t *value = NULL;
    size_t index = 0;

    json_object_foreach((json_t *)parameters, key, value)
        print_value(key, value);
    json_array_foreach(deferred, index, value)
        ferry_say("%s holds once the disks are over: that of a copy that runs stays as it is",
                  json_string_value(value));
}

FerryExit
ferry_command_tune(FerryInvocation *invocation, int argc, char **argv)
{
    static const Order tune_order = {"live_migration_set_parameters", FERRY_RECORDS_OPEN,
                                     explain_tuning};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) changes = json_object();
    g_auto(Target) target = {0};
    g_autoptr(FerrySession) session =
        begin_with(invocation, ferry_order_tuning_group_new(changes), argc, argv, &target, &error);
    g_autoptr(FerryJson) answer =
        session ? give(session, &target, &tune_order, changes, invocation->json, &error) : NULL;

    return answer ? FERRY_EXIT_DONE : ferry_report_error(error, invocation->json);
}

/* The exit status says failed as long as the migration stays in `error`. */
FerryExit
ferry_command_resolve(FerryInvocation *invocation, int argc, char **argv)
{
    static const Order resolve_order = {"resolve_migration", FERRY_RECORDS_IN_ERROR, NULL};
    g_autoptr(FerryJson) answer = NULL;
    FerryExit status = order(invocation, argc, argv, &resolve_order, &answer);
    bool still = g_strcmp0(ferry_json_get_string(answer, "status"), "error") == 0;
    return status == FERRY_EXIT_DONE && still ? FERRY_EXIT_FAILED : status;
}
