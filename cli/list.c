#include "config.h"

#include "command.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/status.h"
#include "format.h"
#include "output.h"
#include "pages.h"
#include "session.h"
#include "silent-hosts.h"
#include "table.h"

/* Where --limit is not given. */
#define UNLIMITED G_MININT

typedef struct {
    char *host;
    char *status;
    char *instance;
    int limit;
} Filter;

static void
filter_clear(Filter *filter)
{
    g_free(filter->host);
    g_free(filter->status);
    g_free(filter->instance);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, filter_clear)

static GOptionGroup *
group_new(Filter *filter)
{
    const GOptionEntry entries[] = {
        {"host", 0, 0, G_OPTION_ARG_STRING, &filter->host, "Ask this host only", "HOST"},
        {"status", 0, 0, G_OPTION_ARG_STRING, &filter->status, "Only in this status", "STATUS"},
        {"instance", 0, 0, G_OPTION_ARG_STRING, &filter->instance, "Only of this one", "INSTANCE"},
        {"limit", 0, 0, G_OPTION_ARG_INT, &filter->limit, "At most so many of each host", "N"},
        {.long_name = NULL},
    };
    GOptionGroup *group = g_option_group_new("list", "", "", NULL, NULL);

    g_option_group_add_entries(group, entries);
    return group;
}

static void
add_row(FerryTable *table, const json_t *record)
{
    g_autofree char *created = ferry_format_time(ferry_json_get_string(record, "created_at"));
    gint64 percent = ferry_json_get_int(json_object_get(record, "progress"), "percent", -1);
    g_autofree char *done =
        percent >= 0 ? g_strdup_printf("%" G_GINT64_FORMAT "%%", percent) : NULL;
    const char *const cells[] = {
        ferry_json_get_string(record, "migration_id"),
        ferry_json_get_string(json_object_get(record, "instance"), "name"),
        ferry_json_get_string(record, "source"),
        ferry_json_get_string(record, "destination"),
        ferry_json_get_string(record, "role"),
        created,
        done,
        ferry_json_get_string(record, "status"),
        NULL,
    };

    ferry_table_add(table, cells);
}

static void
print_records(const GPtrArray *records, bool json)
{
    static const char *const titles[] = {"MIGRATION",     "INSTANCE", "FROM",   "TO", "ROLE",
                                         "CREATED (UTC)", ">DONE",    "STATUS", NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);
    g_autoptr(FerryJson) array = json_array();

    for (guint i = 0; i < records->len; i++) {
        json_t *record = g_ptr_array_index(records, i);

        json_array_append(array, record);
        add_row(table, record);
    }
    if (json)
        ferry_print_json(array);
    else
        ferry_table_print(table);
}

/* What is wanted may not name a host that others do. */
static bool
is_all(const Filter *filter)
{
    return !filter->status && !filter->instance && filter->limit == UNLIMITED;
}

/* Asks every host. One that does not answer is told of, and decides the exit status. */
static FerryExit
list_migrations(FerrySession *session, const Filter *filter, bool json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    g_auto(GStrv) hosts = ferry_session_host_names(session, filter->host, &error);
    const FerryPageFilter wanted = {filter->status, filter->instance,
                                    filter->limit == UNLIMITED ? 0 : filter->limit};
    FerryExit status = FERRY_EXIT_DONE;

    if (!hosts)
        return ferry_report_error(error, json);
    for (char **host = hosts; *host; host++) {
        g_autoptr(GError) failure = NULL;

        if (ferry_pages_add(session, *host, &wanted, records, &failure))
            continue;
        if (filter->host)
            return ferry_report_error(failure, json);
        status = ferry_report_error(failure, /* json= */ false);
    }
    ferry_pages_sort(records);
    print_records(records, json);
    if (!filter->host && ferry_silent_hosts_tell(session, hosts, is_all(filter) ? records : NULL) &&
        status == FERRY_EXIT_DONE)
        return FERRY_EXIT_NO_ANSWER;
    return status;
}

/* An agent would say it, and each one anew. */
static bool
check_filter(const Filter *filter, GError **error)
{
    FerryStatus status = FERRY_STATUS_ACCEPTED;

    if (filter->limit != UNLIMITED && filter->limit < 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--limit %d: expected a whole number from 1", filter->limit);
        return false;
    }
    if (!filter->status || ferry_status_from_string(filter->status, &status))
        return true;
    g_autoptr(GString) words = g_string_new(NULL);
    for (guint i = 0; i < FERRY_STATUS_COUNT; i++)
        g_string_append_printf(words, "%s%s", i > 0 ? ", " : "",
                               ferry_status_to_string((FerryStatus)i));
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--status %s: expected one of %s",
                filter->status, words->str);
    return false;
}

FerryExit
ferry_command_list(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(Filter) filter = {.limit = UNLIMITED};

    if (!ferry_invocation_parse(invocation, group_new(&filter), 0, &argc, &argv, &error) ||
        !check_filter(&filter, &error))
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerrySession) session = ferry_session_open(invocation, &error);
    if (!session)
        return ferry_report_error(error, invocation->json);
    return list_migrations(session, &filter, invocation->json);
}
