#include "config.h"

#include "journal/record.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"

FerryRecord *
ferry_record_new(const char *migration_id, FerryRole role)
{
    FerryRecord *record = g_new0(FerryRecord, 1);

    record->migration_id = g_strdup(migration_id);
    record->role = role;
    record->status = role == FERRY_ROLE_SOURCE ? FERRY_STATUS_ACCEPTED : FERRY_STATUS_PREPARING;
    record->created_us = ferry_clock_now_us();
    record->updated_us = record->created_us;
    return record;
}

FerryRecord *
ferry_record_copy(const FerryRecord *record)
{
    FerryRecord *copy = g_memdup2(record, sizeof *record);

    copy->migration_id = g_strdup(record->migration_id);
    copy->instance_name = g_strdup(record->instance_name);
    copy->instance_uuid = g_strdup(record->instance_uuid);
    copy->source = g_strdup(record->source);
    copy->destination = g_strdup(record->destination);
    json_incref(copy->order);
    json_incref(copy->instance_info);
    json_incref(copy->migrate_data);
    json_incref(copy->progress);
    json_incref(copy->error);
    json_incref(copy->report);
    json_incref(copy->stalled);
    return copy;
}

void
ferry_record_free(FerryRecord *record)
{
    if (!record)
        return;
    g_free(record->migration_id);
    g_free(record->instance_name);
    g_free(record->instance_uuid);
    g_free(record->source);
    g_free(record->destination);
    json_decref(record->order);
    json_decref(record->instance_info);
    json_decref(record->migrate_data);
    json_decref(record->progress);
    json_decref(record->error);
    json_decref(record->report);
    json_decref(record->stalled);
    g_free(record);
}

void
ferry_record_take(json_t **field, json_t *value)
{
    json_decref(*field);
    *field = value;
}

static char *
digest_of(const json_t *order)
{
    g_autofree char *text = json_dumps(order, JSON_COMPACT | JSON_SORT_KEYS);

    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

void
ferry_record_take_order(FerryRecord *record, const json_t *order)
{
    static const char *const columns[] = {"instance_info", "migrate_data"};
    g_autofree char *digest = digest_of(order);
    json_t *args = json_copy(json_object_get(order, "args"));

    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        json_object_del(args, columns[i]);
    ferry_record_take(&record->order,
                      json_pack("{s:O, s:o, s:s}", "method", json_object_get(order, "method"),
                                "args", args, "digest", digest));
}

bool
ferry_record_is_of_order(const FerryRecord *record, const json_t *order)
{
    const char *kept = ferry_json_get_string(record->order, "digest");

    /* Journals of version 1.0 have the whole order. */
    if (!kept)
        return json_equal(record->order, order);
    g_autofree char *digest = digest_of(order);
    return g_str_equal(kept, digest);
}

static bool
is_text(const char *text)
{
    return text && text[0] && g_utf8_validate(text, -1, NULL);
}

GError *
ferry_record_unsound_error(const FerryRecord *record, const char *why)
{
    return ferry_error_new(FERRY_ERROR_OUTCOME_UNKNOWN, FERRY_RECORD_UNSOUND_HINT,
                           "The journal's record of the migration '%s' makes no sense: %s",
                           record->migration_id, why);
}

bool
ferry_record_check(const FerryRecord *record, GError **error)
{
    const char *why = NULL;

    if (!ferry_status_may_follow(record->role, record->status, FERRY_STATUS_ERROR))
        why = "it is open in a status in which nothing is under way";
    else if (!is_text(record->instance_name) || !is_text(record->instance_uuid))
        why = "it does not say whose it is";
    else if (record->role == FERRY_ROLE_SOURCE && !is_text(record->destination))
        why = "it does not say where the instance goes";
    else if (!record->order)
        why = "it does not say what was ordered";
    if (why)
        g_propagate_error(error, ferry_record_unsound_error(record, why));
    return !why;
}

json_t *
ferry_record_options(const FerryRecord *record)
{
    return json_object_get(json_object_get(record->order, "args"), "options");
}

static json_t *
time_or_null(gint64 time_us)
{
    g_autofree char *text = time_us ? ferry_clock_format_iso(time_us) : NULL;

    return ferry_json_text(text);
}

static json_t *
value_or_null(json_t *value)
{
    return value ? json_incref(value) : json_null();
}

json_t *
ferry_record_core_to_json(const FerryRecord *record)
{
    json_t *object = json_object();
    json_t *instance = json_object();

    json_object_set_new(instance, "name", ferry_json_text(record->instance_name));
    json_object_set_new(instance, "uuid", ferry_json_text(record->instance_uuid));
    json_object_set_new(object, "migration_id", ferry_json_text(record->migration_id));
    json_object_set_new(object, "role", json_string(ferry_role_to_string(record->role)));
    json_object_set_new(object, "instance", instance);
    json_object_set_new(object, "source", ferry_json_text(record->source));
    json_object_set_new(object, "destination", ferry_json_text(record->destination));
    json_object_set_new(object, "status", json_string(ferry_status_to_string(record->status)));
    json_object_set_new(object, "phase", ferry_json_text(ferry_phase_to_string(record->phase)));
    json_object_set_new(object, "progress", value_or_null(record->progress));
    json_object_set_new(object, "error", value_or_null(record->error));
    return object;
}

/* The record promises the per-disk report; while the report is not made there is none. */
static json_t *
report_disks(const FerryRecord *record)
{
    return value_or_null(json_object_get(record->report, "disks"));
}

json_t *
ferry_record_to_json(const FerryRecord *record, json_t *steps)
{
    json_t *object = ferry_record_core_to_json(record);

    json_object_set_new(object, "seq", json_integer(record->seq));
    json_object_set_new(object, "created_at", time_or_null(record->created_us));
    json_object_set_new(object, "updated_at", time_or_null(record->updated_us));
    json_object_set_new(object, "ended_at", time_or_null(record->ended_us));
    json_object_set_new(object, "expires_at", time_or_null(record->expires_us));
    json_object_set_new(object, "report", value_or_null(record->report));
    json_object_set_new(object, "disks", report_disks(record));
    json_object_set_new(object, "migrate_data", value_or_null(record->migrate_data));
    if (steps)
        json_object_set(object, "steps", steps);
    return object;
}
