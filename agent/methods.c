#include "config.h"

#include "methods.h"

#include "disk-plan.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "methods-quarantine.h"
#include "quarantine.h"
#include "virt-auto.h"
#include "virt-domain.h"
#include "virt-host.h"
#include "virt-sight.h"

#define MAX_NAME_BYTES 256
#define MAX_LIST 1000

/* --- arguments -------------------------------------------------------------------------------- */

static bool
has_control_characters(const char *text)
{
    for (; *text; text++)
        if (g_ascii_iscntrl(*text))
            return true;
    return false;
}

/* Returns: (transfer none): a string argument that is fit to be a name; NULL with @error. */
static const char *
get_name(json_t *args, const char *key, GError **error)
{
    json_t *value = json_object_get(args, key);
    const char *text = json_string_value(value);

    if (text && text[0] && json_string_length(value) == strlen(text) &&
        strlen(text) <= MAX_NAME_BYTES && !has_control_characters(text))
        return text;
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                    "Argument '%s': expected a string of 1 to %d bytes without control characters",
                    key, MAX_NAME_BYTES);
    return NULL;
}

/* As get_name(), for an argument that may be absent or null: *ret_text is NULL then. */
static bool
get_optional_name(json_t *args, const char *key, const char **ret_text, GError **error)
{
    json_t *value = json_object_get(args, key);

    *ret_text = NULL;
    if (!value || json_is_null(value))
        return true;
    *ret_text = get_name(args, key, error);
    return *ret_text != NULL;
}

static json_t *
get_object(json_t *args, const char *key, GError **error)
{
    json_t *value = json_object_get(args, key);

    if (json_is_object(value))
        return value;
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL, "Argument '%s': expected an object",
                    key);
    return NULL;
}

static char *
get_id(json_t *args, GError **error)
{
    const char *text = get_name(args, "migration_id", error);

    if (!text)
        return NULL;
    if (g_uuid_string_is_valid(text))
        return g_ascii_strdown(text, -1);
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "uuidgen makes one",
                    "Argument 'migration_id': '%s' is not a UUID", text);
    return NULL;
}

/* A UUID that follows from what names the message: a redelivery of an order without a migration_id
 * gets the same one and starts nothing twice. */
static char *
id_from_identity(const char *identity)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 d[32];
    gsize length = sizeof d;

    g_checksum_update(sum, (const guchar *)identity, -1);
    g_checksum_get_digest(sum, d, &length);
    /* RFC 9562, version 8: a UUID of one's own making. */
    d[6] = (guint8)((d[6] & 0x0f) | 0x80);
    d[8] = (guint8)((d[8] & 0x3f) | 0x80);
    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11],
                           d[12], d[13], d[14], d[15]);
}

/* The caller's id, or one of our making. */
static char *
get_or_make_id(FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    json_t *value = json_object_get(args, "migration_id");
    const char *identity = ferry_request_identity(request);

    if (value && !json_is_null(value))
        return get_id(args, error);
    return identity ? id_from_identity(identity) : g_uuid_string_random();
}

static json_t *
order_of(FerryRequest *request)
{
    return json_pack("{s:s, s:O}", "method", ferry_request_method(request), "args",
                     ferry_request_args(request));
}

static void
acknowledge(gpointer request)
{
    ferry_request_ack(request);
}

/* A document that is the whole answer and at the same time has a name in the protocol is found both
 * ways: a caller may pass on the answer itself or what is under the name. @document: (transfer full).
 */
static json_t *
answer_named(const char *name, json_t *document)
{
    json_t *answer = document ? json_copy(document) : NULL;

    if (answer)
        json_object_set_new(answer, name, document);
    return answer;
}

/* --- hosts and instances ----------------------------------------------------------------------- */

static json_t *
describe_host(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    const FerryConfig *config = context->agent->config;
    guint used = 0;
    guint queued = 0;
    g_autoptr(virConnect) connection = ferry_virt_connect(context->agent->virt, error);
    json_t *answer = connection ? ferry_virt_host_describe(connection, error) : NULL;

    if (!answer)
        return NULL;
    ferry_scheduler_count(ferry_source_scheduler(context->source), &used, &queued);

    guint limit = config->max_concurrent_live_migrations;

    json_object_set_new(answer, "quarantine", ferry_quarantine_sum(context->agent));
    json_object_set_new(answer, "host", ferry_json_text(config->host));
    json_object_set_new(answer, "version", json_string(PACKAGE_VERSION));
    json_object_set_new(answer, "migration_address",
                        ferry_json_text(config->live_migration_inbound_addr));
    json_object_set_new(
        answer, "slots",
        json_pack("{s:i, s:o, s:i}", "used", (int)used, "free",
                  limit ? json_integer(used < limit ? limit - used : 0) : json_null(), "queued",
                  (int)queued));
    return answer;
}

