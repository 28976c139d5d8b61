#include "config.h"

#include "destination/destination.h"

#include "destination/destination-private.h"
#include "destination/merge.h"
#include "destination/preparation.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "journal/journal.h"
#include "model/disk-plan.h"
#include "model/instance.h"
#include "model/order-options.h"
#include "model/placement.h"
#include "runtime/fault-point.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/incoming-domain.h"
#include "virt/virt.h"

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

FerryMigrationLock
ferry_migration_lock_take(FerryDestination *self, const char *migration_id)
{
    FERRY_LOCK_SCOPE(&self->lock);

    while (g_hash_table_contains(self->busy, migration_id))
        g_cond_wait(&self->changed, &self->lock);
    g_hash_table_add(self->busy, g_strdup(migration_id));
    return (FerryMigrationLock){self, migration_id};
}

void
ferry_migration_lock_release(FerryMigrationLock *lock)
{
    g_mutex_lock(&lock->destination->lock);
    g_hash_table_remove(lock->destination->busy, lock->migration_id);
    g_cond_broadcast(&lock->destination->changed);
    g_mutex_unlock(&lock->destination->lock);
}

/* --- the record ------------------------------------------------------------------------------- */

bool
ferry_destination_enter(FerryDestination *self,
                        FerryRecord *record,
                        FerryStatus status,
                        GError **error)
{
    record->status = status;
    return ferry_journal_save(self->agent->journal, record,
                              ferry_status_event_type(FERRY_ROLE_DESTINATION, status), error);
}

/* --- undoing -------------------------------------------------------------------------------- */

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
    return ferry_destination_enter(self, record,
                                   clean ? FERRY_STATUS_ROLLED_BACK : FERRY_STATUS_ERROR, error);
}

/* One that does not run is defined here as the last thing before the outcome. Nobody had its UUID when
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

bool
ferry_destination_undo_record(FerryDestination *self,
                              virConnectPtr connection,
                              FerryRecord *record,
                              GError **error)
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

/* Returns: (transfer full): the record, for another question about its files, and a connection. */
static FerryRecord *
take_up(const FerryMigrationLock *lock, virConnectPtr *ret_connection, GError **error)
{
    FerryDestination *self = lock->destination;
    g_autoptr(FerryRecord) record =
        ferry_journal_get(self->agent->journal, lock->migration_id, FERRY_ROLE_DESTINATION, error);
    g_autoptr(virConnect) connection = record ? ferry_virt_connect(self->agent->virt, error) : NULL;

    if (!connection || !renew_lease(self, record, error))
        return NULL;
    *ret_connection = g_steal_pointer(&connection);
    return g_steal_pointer(&record);
}

json_t *
ferry_destination_prepare_file(FerryDestination *self,
                               const char *migration_id,
                               const json_t *file,
                               GError **error)
{
    g_auto(FerryMigrationLock) lock = ferry_migration_lock_take(self, migration_id);
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(FerryRecord) record = take_up(&lock, &connection, error);

    if (!record)
        return NULL;
    return ferry_imports_prepare(self->imports, connection, record, file, error);
}

json_t *
ferry_destination_publish_file(FerryDestination *self,
                               const char *migration_id,
                               const char *path,
                               GError **error)
{
    g_auto(FerryMigrationLock) lock = ferry_migration_lock_take(self, migration_id);
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(FerryRecord) record = take_up(&lock, &connection, error);

    if (!record)
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
arrived_alive(const FerryRecord *record, const FerryIncomingDomain *arrival, GError **error)
{
    if (arrival->alive)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Look at the instance on both hosts; nothing was changed here",
                    "The instance '%s' is not alive on '%s': libvirt shows it as '%s'",
                    record->instance_name, record->destination,
                    ferry_observed_state_to_string(arrival->observed));
    return false;
}

static bool
finish_record(FerryDestination *self, virConnectPtr connection, FerryRecord *record, GError **error)
{
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_parse(ferry_record_options(record), self->agent->config, error);
    g_autoptr(FerryInstance) instance = NULL;
    g_autoptr(FerryMigrateData) migrate_data = NULL;
    g_auto(FerryIncomingDomain) arrival = {0};

    if (!options)
        return false;
    instance = ferry_instance_from_json(record->instance_info, error);
    if (!instance)
        return false;
    migrate_data = ferry_migrate_data_from_json(record->migrate_data, error);
    if (!migrate_data)
        return false;
    ferry_placement_restore(instance, migrate_data, options->dest_name);
    if (!ferry_incoming_domain_wait(connection, instance, options, &arrival, error) ||
        !arrived_alive(record, &arrival, error) ||
        !ferry_merge_overlays(self->agent, connection, instance, record->migration_id, error))
        return false;
    ferry_incoming_domain_read_disks(connection, instance, &arrival);
    ferry_fault_point("deliver", "begin");
    if (!ferry_imports_deliver(self->imports, record->migration_id, error) ||
        !ferry_preparation_deliver(self->agent, record->migration_id, error))
        return false;
    ferry_fault_point("deliver", "end");
    ferry_record_take(&record->report, ferry_incoming_domain_to_json(&arrival));
    ferry_record_take(&record->error, NULL);
    record->expires_us = 0;
    return ferry_destination_enter(self, record, FERRY_STATUS_COMPLETED, error);
}

json_t *
ferry_destination_finish(FerryDestination *self, const char *migration_id, GError **error)
{
    g_auto(FerryMigrationLock) lock = ferry_migration_lock_take(self, migration_id);
    g_autoptr(FerryRecord) record = ferry_journal_get(lock.destination->agent->journal,
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
    FerryObservedState observed = ferry_virt_domain_observe(connection, record->instance_uuid);

    if (observed == FERRY_OBSERVED_ABSENT || observed == FERRY_OBSERVED_SHUT_OFF ||
        observed == FERRY_OBSERVED_MIGRATED)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Nothing is removed under an instance; ask post_live_migration_at_destination "
                    "or look at it",
                    "The instance '%s' is on '%s' as '%s'", record->instance_name,
                    record->destination, ferry_observed_state_to_string(observed));
    return false;
}

json_t *
ferry_destination_roll_back(FerryDestination *self, const char *migration_id, GError **error)
{
    g_auto(FerryMigrationLock) lock = ferry_migration_lock_take(self, migration_id);
    g_autoptr(FerryRecord) record = ferry_journal_get(lock.destination->agent->journal,
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
        !ferry_destination_undo_record(self, connection, record, error))
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
    g_auto(FerryMigrationLock) lock = ferry_migration_lock_take(self, migration_id);
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = ferry_journal_get(lock.destination->agent->journal,
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
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) due = ferry_journal_list_incoming(self->agent->journal, &error);
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

    g_autoptr(GPtrArray) open = ferry_journal_list_incoming(self->agent->journal, NULL);

    for (guint i = 0; open && i < open->len; i++) {
        const FerryRecord *record = g_ptr_array_index(open, i);

        if (record->expires_us > 0 && (next == 0 || record->expires_us < next))
            next = record->expires_us;
    }
    return next;
}
