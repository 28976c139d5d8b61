#include "config.h"

#include "ferry/json.h"
#include "journal/journal.h"
#include "methods/list.h"

#define MAX_LIST 1000
/* A page ends early when it has so many bytes; its reader asks for the next one until there is
 * none. */
#define PAGE_BYTES (1024 * 1024)

/* Returns: (transfer full) (nullable): one that is under way or waits. */
static FerryMigration *
find_live(const FerryMethodContext *context, const FerryRecord *record)
{
    return record->role == FERRY_ROLE_SOURCE
               ? ferry_scheduler_find(ferry_source_scheduler(context->source), record->migration_id)
               : NULL;
}

/* The record of @live (nullable), where there is one, has the newest progress. */
static json_t *
record_to_json(const FerryMethodContext *context, const FerryRecord *record, FerryMigration *live)
{
    g_autoptr(FerryRecord) newest = live ? ferry_migration_snapshot(live) : NULL;
    g_autoptr(FerryJson) steps =
        ferry_journal_steps(context->agent->journal, record->migration_id, record->role);

    return ferry_record_to_json(newest ? newest : record, steps);
}

static json_t *
names_of(const GPtrArray *migrations)
{
    json_t *names = json_array();

    for (guint i = 0; i < migrations->len; i++) {
        g_autoptr(FerryRecord) record = ferry_migration_snapshot(g_ptr_array_index(migrations, i));

        json_array_append_new(names, json_pack("{s:s, s:o}", "migration_id", record->migration_id,
                                               "instance", ferry_json_text(record->instance_name)));
    }
    return names;
}

/* Returns: (transfer full): null where it waits for no slot. */
static json_t *
describe_wait(const FerryMethodContext *context, FerryMigration *live, const FerryRecord *record)
{
    g_autoptr(GPtrArray) before =
        ferry_scheduler_before(ferry_source_scheduler(context->source), live);

    if (before)
        return json_pack("{s:o, s:o}", "slot_of", ferry_json_text(context->agent->config->host),
                         "before", names_of(before));
    if (ferry_migration_awaits_slot(live))
        return json_pack("{s:o, s:[]}", "slot_of", ferry_json_text(record->destination), "before");
    return json_null();
}

/* What holds for a migration that is not over, and what it waits for. */
static void
add_present(const FerryMethodContext *context,
            const FerryRecord *record,
            FerryMigration *live,
            json_t *object)
{
    const FerryTuning tuning = ferry_migration_tuning(live);
    FerryPriority priority = ferry_migration_options(live)->priority;

    json_object_set_new(object, "parameters", ferry_tuning_to_json(&tuning));
    json_object_set_new(object, "priority", json_string(ferry_priority_to_string(priority)));
    json_object_set_new(object, "waits_for", describe_wait(context, live, record));
}

static bool
get_role(const FerryFieldScope *args, const char **ret_name, FerryRole *ret_role, GError **error)
{
    if (!ferry_field_optional_name(args, "role", ret_name, error))
        return false;
    if (!*ret_name || ferry_role_from_string(*ret_name, ret_role))
        return true;
    return ferry_field_refuse(args, "role", json_object_get(args->object, "role"),
                              "\"source\" or \"destination\"", error);
}

bool
ferry_method_get_migration(FerryMethodCall *call, GError **error)
{
    FerryJournal *journal = call->context->agent->journal;
    const char *role_name = NULL;
    FerryRole role = FERRY_ROLE_SOURCE;
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);
    g_autoptr(FerryRecord) record = NULL;

    if (!id || !get_role(&call->args, &role_name, &role, error))
        return false;
    record = ferry_journal_get(journal, id, role, role_name ? error : NULL);
    if (!record && !role_name)
        record = ferry_journal_get(journal, id, FERRY_ROLE_DESTINATION, error);
    if (!record)
        return false;

    g_autoptr(FerryMigration) live = find_live(call->context, record);
    json_t *answer = record_to_json(call->context, record, live);

    if (live)
        add_present(call->context, record, live, answer);
    return ferry_method_answer(call, answer);
}

static bool
refuse_status(const FerryFieldScope *args, GError **error)
{
    g_autoptr(GString) expected = g_string_new("one of");

    for (guint i = 0; i < FERRY_STATUS_COUNT; i++)
        g_string_append_printf(expected, "%s %s", i > 0 ? "," : "", ferry_status_to_string(i));
    return ferry_field_refuse(args, "status", json_object_get(args->object, "status"),
                              expected->str, error);
}

static bool
get_filter(const FerryFieldScope *args, FerryJournalFilter *filter, GError **error)
{
    FerryStatus status = FERRY_STATUS_ACCEPTED;

    if (!ferry_field_optional_name(args, "status", &filter->status, error) ||
        !ferry_field_optional_name(args, "instance", &filter->instance, error) ||
        !ferry_field_optional_name(args, "marker", &filter->marker, error) ||
        !ferry_field_uint(args, "limit", 1, MAX_LIST, &filter->limit, error))
        return false;
    return !filter->status || ferry_status_from_string(filter->status, &status) ||
           refuse_status(args, error);
}

/* As get_migration has it, but for the document that may be large. */
static json_t *
list_entry(const FerryMethodContext *context, const FerryRecord *record)
{
    g_autoptr(FerryMigration) live = find_live(context, record);
    json_t *entry = record_to_json(context, record, live);

    json_object_set_new(entry, "migrate_data", json_null());
    return entry;
}

bool
ferry_method_list_migrations(FerryMethodCall *call, GError **error)
{
    FerryJournalFilter filter = {.limit = MAX_LIST};
    g_autoptr(GPtrArray) records = NULL;
    gsize bytes = 0;

    if (!get_filter(&call->args, &filter, error))
        return false;
    records = ferry_journal_list_brief(call->context->agent->journal, &filter, error);
    if (!records)
        return false;

    json_t *list = json_array();

    for (guint i = 0; i < records->len && bytes < PAGE_BYTES; i++) {
        json_t *entry = list_entry(call->context, g_ptr_array_index(records, i));

        bytes += json_dumpb(entry, NULL, 0, JSON_COMPACT);
        json_array_append_new(list, entry);
    }
    return ferry_method_answer(call, list);
}