static json_t *
describe_instance(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    const char *name = get_name(ferry_request_args(request), "instance", error);
    g_autoptr(virConnect) connection =
        name ? ferry_virt_connect(context->agent->virt, error) : NULL;
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, name, error) : NULL;
    g_autoptr(FerryInstance) instance = NULL;

    if (!domain)
        return NULL;

    FerrySight sight = ferry_virt_domain_state_sight(domain);

    instance = ferry_virt_domain_describe(connection, domain, error);
    if (!instance || !ferry_disk_plan_make(instance, NULL, error))
        return NULL;

    json_t *answer = ferry_instance_to_json(instance);

    json_object_set_new(answer, "sight", json_string(ferry_sight_to_string(sight)));
    return answer_named("instance_info", answer);
}

/* --- checks ----------------------------------------------------------------------------------- */

static json_t *
check_destination(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    json_t *instance_info = get_object(args, "instance_info", error);

    return instance_info ? ferry_destination_check(context->destination, instance_info,
                                                   json_object_get(args, "options"), error)
                         : NULL;
}

static json_t *
check_source(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    const char *name = get_name(args, "instance", error);
    const char *host = NULL;

    if (!name || !get_optional_name(args, "host", &host, error))
        return NULL;
    return ferry_source_check(context->source, name, host, json_object_get(args, "options"), error);
}

/* --- the destination's orders ------------------------------------------------------------------ */

static json_t *
prepare(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    const char *source = NULL;
    json_t *args = ferry_request_args(request);
    g_autofree char *id = get_or_make_id(request, error);
    g_autoptr(FerryJson) order = order_of(request);

    if (!id || !get_object(args, "instance_info", error) ||
        !get_optional_name(args, "source", &source, error))
        return NULL;

    json_t *answer =
        ferry_destination_prepare(context->destination, id, order, acknowledge, request, error);

    context->leases_changed(context->leases_data);
    return answer_named("migrate_data", answer);
}

static json_t *
prepare_file(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    g_autofree char *id = get_id(args, error);
    json_t *file = id ? get_object(args, "file", error) : NULL;
    json_t *answer =
        file ? ferry_destination_prepare_file(context->destination, id, file, error) : NULL;

    context->leases_changed(context->leases_data);
    return answer;
}

static json_t *
publish_file(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    const char *path = json_string_value(json_object_get(args, "path"));
    g_autofree char *id = get_id(args, error);

    if (id && !path)
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, NULL,
                        "Argument 'path': expected a string");
    return id && path ? ferry_destination_publish_file(context->destination, id, path, error)
                      : NULL;
}

static json_t *
finish(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    g_autofree char *id = get_id(ferry_request_args(request), error);

    return id ? ferry_destination_finish(context->destination, id, error) : NULL;
}

static json_t *
roll_back(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    g_autofree char *id = get_id(ferry_request_args(request), error);

    return id ? ferry_destination_roll_back(context->destination, id, error) : NULL;
}

/* --- the source's orders ----------------------------------------------------------------------- */

/* Answers and acknowledges; what the method returns afterwards is dropped as a second answer. */
static void
answer_order(const char *migration_id, FerryStatus status, gpointer request)
{
    ferry_request_reply(request, json_pack("{s:s, s:s}", "migration_id", migration_id, "status",
                                           ferry_status_to_string(status)));
}

static json_t *
order_migration(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    bool prepared = g_strcmp0(ferry_request_method(request), "live_migration") == 0;
    g_autofree char *id = get_or_make_id(request, error);
    g_autoptr(FerryJson) order = order_of(request);

    if (!id || !get_name(args, "instance", error))
        return NULL;
    if (prepared ? !get_object(args, "migrate_data", error) : !get_name(args, "host", error))
        return NULL;
    return ferry_source_order(context->source, id, order, answer_order, request, error);
}

static json_t *
abort_migration(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    g_autofree char *id = get_id(ferry_request_args(request), error);

    return id ? ferry_source_abort(context->source, id, error) : NULL;
}

static json_t *
force_complete(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    g_autofree char *id = get_id(ferry_request_args(request), error);

    return id ? ferry_source_force_complete(context->source, id, error) : NULL;
}

