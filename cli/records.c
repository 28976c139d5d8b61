#include "config.h"

#include "records.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/status.h"
#include "ferry/text.h"
#include "pages.h"

#include <string.h>

#define CANDIDATES_MAX 5 /* are named where several are meant */

/* --- from a name to an id --------------------------------------------------------------------- */

/* Returns: (transfer full): the records of @instance, or all, that @hosts have, newest first.
 * @ret_missed: why the first that did not answer did not. */
static GPtrArray *
list_records(FerrySession *session, char **hosts, const char *instance, GError **ret_missed)
{
    const FerryPageFilter filter = {.instance = instance};
    GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);

    for (char **host = hosts; *host; host++) {
        g_autoptr(GError) why = NULL;

        if (!ferry_pages_add(session, *host, &filter, records, &why) && !*ret_missed)
            *ret_missed = g_steal_pointer(&why);
    }
    ferry_pages_sort(records);
    return records;
}

static bool
is_meant(const json_t *record, FerryRecordsMeant meant)
{
    FerryStatus status = FERRY_STATUS_ACCEPTED;
    const char *word = ferry_json_get_string(record, "status");
    bool known = word && ferry_status_from_string(word, &status);

    switch (meant) {
    case FERRY_RECORDS_NEWEST:
        return true;
    case FERRY_RECORDS_OPEN:
        return known && !ferry_status_is_terminal(status);
    case FERRY_RECORDS_IN_ERROR:
        return known && status == FERRY_STATUS_ERROR;
    }
    g_return_val_if_reached(false);
}

static bool
begins_with(const json_t *record, const char *prefix)
{
    const char *id = ferry_json_get_string(record, "migration_id");

    return id && g_ascii_strncasecmp(id, prefix, strlen(prefix)) == 0;
}

/* Adds the id of @record to @ids unless it is there. */
static void
add_id(GPtrArray *ids, const json_t *record)
{
    const char *id = ferry_json_get_string(record, "migration_id");

    if (id && !g_ptr_array_find_with_equal_func(ids, id, g_str_equal, NULL))
        g_ptr_array_add(ids, g_strdup(id));
}

static char *
refuse_several(const char *name, const GPtrArray *ids, GError **error)
{
    g_autoptr(GString) hint = g_string_new("Name one by more of its id:");

    for (guint i = 0; i < MIN(ids->len, CANDIDATES_MAX); i++)
        g_string_append_printf(hint, " %s", (const char *)g_ptr_array_index(ids, i));
    if (ids->len > CANDIDATES_MAX)
        g_string_append(hint, " ...");
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, hint->str,
                    "'%s' may be any of %u migrations", name, ids->len);
    return NULL;
}

static char *
refuse_state(const char *name, FerryRecordsMeant meant, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_MIGRATION_NOT_FOUND, "'virt-ferry list' shows all",
                    "no migration of '%s' is %s", name,
                    meant == FERRY_RECORDS_OPEN ? "under way" : "in error");
    return NULL;
}

/* Of an instance. @records: all of it, newest first. Returns: (transfer full): the id. */
static char *
choose(const GPtrArray *records, const char *name, FerryRecordsMeant meant, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < records->len; i++) {
        const json_t *record = g_ptr_array_index(records, i);

        if (is_meant(record, meant))
            add_id(ids, record);
    }
    if (ids->len == 0)
        return refuse_state(name, meant, error);
    if (ids->len > 1 && meant != FERRY_RECORDS_NEWEST)
        return refuse_several(name, ids, error);
    return g_strdup(g_ptr_array_index(ids, 0));
}

