#include "config.h"

#include "command.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "format.h"
#include "output.h"
#include "pages.h"
#include "session.h"
#include "table.h"

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

static void
note_silent(GHashTable *silent, char **hosts, const char *name)
{
    if (name && !g_strv_contains((const char *const *)hosts, name) &&
        g_hash_table_add(silent, g_strdup(name)))
        ferry_complain("%s does not answer: what it knows is not in this list", name);
}

/* Nobody knows all hosts; but the records name some. */
static void
tell_of_silent(const GPtrArray *records, char **hosts)
{
    g_autoptr(GHashTable) silent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < records->len; i++) {
        const json_t *record = g_ptr_array_index(records, i);

        note_silent(silent, hosts, ferry_json_get_string(record, "source"));
        note_silent(silent, hosts, ferry_json_get_string(record, "destination"));
    }
}

/* Asks every host. One that does not answer is reported, and decides the exit status. */
static FerryExit
list_migrations(FerrySession *session, const Filter *filter, bool json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    g_auto(GStrv) hosts = ferry_session_host_names(session, filter->host, &error);
    const FerryPageFilter wanted = {filter->status, filter->instance, filter->limit};
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
    if (!filter->host)
        tell_of_silent(records, hosts);
    return status;
}

FerryExit
ferry_command_list(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(Filter) filter = {0};

    if (!ferry_invocation_parse(invocation, group_new(&filter), 0, &argc, &argv, &error))
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerrySession) session = ferry_session_open(invocation, &error);
    if (!session)
        return ferry_report_error(error, invocation->json);
    return list_migrations(session, &filter, invocation->json);
}
