#include "config.h"

#include "destination.h"

#include "carried-file.h"
#include "chain.h"
#include "check-storage.h"
#include "destination-check.h"
#include "disk-plan.h"
#include "fault-point.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "import.h"
#include "instance.h"
#include "merge.h"
#include "migrate-data.h"
#include "order-options.h"
#include "placement.h"
#include "preparation.h"
#include "virt-arrival.h"
#include "virt-auto.h"
#include "virt-domain.h"
#include "virt-storage.h"
#include "way-check.h"
#include "virt-pool.h"
#include "virt-sight.h"

struct FerryDestination {
    const FerryAgent *agent;
    FerryImports *imports;

    GMutex admission; /* held while a slot is counted and taken */

    GMutex lock;
    GCond changed;
    GHashTable *busy; /* guarded by lock; ids of migrations that a call works on */
};

FerryDestination *
ferry_destination_new(const FerryAgent *agent)
{
    FerryDestination *self = g_new0(FerryDestination, 1);

    self->agent = agent;
    self->imports = ferry_imports_new(agent);
    self->busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&self->admission);
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    return self;
}

void
ferry_destination_free(FerryDestination *self)
{
    if (!self)
        return;
    ferry_imports_free(self->imports);
    g_hash_table_unref(self->busy);
    g_mutex_clear(&self->admission);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free(self);
}

/* --- one call a migration --------------------------------------------------------------------- */

typedef struct {
    FerryDestination *destination;
    const char *migration_id;
} Turn;

static Turn
turn_begin(FerryDestination *self, const char *migration_id)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    while (g_hash_table_contains(self->busy, migration_id))
        g_cond_wait(&self->changed, &self->lock);
    g_hash_table_add(self->busy, g_strdup(migration_id));
    return (Turn){self, migration_id};
}

static void
turn_end(Turn *turn)
{
    g_mutex_lock(&turn->destination->lock);
    g_hash_table_remove(turn->destination->busy, turn->migration_id);
    g_cond_broadcast(&turn->destination->changed);
    g_mutex_unlock(&turn->destination->lock);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Turn, turn_end)

/* --- the record ------------------------------------------------------------------------------- */

static bool
enter(FerryDestination *self, FerryRecord *record, FerryStatus status, GError **error)
{
    record->status = status;
    return ferry_journal_save(self->agent->journal, record,
                              ferry_status_event_type(FERRY_ROLE_DESTINATION, status), error);
}

static FerryRecord *
new_record(FerryDestination *self,
           const char *migration_id,
           const FerryInstance *instance,
           json_t *order)
{
    const FerryConfig *config = self->agent->config;
    json_t *args = json_object_get(order, "args");
    FerryRecord *record = ferry_record_new(migration_id, FERRY_ROLE_DESTINATION);

    record->instance_name = g_strdup(instance->name);
    record->instance_uuid = g_strdup(instance->uuid);
    record->source = g_strdup(ferry_json_get_string(args, "source"));
    record->destination = g_strdup(config->host);
    record->order = json_incref(order);
    ferry_record_take(&record->instance_info, json_incref(json_object_get(args, "instance_info")));
    record->expires_us = ferry_clock_now_us() + (gint64)config->prepare_timeout_s * G_USEC_PER_SEC;
    return record;
}

/* --- check ------------------------------------------------------------------------------------ */

static char *
folder_of_pool(const char *name, gpointer connection)
{
    return ferry_virt_pool_folder(connection, name);
}

/* From here on the description is that of the instance on this host. */
static void
describe_here(FerryInstance *instance, const FerryOrderOptions *options, virConnectPtr connection)
{
    if (options->flatten && !ferry_instance_is_shut_off(instance))
        ferry_chain_flatten(instance);
    ferry_placement_apply(instance, options, folder_of_pool, connection);
}

json_t *
ferry_destination_check(FerryDestination *self,
                        const json_t *instance_info,
                        const json_t *options,
                        GError **error)
{
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(instance_info, error);
    g_autoptr(FerryOrderOptions) parsed = NULL;

    if (!instance)
        return NULL;
    parsed = ferry_order_options_parse(options, self->agent->config, error);
    if (!parsed)
        return NULL;

    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    if (!connection)
        return NULL;
    describe_here(instance, parsed, connection);

    g_autoptr(FerryChecks) checks =
        ferry_destination_check_run(self->agent, connection, instance, parsed);
    json_t *answer = ferry_checks_to_json(checks);

    json_object_set_new(answer, "dest_check_data", ferry_way_check_data(self->agent, connection));
    return answer;
}

/* --- prepare ---------------------------------------------------------------------------------- */

