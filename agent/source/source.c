#include "config.h"

#include "source/source.h"

#include "checks/far.h"
#include "checks/source.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "model/allowed-destination.h"
#include "model/memory-way.h"
#include "model/migrate-data.h"
#include "model/order-options.h"
#include "runtime/fault-point.h"
#include "storage/instance-plan.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/virt.h"

#include <string.h>

/* A person waits for the answer; long enough for a packet that was lost to be sent again. */
#define PORTS_LIMIT_MS 1500

struct FerrySource {
    const FerryAgent *agent;
    FerryScheduler *scheduler;
};

FerrySource *
ferry_source_new(const FerryAgent *agent, const FerrySaga *saga, FerryResolver *resolver)
{
    FerrySource *self = g_new0(FerrySource, 1);

    self->agent = agent;
    self->scheduler = ferry_scheduler_new(agent, saga, ferry_resolver_wake, resolver);
    return self;
}

void
ferry_source_free(FerrySource *self)
{
    if (!self)
        return;
    ferry_scheduler_free(self->scheduler);
    g_free(self);
}

FerryScheduler *
ferry_source_scheduler(FerrySource *self)
{
    return self->scheduler;
}

/* The destination's own answer, or why there is none: that is a failed check as well. */
static void
check_far_side(FerrySource *self, FerryFarQuestion *question, FerryChecks *checks, json_t *answer)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChecks) there =
        ferry_destination_check_allowed(self->agent->config, question->host, &error)
            ? ferry_far_check_run(self->agent, question, checks, &error)
            : NULL;

    if (there) {
        json_object_set_new(answer, "destination", ferry_checks_to_json(there));
        return;
    }
    ferry_checks_add_error(checks, "destination", error);
    json_object_set_new(answer, "destination_error", ferry_error_to_json(error));
}

static bool
both_compatible(const FerryChecks *checks, const json_t *answer)
{
    return ferry_checks_compatible(checks) &&
           ferry_json_get_bool(json_object_get(answer, "destination"), "compatible", true);
}

json_t *
ferry_source_check(
    FerrySource *self, const char *name, const char *host, const json_t *options, GError **error)
{
    g_autoptr(FerryOrderOptions) parsed =
        ferry_order_options_parse(options, self->agent->config, error);
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(FerryInstance) instance = NULL;
    g_autoptr(FerryChecks) checks = NULL;

    if (!parsed)
        return NULL;
    connection = ferry_virt_connect(self->agent->virt, error);
    if (!connection)
        return NULL;
    domain = ferry_virt_domain_find_named(connection, self->agent->config->host, name, error);
    instance =
        domain ? ferry_instance_plan_make(self->agent, connection, domain, parsed, error) : NULL;
    if (!instance)
        return NULL;
    checks = ferry_source_check_run(self->agent, domain, instance, NULL, parsed);

    g_autoptr(FerryJson) info = ferry_instance_to_json(instance);
    g_autoptr(FerryJson) far = json_object();
    FerryFarQuestion question = {.host = host,
                                 .instance_info = info,
                                 .options = options,
                                 .settled = parsed,
                                 .ports_limit_ms = PORTS_LIMIT_MS};

    ferry_memory_way_settle(parsed, instance);
    if (host)
        check_far_side(self, &question, checks, far);

    json_t *answer = ferry_checks_to_json(checks);

    json_object_update(answer, far);
    json_object_set_new(answer, "compatible", json_boolean(both_compatible(checks, far)));
    json_object_set(answer, "instance_info", info);
    return answer;
}

/* --- the order -------------------------------------------------------------------------------- */

static json_t *
answer_status(const char *migration_id, FerryStatus status)
{
    return json_pack("{s:s, s:s}", "migration_id", migration_id, "status",
                     ferry_status_to_string(status));
}

/* A repeated order is answered with the present state; one id for two orders is a mistake. */
static bool
is_repetition(const FerryRecord *before, const FerryMigrationRequest *request, GError **error)
{
    if (ferry_record_is_of_order(before, request->order))
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "Use a new migration_id for a new order",
                    "The migration_id '%s' was used with other arguments", before->migration_id);
    return false;
}