/* A source asks both hosts; a destination tries again to remove what it could not remove before. */
static json_t *
resolve_migration(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    g_autofree char *id = get_id(ferry_request_args(request), error);
    g_autoptr(GError) why = NULL;
    json_t *answer = id ? ferry_resolver_resolve(context->resolver, id, &why) : NULL;

    if (!id || answer)
        return answer;
    if (!g_error_matches(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return NULL;
    }
    answer = ferry_destination_roll_back(context->destination, id, error);
    if (answer) {
        json_object_set_new(answer, "migration_id", json_string(id));
        json_object_set_new(answer, "action", json_string("roll-back"));
    }
    return answer;
}

/* --- records ---------------------------------------------------------------------------------- */

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

static json_t *
get_migration(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    json_t *args = ferry_request_args(request);
    const char *role_name = NULL;
    FerryRole role = FERRY_ROLE_SOURCE;
    g_autofree char *id = get_id(args, error);
    g_autoptr(FerryRecord) record = NULL;

    if (!id || !get_optional_name(args, "role", &role_name, error))
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

    if (!get_optional_name(args, "status", &filter->status, error) ||
        !get_optional_name(args, "instance", &filter->instance, error))
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

static json_t *
list_migrations(const FerryMethodContext *context, FerryRequest *request, GError **error)
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

/* --- the table -------------------------------------------------------------------------------- */

#define NAMES(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static const FerryMethod table[] = {
    {"ping", FERRY_METHOD_SHARED, NULL, NULL},
    {"describe_host", FERRY_METHOD_SHARED, NULL, NULL},
    {"describe_instance", FERRY_METHOD_NONE, NAMES("instance"), NULL},
    {"check_can_live_migrate_destination", FERRY_METHOD_NONE, NAMES("instance_info"),
     NAMES("options")},
    {"check_can_live_migrate_source", FERRY_METHOD_NONE, NAMES("instance"),
     NAMES("host", "options")},
    {"pre_live_migration", FERRY_METHOD_ORDER, NAMES("instance_info"),
     NAMES("migration_id", "options", "source")},
    {"live_migration", FERRY_METHOD_ORDER, NAMES("instance", "migrate_data"),
     NAMES("migration_id", "options")},
    {"prepare_file", FERRY_METHOD_ORDER, NAMES("migration_id", "file"), NULL},
    {"publish_file", FERRY_METHOD_ORDER, NAMES("migration_id", "path"), NULL},
    {"post_live_migration_at_destination", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"rollback_live_migration_at_destination", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"live_migrate_instance", FERRY_METHOD_ORDER, NAMES("instance", "host"),
     NAMES("migration_id", "options")},
    {"live_migration_abort", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"live_migration_force_complete", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"resolve_migration", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"get_migration", FERRY_METHOD_NONE, NAMES("migration_id"), NAMES("role")},
    {"list_migrations", FERRY_METHOD_NONE, NULL, NAMES("status", "instance", "limit")},
    {"list_quarantined_disks", FERRY_METHOD_NONE, NULL, NAMES("instance")},
    {"restore_quarantined_disks", FERRY_METHOD_ORDER, NAMES("migration_id"), NAMES("force")},
    {"delete_quarantined_disks", FERRY_METHOD_ORDER, NAMES("migration_id"), NAMES("force")},
    {0},
};

static const struct {
    const char *name;
    FerryMethodFunc run;
} functions[] = {
    {"describe_host", describe_host},
    {"describe_instance", describe_instance},
    {"check_can_live_migrate_destination", check_destination},
    {"check_can_live_migrate_source", check_source},
    {"pre_live_migration", prepare},
    {"live_migration", order_migration},
    {"prepare_file", prepare_file},
    {"publish_file", publish_file},
    {"post_live_migration_at_destination", finish},
    {"rollback_live_migration_at_destination", roll_back},
    {"live_migrate_instance", order_migration},
    {"live_migration_abort", abort_migration},
    {"live_migration_force_complete", force_complete},
    {"resolve_migration", resolve_migration},
    {"get_migration", get_migration},
    {"list_migrations", list_migrations},
    {"list_quarantined_disks", ferry_method_list_quarantined_disks},
    {"restore_quarantined_disks", ferry_method_restore_quarantined_disks},
    {"delete_quarantined_disks", ferry_method_delete_quarantined_disks},
};

const FerryMethod *
ferry_methods_table(void)
{
    return table;
}

FerryMethodFunc
ferry_methods_find(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(functions); i++)
        if (g_strcmp0(functions[i].name, name) == 0)
            return functions[i].run;
    return NULL;
}