/* What the source has to bring before the transfer. */
static json_t *
list_files(const FerryInstance *instance)
{
    g_autoptr(GPtrArray) files = ferry_carried_files_of(instance);
    json_t *list = json_array();

    for (guint i = 0; i < files->len; i++)
        json_array_append_new(list, ferry_carried_file_to_json(g_ptr_array_index(files, i)));
    return list;
}

static json_t *
make_migrate_data(FerryDestination *self,
                  const FerryRecord *record,
                  const FerryInstance *instance,
                  json_t *pools,
                  json_t *volumes)
{
    const FerryConfig *config = self->agent->config;
    const char *address = config->live_migration_inbound_addr;
    g_autofree char *libvirt_uri = ferry_migrate_data_libvirt_uri(config, address);
    g_autofree char *migrate_uri = ferry_migrate_data_migrate_uri(address);
    g_autofree char *expires_at = ferry_clock_format_iso(record->expires_us);

    return json_pack("{s:s, s:o, s:o, s:o, s:O, s:O, s:o, s:n, s:s}", "migration_id",
                     record->migration_id, "host", ferry_json_text(config->host), "libvirt_uri",
                     ferry_json_text(libvirt_uri), "migrate_uri", ferry_json_text(migrate_uri),
                     "pools", pools, "volumes", volumes, "files", list_files(instance),
                     "destination_xml", "expires_at", expires_at);
}

/* The checks run again here: between check and order the world may have changed. */
static bool
checks_pass(FerryDestination *self,
            virConnectPtr connection,
            const FerryInstance *instance,
            const FerryOrderOptions *options,
            GError **error)
{
    g_autoptr(FerryChecks) checks =
        ferry_destination_check_run(self->agent, connection, instance, options);

    if (ferry_checks_compatible(checks))
        return true;
    g_propagate_error(error, ferry_checks_error(checks));
    return false;
}

static json_t *
prepare_record(FerryDestination *self,
               virConnectPtr connection,
               FerryRecord *record,
               const FerryInstance *instance,
               GError **error)
{
    g_autoptr(FerryJson) pools = NULL;
    g_autoptr(FerryJson) volumes = NULL;

    if (!ferry_preparation_make(self->agent, connection, record->migration_id, instance, &pools,
                                &volumes, error))
        return NULL;
    ferry_record_take(&record->migrate_data,
                      make_migrate_data(self, record, instance, pools, volumes));
    if (!enter(self, record, FERRY_STATUS_PREPARED, error))
        return NULL;
    return json_incref(record->migrate_data);
}

/* Ends a record whose instance did not come: with what could not be undone it is an error. */
static bool
end_rolled_back(
    FerryDestination *self, FerryRecord *record, json_t *removed, json_t *kept, GError **error)
{
    bool clean = json_array_size(kept) == 0;

    ferry_record_take(&record->report, json_pack("{s:O, s:O}", "removed", removed, "kept", kept));
    if (!clean && !record->error) {
        g_autoptr(GError) why =
            ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, "The report's `kept` says what and why",
                            "Not everything that was prepared could be removed");

        ferry_record_take(&record->error, ferry_error_to_json(why));
    }
    record->expires_us = 0;
    return enter(self, record, clean ? FERRY_STATUS_ROLLED_BACK : FERRY_STATUS_ERROR, error);
}

/* One that does not run is defined here as the last thing before the verdict. Nobody had its UUID when
 * it was prepared; a definition that is here before its images is somebody's own and stays. */
static bool
take_back_definition(FerryDestination *self,
                     virConnectPtr connection,
                     const FerryRecord *record,
                     GError **error)
{
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(record->instance_info, error);

    if (!instance)
        return false;
    return !ferry_instance_is_shut_off(instance) ||
           !ferry_imports_have_images(self->imports, record->migration_id,
                                      ferry_disk_plan_count(instance)) ||
           ferry_virt_domain_retire(connection, record->instance_uuid, /* undefine= */ true, error);
}

static bool
undo_record(FerryDestination *self, virConnectPtr connection, FerryRecord *record, GError **error)
{
    g_autoptr(FerryJson) removed = NULL;
    g_autoptr(FerryJson) kept = NULL;
    g_autoptr(FerryJson) files = json_array();
    g_autoptr(FerryJson) kept_files = json_array();

    if (!take_back_definition(self, connection, record, error) ||
        !ferry_imports_undo(self->imports, connection, record->migration_id, files, kept_files,
                            error) ||
        !ferry_preparation_undo(self->agent, connection, record->migration_id, &removed, &kept,
                                error))
        return false;
    json_array_extend(removed, files);
    json_array_extend(kept, kept_files);
    return end_rolled_back(self, record, removed, kept, error);
}