/* Asks libvirt, unless its events have told already. */
static bool
find_instance(FerrySource *self, const char *name, char **ret_name, char **ret_uuid, GError **error)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(virDomain) domain = NULL;

    if (ferry_virt_knows_active(self->agent->virt, name, ret_name, ret_uuid))
        return true;
    connection = ferry_virt_connect(self->agent->virt, error);
    domain = connection
                 ? ferry_virt_domain_find_named(connection, self->agent->config->host, name, error)
                 : NULL;
    if (!domain)
        return false;
    virDomainGetUUIDString(domain, uuid);
    *ret_name = g_strdup(virDomainGetName(domain));
    *ret_uuid = g_strdup(uuid);
    return true;
}

static FerryRecord *
new_record(FerrySource *self, const FerryMigrationRequest *request, GError **error)
{
    g_autofree char *name = NULL;
    g_autofree char *uuid = NULL;

    if (!find_instance(self, request->instance, &name, &uuid, error))
        return NULL;

    FerryRecord *record = ferry_record_new(request->migration_id, FERRY_ROLE_SOURCE);

    record->instance_name = g_steal_pointer(&name);
    record->instance_uuid = g_steal_pointer(&uuid);
    record->source = g_strdup(self->agent->config->host);
    record->destination = g_strdup(request->host);
    ferry_record_take_order(record, request->order);
    record->migrate_data = ferry_migration_request_column(request);
    return record;
}

static bool
order_is_sound(FerrySource *self, const FerryMigrationRequest *request, GError **error)
{
    return ferry_destination_check_allowed(self->agent->config, request->host, error) &&
           (!request->migrate_data ||
            ferry_migrate_data_check(request->migrate_data, self->agent->config, error));
}

static bool
order_first(FerrySource *self,
            const FerryMigrationRequest *request,
            FerryAdmittedFunc answer,
            gpointer data,
            GError **error)
{
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_parse(request->options, self->agent->config, error);
    g_autoptr(FerryRecord) record = NULL;

    if (!options || !order_is_sound(self, request, error))
        return false;
    record = new_record(self, request, error);
    if (!record || !ferry_journal_add(self->agent->journal, record, error))
        return false;
    ferry_fault_point("order", "begin");

    g_autoptr(FerryMigration) migration =
        ferry_migration_new(self->agent, g_steal_pointer(&record), g_steal_pointer(&options));

    ferry_scheduler_add(self->scheduler, migration, answer, data);
    return true;
}

