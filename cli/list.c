#include "config.h"

#include "command.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "format.h"
#include "output.h"
#include "session.h"
#include "table.h"

#include <string.h>

/* Asked for at once. */
#define PAGE_RECORDS 100
#define MAX_PAGES 1000

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

/* @marker: (nullable): the last migration of the page before. @limit: of this page. */
static json_t *
arguments_of(const Filter *filter, const char *marker, int limit)
{
    json_t *args = json_pack("{s:i}", "limit", limit);

    if (filter->status)
        json_object_set_new(args, "status", ferry_json_text(filter->status));
    if (filter->instance)
        json_object_set_new(args, "instance", ferry_json_text(filter->instance));
    if (marker)
        json_object_set_new(args, "marker", json_string(marker));
    return args;
}

/* Either the array itself, or an object that has it under "migrations". */
static const json_t *
array_of(const json_t *answer)
{
    return json_is_array(answer) ? answer : json_object_get(answer, "migrations");
}

/* Returns: (nullable) (transfer none): the id of the last record of a page. */
static const char *
last_of(const json_t *page)
{
    size_t count = json_array_size(page);

    return count > 0 ? ferry_json_get_string(json_array_get(page, count - 1), "migration_id")
                     : NULL;
}

/* Adds the records of @page, each with the name of its host. */
static void
add_records(GPtrArray *records, const char *host, const json_t *page)
{
    size_t index = 0;
    json_t *record = NULL;

    json_array_foreach(page, index, record) {
        json_t *copy = json_copy(record);

        json_object_set_new(copy, "host", ferry_json_text(host));
        g_ptr_array_add(records, copy);
    }
}

static int
compare_newest_first(gconstpointer a, gconstpointer b)
{
    return -g_strcmp0(ferry_json_get_string(*(json_t *const *)a, "created_at"),
                      ferry_json_get_string(*(json_t *const *)b, "created_at"));
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

/* An agent of before there were pages: what it answered first is all that it tells. */
static bool
knows_no_marker(const GError *failure)
{
    return strstr(failure->message, "'marker'") != NULL;
}

/* Asks @host page by page, until one is empty or there are as many as wanted. Returns: false with
 * @error; the records of the pages before it stay. */
static bool
add_pages(FerrySession *session,
          const char *host,
          const Filter *filter,
          GPtrArray *records,
          GError **error)
{
    guint before = records->len;
    g_autofree char *marker = NULL;
    bool full = false;

    for (guint i = 0; i < MAX_PAGES; i++) {
        g_autoptr(GError) failure = NULL;
        int wanted =
            filter->limit > 0 ? filter->limit - (int)(records->len - before) : PAGE_RECORDS;

        if (wanted <= 0)
            return true;
        wanted = MIN(wanted, PAGE_RECORDS);
        g_autoptr(FerryJson) answer = ferry_session_call(
            session, host, "list_migrations", arguments_of(filter, marker, wanted), &failure);
        if (!answer && marker && knows_no_marker(failure)) {
            if (full)
                g_printerr("%s: an older agent, which tells of the newest %u only\n", host,
                           records->len - before);
            return true;
        }
        if (!answer) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        const json_t *page = array_of(answer);
        const char *last = last_of(page);
        if (!last || g_strcmp0(last, marker) == 0)
            return true;
        add_records(records, host, page);
        full = json_array_size(page) == (size_t)wanted;
        g_free(marker);
        marker = g_strdup(last);
    }
    return true;
}

/* Asks every host. One that does not answer is reported, and decides the exit status. */
static FerryExit
list_migrations(FerrySession *session, const Filter *filter, bool json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    g_auto(GStrv) hosts = ferry_session_host_names(session, filter->host, &error);
    FerryExit status = FERRY_EXIT_DONE;

    if (!hosts)
        return ferry_report_error(error, json);
    for (char **host = hosts; *host; host++) {
        g_autoptr(GError) failure = NULL;

        if (add_pages(session, *host, filter, records, &failure))
            continue;
        if (filter->host)
            return ferry_report_error(failure, json);
        status = ferry_report_error(failure, /* json= */ false);
    }
    g_ptr_array_sort(records, compare_newest_first);
    print_records(records, json);
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