static json_t *
prepare_or_undo(FerryDestination *self,
                virConnectPtr connection,
                FerryRecord *record,
                const FerryInstance *instance,
                GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GError) undo_error = NULL;
    json_t *migrate_data = prepare_record(self, connection, record, instance, &why);

    if (migrate_data)
        return migrate_data;

    ferry_record_take(&record->error, ferry_error_to_json(why));
    if (!undo_record(self, connection, record, &undo_error))
        g_warning("Migration '%s': the preparation could not be undone now, the lease will: %s",
                  record->migration_id, undo_error->message);
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

/* A repetition: @record is what the first one left. */
static json_t *
prepare_again(FerryDestination *self,
              virConnectPtr connection,
              FerryRecord *record,
              const FerryInstance *instance,
              json_t *order,
              GError **error)
{
    if (!json_equal(record->order, order)) {
        ferry_set_error(
            error, FERRY_ERROR_INVALID_REQUEST, "Use a new migration_id for a new order",
            "The migration_id '%s' was used with other arguments", record->migration_id);
        return NULL;
    }
    if (record->status == FERRY_STATUS_PREPARED)
        return json_incref(record->migrate_data);
    if (record->status == FERRY_STATUS_PREPARING)
        return prepare_or_undo(self, connection, record, instance, error);
    if (record->error) {
        g_propagate_error(error, ferry_error_from_json(record->error));
        return NULL;
    }
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Use a new migration_id for a new order",
                    "The migration '%s' is %s on this host", record->migration_id,
                    ferry_status_to_string(record->status));
    return NULL;
}

/* "retry" in the details tells the source to ask again. */
static bool
find_slot(FerryDestination *self, GError **error)
{
    FerryJournalFilter filter = {.open_only = true, .incoming_only = true};
    guint limit = self->agent->config->max_concurrent_incoming;
    g_autoptr(GPtrArray) open = ferry_journal_list(self->agent->journal, &filter, error);

    if (open && limit > 0 && open->len >= limit) {
        g_autoptr(GError) why =
            ferry_error_new(FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                            "Ask again later, or raise [migration] max_concurrent_incoming",
                            "All %u slots for incoming migrations are in use on '%s'", limit,
                            self->agent->config->host);

        ferry_error_set_detail(why, "retry", json_true());
        g_propagate_error(error, g_steal_pointer(&why));
    }
    return open && (limit == 0 || open->len < limit);
}

/* Slot and space are counted and taken in one go: two that came together passed the same checks. */
static bool
admit(FerryDestination *self, FerryRecord *record, const FerryInstance *instance, GError **error)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->admission);

    if (!find_slot(self, error))
        return false;
    ferry_check_storage_space(self->agent, instance, checks);
    if (ferry_checks_compatible(checks))
        return ferry_journal_add(self->agent->journal, record, error);
    g_propagate_error(error, ferry_checks_error(checks));
    return false;
}

static json_t *
prepare_first(FerryDestination *self,
              virConnectPtr connection,
              const char *migration_id,
              const FerryInstance *instance,
              json_t *order,
              void (*accepted)(gpointer data),
              gpointer data,
              GError **error)
{
    g_autoptr(FerryRecord) record = new_record(self, migration_id, instance, order);

    if (!admit(self, record, instance, error))
        return NULL;
    ferry_fault_point("reserve", "begin");
    accepted(data);
    ferry_fault_point("reserve", "end");
    return prepare_or_undo(self, connection, record, instance, error);
}

json_t *
ferry_destination_prepare(FerryDestination *self,
                          const char *migration_id,
                          json_t *order,
                          void (*accepted)(gpointer data),
                          gpointer data,
                          GError **error)
{
    json_t *args = json_object_get(order, "args");
    g_autoptr(FerryInstance) instance =
        ferry_instance_from_json(json_object_get(args, "instance_info"), error);
    g_autoptr(FerryOrderOptions) options = NULL;
    g_autoptr(GError) get_error = NULL;

    if (!instance)
        return NULL;
    options =
        ferry_order_options_parse(json_object_get(args, "options"), self->agent->config, error);
    if (!options)
        return NULL;

    g_auto(Turn) turn = turn_begin(self, migration_id);
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    if (!turn.destination || !connection)
        return NULL;
    describe_here(instance, options, connection);

    g_autoptr(FerryRecord) before =
        ferry_journal_get(self->agent->journal, migration_id, FERRY_ROLE_DESTINATION, &get_error);

    if (before)
        return prepare_again(self, connection, before, instance, order, error);
    if (!g_error_matches(get_error, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&get_error));
        return NULL;
    }
    if (!checks_pass(self, connection, instance, options, error))
        return NULL;
    return prepare_first(self, connection, migration_id, instance, order, accepted, data, error);
}