/* @missed: (nullable): why not all answered. */
static char *
refuse_unknown(const char *name, const GPtrArray *records, const GError *missed, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < records->len; i++) {
        const json_t *instance = json_object_get(g_ptr_array_index(records, i), "instance");
        const char *its_name = ferry_json_get_string(instance, "name");

        if (its_name)
            g_ptr_array_add(names, (char *)its_name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *nearest = ferry_text_suggest(name, (const char *const *)names->pdata);
    const char *hint = nearest ? nearest : "'virt-ferry list' shows all";
    if (missed)
        ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, hint,
                        "no agent that answered knows a migration '%s', and not all did: %s", name,
                        missed->message);
    else
        ferry_set_error(error, FERRY_ERROR_MIGRATION_NOT_FOUND, hint,
                        "no migration or instance that moved is called '%s'", name);
    return NULL;
}

static char *
find_by_prefix(const GPtrArray *records, const char *name, const GError *missed, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < records->len; i++) {
        const json_t *record = g_ptr_array_index(records, i);

        if (begins_with(record, name))
            add_id(ids, record);
    }
    if (ids->len == 0)
        return refuse_unknown(name, records, missed, error);
    return ids->len > 1 ? refuse_several(name, ids, error) : g_strdup(g_ptr_array_index(ids, 0));
}

/* The name of an instance comes before the beginning of an id.
 * Returns: (transfer full): the id of the migration that @name means. */
static char *
find_id(
    FerrySession *session, char **hosts, const char *name, FerryRecordsMeant meant, GError **error)
{
    g_autoptr(GError) missed = NULL;
    g_autoptr(GPtrArray) its = list_records(session, hosts, name, &missed);

    if (its->len > 0)
        return choose(its, name, meant, error);
    g_autoptr(GPtrArray) all = list_records(session, hosts, NULL, &missed);
    return find_by_prefix(all, name, missed, error);
}

/* --- the records of an id --------------------------------------------------------------------- */

/* Puts the source's record first. */
static void
add_record(json_t *records, json_t *record)
{
    if (g_strcmp0(ferry_json_get_string(record, "role"), "source") == 0)
        json_array_insert_new(records, 0, record);
    else
        json_array_append_new(records, record);
}

static json_t *
get_records(FerrySession *session, char **hosts, const char *migration_id, GError **error)
{
    g_autoptr(FerryJson) records = json_array();
    g_autoptr(GError) worst = NULL;

    for (char **name = hosts; *name; name++) {
        g_autoptr(GError) failure = NULL;
        json_t *args = json_pack("{s:o}", "migration_id", ferry_json_text(migration_id));
        json_t *record = ferry_session_call(session, *name, "get_migration", args, &failure);

        /* "I do not have it" says less than "I could not be asked". */
        if (record) {
            add_record(records, record);
        } else if (!worst || g_error_matches(worst, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND)) {
            g_clear_error(&worst);
            worst = g_steal_pointer(&failure);
        }
    }
    if (json_array_size(records) > 0)
        return g_steal_pointer(&records);
    if (worst)
        g_propagate_error(error, g_steal_pointer(&worst));
    else
        ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, "name the host by --host",
                        "no agent that could be asked told its name");
    return NULL;
}

/* Returns: (transfer full): what is known of @name, where that is a whole id; it may also be that
 * of an instance. */
static json_t *
get_by_uuid(FerrySession *session, char **hosts, const char *name, GError **error)
{
    g_autofree char *id = g_ascii_strdown(name, /* len= */ -1);

    return get_records(session, hosts, id, error);
}

json_t *
ferry_records_find(FerrySession *session,
                   const char *host,
                   const char *name,
                   FerryRecordsMeant meant,
                   GError **error)
{
    g_auto(GStrv) hosts = ferry_session_host_names(session, host, error);
    g_autoptr(GError) failure = NULL;

    if (!hosts)
        return NULL;
    if (g_uuid_string_is_valid(name)) {
        json_t *records = get_by_uuid(session, hosts, name, &failure);

        if (records)
            return records;
        if (!g_error_matches(failure, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
    }
    g_autofree char *id = find_id(session, hosts, name, meant, error);
    return id ? get_records(session, hosts, id, error) : NULL;
}
