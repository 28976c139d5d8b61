#include "config.h"

#include "pages.h"

#include "ferry/json.h"

#include <string.h>

/* Asked for at once. */
#define PAGE_RECORDS 100
#define MAX_PAGES 1000

/* @marker: (nullable): the last migration of the page before. @limit: of this page. */
static json_t *
arguments_of(const FerryPageFilter *filter, const char *marker, int limit)
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

/* An agent of before there were pages: what it answered first is all that it tells. */
static bool
knows_no_marker(const GError *failure)
{
    return strstr(failure->message, "'marker'") != NULL;
}

bool
ferry_pages_add(FerrySession *session,
                const char *host,
                const FerryPageFilter *filter,
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

static int
compare_newest_first(gconstpointer a, gconstpointer b)
{
    return -g_strcmp0(ferry_json_get_string(*(json_t *const *)a, "created_at"),
                      ferry_json_get_string(*(json_t *const *)b, "created_at"));
}

void
ferry_pages_sort(GPtrArray *records)
{
    g_ptr_array_sort(records, compare_newest_first);
}
