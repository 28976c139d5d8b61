#include "config.h"

#include "destination/destination.h"

#include "destination/arrival-watch.h"
#include "destination/definition.h"
#include "destination/destination-private.h"
#include "destination/merge.h"
#include "destination/pool.h"
#include "destination/preparation.h"
#include "destination/rollback.h"
#include "destination/room.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "model/instance.h"
#include "model/order-options.h"
#include "model/placement.h"
#include "runtime/fault-point.h"
#include "storage/leftover.h"
#include "virt/arrival.h"
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
    self->locks = ferry_migration_locks_new();
    self->looks = ferry_migration_locks_new();
    g_mutex_init(&self->admission);
    ferry_arrival_watch(agent);
    return self;
}

void
ferry_destination_recover(FerryDestination *self)
{
    ferry_preparation_adopt(self->agent);
    ferry_imports_adopt(self->imports);
}

void
ferry_destination_free(FerryDestination *self)
{
    if (!self)
        return;
    ferry_arrival_unwatch(self->agent);
    ferry_imports_free(self->imports);
    ferry_migration_locks_free(self->locks);
    ferry_migration_locks_free(self->looks);
    g_mutex_clear(&self->admission);
    g_free(self);
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

static FerryRecord *
get_record(FerryDestination *self, const char *migration_id, GError **error)
{
    return ferry_journal_get(self->agent->journal, migration_id, FERRY_ROLE_DESTINATION, error);
}

/* --- undoing -------------------------------------------------------------------------------- */

/* With what could not be undone the record ends in error. */
static FerryStatus
end_of_rollback(FerryRecord *record, bool clean)
{
    if (clean)
        return FERRY_STATUS_ROLLED_BACK;
    if (!record->error) {
        g_autoptr(GError) why =
            ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, "The report's `kept` says what and why",
                            "Not everything that was prepared could be removed");

        ferry_record_take(&record->error, ferry_error_to_json(why));
    }
    return FERRY_STATUS_ERROR;
}

bool
ferry_destination_undo_record(FerryDestination *self,
                              virConnectPtr connection,
                              FerryRecord *record,
                              GError **error)
{
    bool clean = false;
    json_t *report =
        ferry_rollback_run(self->agent, self->imports, connection, record, &clean, error);

    if (!report)
        return false;
    ferry_record_take(&record->report, report);
    record->expires_us = 0;
    return ferry_destination_enter(self, record, end_of_rollback(record, clean), error);
}

/* --- files ------------------------------------------------------------------------------------ */

static bool
takes_files(const FerryRecord *record, GError **error)
{
    if (record->status == FERRY_STATUS_PREPARED)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Call pre_live_migration first; a migration that ended takes no files",
                    "The migration '%s' is %s on this host", record->migration_id,
                    ferry_status_to_string(record->status));
    return false;
}

FerryRecord *
ferry_destination_open_prepared(FerryDestination *self,
                                const char *migration_id,
                                virConnectPtr *ret_connection,
                                GError **error)
{
    g_autoptr(FerryRecord) record = get_record(self, migration_id, error);
    g_autoptr(virConnect) connection = record ? ferry_virt_connect(self->agent->virt, error) : NULL;

    if (!connection || !takes_files(record, error))
        return NULL;
    ferry_destination_renew_lease(self, record);
    if (!ferry_journal_save(self->agent->journal, record, /* event_type= */ NULL, error))
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
    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(FerryRecord) record =
        ferry_destination_open_prepared(self, migration_id, &connection, error);

    return record ? ferry_imports_begin(self->imports, connection, record, file, error) : NULL;
}

json_t *
ferry_destination_get_room(FerryDestination *self, const char *migration_id, GError **error)
{
    g_autoptr(FerryRecord) record = get_record(self, migration_id, error);

    if (!record || !takes_files(record, error))
        return NULL;

    /* A file system may hang, and the source asks again and again: one look of each migration may
     * wait there, or all threads would in the end. */
    g_auto(FerryMigrationLock) look = ferry_migration_lock_try(self->looks, migration_id);

    if (look.locks)
        return ferry_destination_room_look(self->agent, record, error);
    ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                    "Look whether the file systems of its images answer on this host",
                    "The last look at the room for migration '%s' is not over yet", migration_id);
    return NULL;
}