bool
ferry_source_order(FerrySource *self,
                   const FerryMigrationRequest *request,
                   FerryAdmittedFunc answer,
                   gpointer data,
                   GError **error)
{
    for (;;) {
        g_autoptr(GError) why = NULL;
        g_autoptr(FerryRecord) before =
            ferry_journal_get(self->agent->journal, request->migration_id, FERRY_ROLE_SOURCE, &why);

        if (before && !is_repetition(before, request, error))
            return false;
        if (before) {
            answer(before->migration_id, before->status, data);
            return true;
        }
        if (!g_error_matches(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        g_clear_error(&why);
        if (order_first(self, request, answer, data, &why))
            return true;
        /* The same order twice at one moment: the other one was journaled first. */
        if (!g_error_matches(why, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
    }
}

/* --- orders about a migration ----------------------------------------------------------------- */

static FerryMigration *
find_live(FerrySource *self, const char *migration_id, GError **error)
{
    FerryMigration *migration = ferry_scheduler_find(self->scheduler, migration_id);

    if (migration)
        return migration;

    g_autoptr(FerryRecord) record =
        ferry_journal_get(self->agent->journal, migration_id, FERRY_ROLE_SOURCE, error);

    g_autofree char *hint =
        g_strdup_printf("It has ended; get_migration %s tells how", migration_id);

    if (record)
        ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE, hint,
                        "The migration '%s' is %s", migration_id,
                        ferry_status_to_string(record->status));
    return NULL;
}

json_t *
ferry_source_abort(FerrySource *self, const char *migration_id, GError **error)
{
    g_autoptr(FerryMigration) migration = find_live(self, migration_id, error);

    if (!migration || !ferry_scheduler_abort(self->scheduler, migration, error))
        return NULL;

    g_autoptr(FerryRecord) record = ferry_migration_snapshot(migration);

    return answer_status(migration_id, record->status);
}

static bool
may_be_forced(const FerryRecord *record, GError **error)
{
    if (g_strcmp0(ferry_json_get_string(record->instance_info, "state"), "shutoff") != 0)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Its files have to arrive; abort it, or give it time",
                    "The instance '%s' does not run: there is nothing to pause",
                    record->instance_name);
    return false;
}

json_t *
ferry_source_force_complete(FerrySource *self, const char *migration_id, GError **error)
{
    const char *action = NULL;
    g_autoptr(FerryMigration) migration = find_live(self, migration_id, error);
    g_autoptr(FerryRecord) record = migration ? ferry_migration_snapshot(migration) : NULL;

    if (!record || !may_be_forced(record, error) ||
        !ferry_migration_request_force(migration, &action, error))
        return NULL;

    json_t *answer = answer_status(migration_id, record->status);

    json_object_set_new(answer, "action", json_string(action));
    return answer;
}

/* Files that the agent sends itself and memory take a new limit at once. */
static json_t *
deferred(FerrySource *self, FerryMigration *migration, const json_t *changes)
{
    g_autoptr(FerryRecord) record = ferry_migration_snapshot(migration);
    const char *version = ferry_json_get_string(record->instance_info, "libvirt_version");
    json_t *names = json_array();

    if (json_is_integer(json_object_get(changes, "bandwidth_mib_s")) &&
        ferry_migration_is_mirroring(migration) &&
        ferry_mirror_limit_of(version, self->agent->config) == FERRY_MIRROR_LIMIT_STAYS)
        json_array_append_new(names, json_string("bandwidth_mib_s"));
    return names;
}

json_t *
ferry_source_tune(FerrySource *self,
                  const char *migration_id,
                  const json_t *changes,
                  GError **error)
{
    g_autoptr(FerryMigration) migration = find_live(self, migration_id, error);

    if (!migration || !ferry_migration_tune(migration, changes, error))
        return NULL;

    g_autoptr(FerryRecord) record = ferry_migration_snapshot(migration);
    g_autofree char *told = ferry_json_dump(record->parameters);
    json_t *answer = answer_status(migration_id, record->status);

    g_message("Migration '%s': by order its parameters are now %s", migration_id, told);
    json_object_set(answer, "parameters", record->parameters);
    json_object_set_new(answer, "deferred", deferred(self, migration, changes));
    return answer;
}

/* --- recovery --------------------------------------------------------------------------------- */

static FerryMigration *
recall(FerrySource *self, const FerryRecord *record)
{
    FerryOrderOptions *options = ferry_order_options_recall(record->order, self->agent->config);

    g_message("Taking up migration '%s' of '%s' again, which was %s", record->migration_id,
              record->instance_name, ferry_status_to_string(record->status));
    return ferry_migration_new(self->agent, ferry_record_copy(record), options);
}

bool
ferry_source_recover(FerrySource *self, GError **error)
{
    FerryJournalFilter filter = {.open_only = true};
    g_autoptr(GPtrArray) open = ferry_journal_list(self->agent->journal, &filter, error);
    g_autoptr(GPtrArray) migrations =
        g_ptr_array_new_with_free_func((GDestroyNotify)ferry_migration_unref);

    if (!open)
        return false;
    /* Oldest first, as they were ordered. */
    for (guint i = open->len; i > 0; i--) {
        const FerryRecord *record = g_ptr_array_index(open, i - 1);

        if (record->role == FERRY_ROLE_SOURCE)
            g_ptr_array_add(migrations, recall(self, record));
    }
    ferry_scheduler_take_up(self->scheduler, migrations);
    return true;
}