/* --- files ------------------------------------------------------------------------------------ */

/* Each question is also a sign of life: who brings files needs the preparation for longer. */
static bool
renew_lease(FerryDestination *self, FerryRecord *record, GError **error)
{
    if (record->status != FERRY_STATUS_PREPARED) {
        ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                        "Call pre_live_migration first; a migration that ended takes no files",
                        "The migration '%s' is %s on this host", record->migration_id,
                        ferry_status_to_string(record->status));
        return false;
    }
    record->expires_us =
        ferry_clock_now_us() + (gint64)self->agent->config->prepare_timeout_s * G_USEC_PER_SEC;
    return ferry_journal_save(self->agent->journal, record, NULL, error);
}

json_t *
ferry_destination_prepare_file(FerryDestination *self,
                               const char *migration_id,
                               const json_t *file,
                               GError **error)
{
    g_auto(Turn) turn = turn_begin(self, migration_id);
    g_autoptr(FerryRecord) record = ferry_journal_get(turn.destination->agent->journal,
                                                      migration_id, FERRY_ROLE_DESTINATION, error);
    g_autoptr(virConnect) connection = record ? ferry_virt_connect(self->agent->virt, error) : NULL;

    if (!connection || !renew_lease(self, record, error))
        return NULL;
    return ferry_imports_prepare(self->imports, connection, record, file, error);
}

json_t *
ferry_destination_publish_file(FerryDestination *self,
                               const char *migration_id,
                               const char *path,
                               GError **error)
{
    g_auto(Turn) turn = turn_begin(self, migration_id);
    g_autoptr(FerryRecord) record = ferry_journal_get(turn.destination->agent->journal,
                                                      migration_id, FERRY_ROLE_DESTINATION, error);
    g_autoptr(virConnect) connection = record ? ferry_virt_connect(self->agent->virt, error) : NULL;

    if (!connection || !renew_lease(self, record, error))
        return NULL;
    return ferry_imports_publish(self->imports, connection, record, path, error);
}

/* --- finish ----------------------------------------------------------------------------------- */

/* What finish and roll back answer, also to a repetition: the report and the status. */
static json_t *
answer_ended(const FerryRecord *record)
{
    json_t *answer = record->report ? json_copy(record->report) : json_object();

    json_object_set_new(answer, "status", json_string(ferry_status_to_string(record->status)));
    return answer;
}

static bool
arrived_alive(const FerryRecord *record, const FerryArrival *arrival, GError **error)
{
    if (arrival->alive)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Look at the instance on both hosts; nothing was changed here",
                    "The instance '%s' is not alive on '%s': libvirt shows it as '%s'",
                    record->instance_name, record->destination,
                    ferry_sight_to_string(arrival->sight));
    return false;
}

static bool
finish_record(FerryDestination *self, virConnectPtr connection, FerryRecord *record, GError **error)
{
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_parse(ferry_record_options(record), self->agent->config, error);
    g_autoptr(FerryInstance) instance = NULL;
    g_auto(FerryArrival) arrival = {0};

    if (!options)
        return false;
    instance = ferry_instance_from_json(record->instance_info, error);
    if (!instance)
        return false;
    ferry_placement_restore(instance, json_object_get(record->migrate_data, "volumes"),
                            options->dest_name);
    if (!ferry_arrival_wait(connection, instance, options, &arrival, error) ||
        !arrived_alive(record, &arrival, error) ||
        !ferry_merge_overlays(self->agent, connection, instance, record->migration_id, error))
        return false;
    ferry_arrival_look_at_disks(connection, instance, &arrival);
    ferry_fault_point("deliver", "begin");
    if (!ferry_imports_deliver(self->imports, record->migration_id, error) ||
        !ferry_preparation_deliver(self->agent, record->migration_id, error))
        return false;
    ferry_fault_point("deliver", "end");
    ferry_record_take(&record->report, ferry_arrival_to_json(&arrival));
    ferry_record_take(&record->error, NULL);
    record->expires_us = 0;
    return enter(self, record, FERRY_STATUS_COMPLETED, error);
}

