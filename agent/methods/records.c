#include "config.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "methods/arguments.h"
#include "methods/list.h"

#define MAX_LIST 1000

/* The live record where there is one: it has the newest progress. */
static json_t *
record_to_json(const FerryMethodContext *context, const FerryRecord *record)
{
    g_autoptr(FerryMigration) live =
        record->role == FERRY_ROLE_SOURCE
            ? ferry_scheduler_find(ferry_source_scheduler(context->source), record->migration_id)
            : NULL;
    g_autoptr(FerryRecord) newest = live ? ferry_migration_snapshot(live) : NULL;
    g_autoptr(FerryJson) steps =
        ferry_journal_steps(context->agent->journal, record->migration_id, record->role);

    return ferry_record_to_json(newest ? newest : record, steps);
}

json_t *
ferry_method_get_migration(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    const char *role_name = NULL;
    FerryRole role = FERRY_ROLE_SOURCE;
    g_autofree char *id = ferry_argument_id(args, error);
    g_autoptr(FerryRecord) record = NULL;

    if (!id || !ferry_argument_optional_name(args, "role", &role_name, error))
        return NULL;
    if (role_name && !ferry_role_from_string(role_name, &role)) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                        "Argument 'role': expected 'source' or 'destination', found '%s'",
                        role_name);
        return NULL;
    }
    record = ferry_journal_get(context->agent->journal, id, role, role_name ? error : NULL);
    if (!record && !role_name)
        record = ferry_journal_get(context->agent->journal, id, FERRY_ROLE_DESTINATION, error);
    return record ? record_to_json(context, record) : NULL;
}

static bool
get_filter(json_t *args, FerryJournalFilter *filter, GError **error)
{
    FerryStatus status = FERRY_STATUS_ACCEPTED;
    json_t *limit = json_object_get(args, "limit");

    if (!ferry_argument_optional_name(args, "status", &filter->status, error) ||
        !ferry_argument_optional_name(args, "instance", &filter->instance, error))
        return false;
    if (filter->status && !ferry_status_from_string(filter->status, &status)) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST,
                        "accepted, queued, preparing, running, post-migrating, completed, failed, "
                        "cancelled, error, prepared, rolled-back",
                        "Argument 'status': '%s' is not a status", filter->status);
        return false;
    }
    if (limit && !json_is_null(limit)) {
        json_int_t value = json_integer_value(limit);

        if (!json_is_integer(limit) || value < 1 || value > MAX_LIST) {
            ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                            "Argument 'limit': expected an integer from 1 to %d", MAX_LIST);
            return false;
        }
        filter->limit = (guint)value;
    }
    return true;
}

json_t *
ferry_method_list_migrations(const FerryMethodContext *context,
                             FerryRequest *request,
                             GError **error)
{
    FerryJournalFilter filter = {0};
    g_autoptr(GPtrArray) records = NULL;

    if (!get_filter(ferry_request_args(request), &filter, error))
        return NULL;
    records = ferry_journal_list(context->agent->journal, &filter, error);
    if (!records)
        return NULL;

    json_t *list = json_array();

    for (guint i = 0; i < records->len; i++)
        json_array_append_new(list, record_to_json(context, g_ptr_array_index(records, i)));
    return list;
}