json_t *
ferry_destination_publish_file(FerryDestination *self,
                               const char *migration_id,
                               const char *path,
                               GError **error)
{
    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(FerryRecord) record =
        ferry_destination_open_prepared(self, migration_id, &connection, error);

    return record ? ferry_imports_publish(self->imports, connection, record, path, error) : NULL;
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
is_alive(const FerryRecord *record, const FerryIncomingDomain *incoming, GError **error)
{
    if (incoming->alive)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Look at the instance on both hosts; nothing was changed here",
                    "The instance '%s' is not alive on '%s': libvirt shows it as '%s'",
                    record->instance_name, record->destination,
                    ferry_observed_state_to_string(incoming->observed));
    return false;
}

static bool
finish_record(FerryDestination *self,
              virConnectPtr connection,
              FerryRecord *record,
              bool autostart,
              GError **error)
{
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_recall(record->order, self->agent->config);
    g_autoptr(FerryInstance) instance = NULL;
    g_autoptr(FerryMigrateData) migrate_data = NULL;
    g_auto(FerryIncomingDomain) incoming = {0};
    const FerryArrival arrival = {self->agent, connection, record->migration_id,
                                  record->instance_uuid};

    instance = ferry_instance_from_json(record->instance_info, error);
    if (!instance)
        return false;
    instance->autostart |= autostart;
    migrate_data = ferry_migrate_data_from_json(record->migrate_data, error);
    if (!migrate_data)
        return false;
    ferry_placement_restore(instance, migrate_data, options->dest_name);
    if (!ferry_incoming_domain_wait(connection, instance, options, &incoming, error)) {
        g_prefix_error(error, "Destination '%s': ", record->destination);
        return false;
    }
    if (!is_alive(record, &incoming, error) ||
        (ferry_instance_is_shut_off(instance) &&
         !ferry_definition_check_came(self->imports, connection, record, instance, error)) ||
        !ferry_merge_overlays(self->agent, connection, instance, record->migration_id, error))
        return false;
    ferry_incoming_domain_read_disks(connection, instance, &incoming);
    ferry_fault_point("deliver", "begin");
    if (!ferry_imports_deliver(self->imports, record->migration_id, error) ||
        !ferry_pool_end_passing(self->agent, connection, record->migration_id, error) ||
        !ferry_preparation_deliver(self->agent, record->migration_id, error) ||
        !ferry_leftover_delete_asides(&arrival, error))
        return false;
    ferry_fault_point("deliver", "end");
    ferry_record_take(&record->report, ferry_incoming_domain_to_json(&incoming));
    ferry_record_take(&record->error, NULL);
    record->expires_us = 0;
    if (!ferry_destination_enter(self, record, FERRY_STATUS_COMPLETED, error))
        return false;
    if (ferry_instance_is_shut_off(instance))
        ferry_virt_arrival_settle(connection, record->instance_uuid);
    return true;
}

json_t *
ferry_destination_finish(FerryDestination *self,
                         const char *migration_id,
                         bool autostart,
                         GError **error)
{
    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(FerryRecord) record = get_record(self, migration_id, error);

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

    if (!connection || !finish_record(self, connection, record, autostart, error))
        return NULL;
    return answer_ended(record);
}

/* --- roll back -------------------------------------------------------------------------------- */

/* What stands in the way of a rollback: whatever the local libvirt shows but a dead domain. */
static bool
may_roll_back(virConnectPtr connection, const FerryRecord *record, GError **error)
{
    FerryObservedState observed = ferry_virt_domain_observe(connection, record->instance_uuid);

    if (ferry_observed_state_is_dead(observed))
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
    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(FerryRecord) record = get_record(self, migration_id, error);

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

/* A rollback that was tried already was ordered by its source. */
static bool
may_resolve(FerryDestination *self, const char *migration_id, GError **error)
{
    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(FerryRecord) record = get_record(self, migration_id, error);
    g_autoptr(virConnect) connection = record ? ferry_virt_connect(self->agent->virt, error) : NULL;
    FerryArrivalNote note = {0};

    if (!connection || !ferry_journal_arrival_get(self->agent->journal, migration_id, &note, error))
        return false;
    if (record->report || !ferry_arrival_may_have_been(self->agent, connection, record, &note) ||
        !ferry_arrival_may_hold_data(self->agent, connection, migration_id))
        return true;
    ferry_set_error(
        error, FERRY_ERROR_OUTCOME_UNKNOWN,
        "Start virt-ferryd on the source: it ends the migration. Where the source is lost, keep "
        "the images, or delete them by hand and order this again",
        "The instance '%s' may have been on '%s', whose images may be the only ones that are up to "
        "date; nothing was removed",
        record->instance_name, record->destination);
    return false;
}

json_t *
ferry_destination_resolve(FerryDestination *self, const char *migration_id, GError **error)
{
    return may_resolve(self, migration_id, error)
               ? ferry_destination_roll_back(self, migration_id, error)
               : NULL;
}