json_t *
ferry_destination_finish(FerryDestination *self, const char *migration_id, GError **error)
{
    g_auto(Turn) turn = turn_begin(self, migration_id);
    g_autoptr(FerryRecord) record = ferry_journal_get(turn.destination->agent->journal,
                                                      migration_id, FERRY_ROLE_DESTINATION, error);

    if (!record)
        return NULL;
    if (record->status == FERRY_STATUS_COMPLETED)
        return answer_ended(record);
    if (record->status == FERRY_STATUS_ROLLED_BACK) {
        ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE, "Start a new migration",
                        "The migration '%s' was rolled back on this host", migration_id);
        return NULL;
    }

    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    if (!connection || !finish_record(self, connection, record, error))
        return NULL;
    return answer_ended(record);
}

/* --- roll back -------------------------------------------------------------------------------- */

/* What stands in the way of a rollback: whatever the local libvirt shows but a dead domain. */
static bool
may_roll_back(virConnectPtr connection, const FerryRecord *record, GError **error)
{
    FerrySight sight = ferry_virt_domain_sight(connection, record->instance_uuid);

    if (sight == FERRY_SIGHT_ABSENT || sight == FERRY_SIGHT_SHUT_OFF ||
        sight == FERRY_SIGHT_MIGRATED)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Nothing is removed under an instance; ask post_live_migration_at_destination "
                    "or look at it",
                    "The instance '%s' is on '%s' as '%s'", record->instance_name,
                    record->destination, ferry_sight_to_string(sight));
    return false;
}

json_t *
ferry_destination_roll_back(FerryDestination *self, const char *migration_id, GError **error)
{
    g_auto(Turn) turn = turn_begin(self, migration_id);
    g_autoptr(FerryRecord) record = ferry_journal_get(turn.destination->agent->journal,
                                                      migration_id, FERRY_ROLE_DESTINATION, error);

    if (!record)
        return NULL;
    if (record->status == FERRY_STATUS_ROLLED_BACK)
        return answer_ended(record);
    if (record->status == FERRY_STATUS_COMPLETED) {
        ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                        "The instance arrived; migrate it back instead",
                        "The migration '%s' is completed on this host", migration_id);
        return NULL;
    }

    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    if (!connection || !may_roll_back(connection, record, error) ||
        !undo_record(self, connection, record, error))
        return NULL;
    return answer_ended(record);
}

/* --- the lease -------------------------------------------------------------------------------- */

static void
expire_one(FerryDestination *self, const char *migration_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) answer = ferry_destination_roll_back(self, migration_id, &error);

    if (answer)
        g_message("Migration '%s': nobody used the preparation in time; rolled back", migration_id);
    else
        g_message("Migration '%s': the lease is over, but: %s", migration_id, error->message);
}

/* A seed takes as long as its data: a preparation that is written to is used. */
static bool
is_filling(FerryDestination *self, const FerryRecord *record)
{
    gint64 lease_us = (gint64)self->agent->config->prepare_timeout_s * G_USEC_PER_SEC;
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, NULL);

    return connection && ferry_preparation_is_filling(self->agent, connection, record->migration_id,
                                                      record->expires_us - lease_us);
}

/* The instance is here or libvirt cannot tell: look again after another lease's time. */
static void
extend(FerryDestination *self, const char *migration_id)
{
    g_auto(Turn) turn = turn_begin(self, migration_id);
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = ferry_journal_get(turn.destination->agent->journal,
                                                      migration_id, FERRY_ROLE_DESTINATION, &error);

    if (!record || ferry_status_is_terminal(record->status))
        return;
    record->expires_us =
        ferry_clock_now_us() + (gint64)self->agent->config->prepare_timeout_s * G_USEC_PER_SEC;
    if (!ferry_journal_save(self->agent->journal, record, NULL, &error))
        g_warning("Migration '%s': cannot extend the lease: %s", migration_id, error->message);
}

gint64
ferry_destination_expire(gpointer destination)
{
    FerryDestination *self = destination;
    FerryJournalFilter filter = {.open_only = true, .incoming_only = true};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) due = ferry_journal_list(self->agent->journal, &filter, &error);
    gint64 now = ferry_clock_now_us();
    gint64 next = 0;

    for (guint i = 0; due && i < due->len; i++) {
        const FerryRecord *record = g_ptr_array_index(due, i);

        if (record->expires_us > 0 && record->expires_us <= now) {
            if (!is_filling(self, record))
                expire_one(self, record->migration_id);
            extend(self, record->migration_id);
        }
    }

    g_autoptr(GPtrArray) open = ferry_journal_list(self->agent->journal, &filter, NULL);

    for (guint i = 0; open && i < open->len; i++) {
        const FerryRecord *record = g_ptr_array_index(open, i);

        if (record->expires_us > 0 && (next == 0 || record->expires_us < next))
            next = record->expires_us;
    }
    return next;
}
