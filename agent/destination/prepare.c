/* The destination's answer to "would it go?" and to "get ready". */
#include "config.h"

#include "destination/destination-private.h"

#include "checks/destination.h"
#include "checks/memory.h"
#include "checks/storage.h"
#include "checks/way.h"
#include "destination/preparation.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "journal/journal.h"
#include "model/carried-file.h"
#include "model/chain.h"
#include "model/instance.h"
#include "model/migrate-data.h"
#include "model/order-options.h"
#include "model/placement.h"
#include "runtime/fault-point.h"
#include "virt/auto.h"
#include "virt/pool.h"
#include "virt/virt.h"

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
    g_autoptr(FerryMigrateData) data = g_new0(FerryMigrateData, 1);

    data->migration_id = g_strdup(record->migration_id);
    data->host = g_strdup(config->host);
    data->libvirt_uri = ferry_migrate_data_libvirt_uri(config, address);
    data->migrate_uri = ferry_migrate_data_migrate_uri(address);
    data->pools = json_incref(pools);
    data->volumes = ferry_migrate_volumes_from_json(volumes, NULL);
    data->files = list_files(instance);
    data->expires_at = ferry_clock_format_iso(record->expires_us);
    return ferry_migrate_data_to_json(data);
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
    if (!ferry_destination_enter(self, record, FERRY_STATUS_PREPARED, error))
        return NULL;
    return json_incref(record->migrate_data);
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
    if (!ferry_destination_undo_record(self, connection, record, &undo_error))
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
    guint limit = self->agent->config->max_concurrent_incoming;
    g_autoptr(GPtrArray) open = ferry_journal_list_incoming(self->agent->journal, error);

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

/* Slot, space and memory are counted and taken in one go: two that came together passed the same
 * checks. libvirt is asked before, since others wait for the lock. */
static bool
admit(FerryDestination *self,
      virConnectPtr connection,
      FerryRecord *record,
      const FerryInstance *instance,
      GError **error)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_auto(FerryMemoryInfo) info = {0};

    if (!ferry_memory_info_get(self->agent, connection, &info, error))
        return false;

    FERRY_LOCK_SCOPE(&self->admission);

    if (!find_slot(self, error))
        return false;
    ferry_check_storage_space(self->agent, instance, checks);
    ferry_check_memory(self->agent, instance, &info, checks);
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

    if (!admit(self, connection, record, instance, error))
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

    g_auto(FerryMigrationLock) lock = ferry_migration_lock_take(self, migration_id);
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    if (!lock.destination || !connection)
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
