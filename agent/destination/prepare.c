/* The destination's answer to "get ready": the order of what is done for a migration before its
 * transfer. Admitted and journaled first; then pools, images and volumes are made as planned. */
#include "config.h"

#include "destination/admission.h"
#include "destination/arrival-watch.h"
#include "destination/block-volume.h"
#include "destination/console-file.h"
#include "destination/destination-private.h"
#include "destination/image.h"
#include "destination/nvram.h"
#include "destination/preparation.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "model/carried-file.h"
#include "model/image-plan.h"
#include "model/instance.h"
#include "model/migrate-data.h"
#include "model/order-options.h"
#include "runtime/fault-point.h"
#include "virt/auto.h"
#include "virt/host.h"
#include "virt/virt.h"

/* One call of ferry_destination_prepare(). */
typedef struct {
    FerryDestination *destination;
    const char *migration_id;
    json_t *order;
    json_t *instance_info;         /* of the order, as far as it was understood */
    const FerryInstance *instance; /* as it is on this host */
    const FerryOrderOptions *options;
    virConnectPtr connection;
    void (*accepted)(gpointer data);
    gpointer data;
} Call;

/* --- making ----------------------------------------------------------------------------------- */

/* `pools` and `volumes` of migrate_data. */
typedef struct {
    json_t *pools;
    json_t *volumes;
} Made;

static void
made_clear(Made *made)
{
    json_decref(made->pools);
    json_decref(made->volumes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Made, made_clear)

static void
list_pool(const Made *made, const char *name, const char *folder)
{
    json_t *known = NULL;
    gsize index = 0;

    json_array_foreach(made->pools, index, known)
        if (g_strcmp0(ferry_json_get_string(known, "name"), name) == 0)
            return;
    json_array_append_new(made->pools, json_pack("{s:o, s:o}", "name", ferry_json_text(name),
                                                 "path", ferry_json_text(folder)));
}

static bool
make_disk(const FerryPreparation *preparation,
          const FerryImagePlan *plan,
          const Made *made,
          GError **error)
{
    g_autofree char *pool = plan->way == FERRY_IMAGE_BLOCK_VOLUME
                                ? ferry_block_volume_ensure(preparation, plan, error)
                                : ferry_image_ensure(preparation, plan, error);

    if (!pool) {
        g_prefix_error(error, "Disk '%s': ", plan->disk->target);
        return false;
    }
    list_pool(made, pool, plan->folder);
    json_array_append_new(made->volumes, ferry_image_plan_to_json(plan, pool));
    return true;
}

/* What was made until something fails stays for the rollback. */
static bool
make_all(const Call *call, const Made *made, GError **error)
{
    const FerryAgent *agent = call->destination->agent;
    g_autoptr(GPtrArray) plans =
        ferry_image_plans_new(call->instance, call->migration_id,
                              (const char *const *)agent->config->allowed_paths, error);
    g_autoptr(GPtrArray) creations =
        plans ? ferry_journal_creations(agent->journal, call->migration_id, error) : NULL;
    const FerryPreparation preparation = {
        .agent = agent,
        .connection = call->connection,
        .migration_id = call->migration_id,
        .instance = call->instance,
        .creations = creations,
    };

    if (!creations || !ferry_nvram_note(&preparation, error))
        return false;
    for (guint i = 0; i < plans->len; i++)
        if (!make_disk(&preparation, g_ptr_array_index(plans, i), made, error))
            return false;
    return ferry_console_files_note(&preparation, error);
}

/* --- the answer ------------------------------------------------------------------------------- */

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
make_migrate_data(const Call *call, const FerryRecord *record, const Made *made)
{
    const FerryConfig *config = call->destination->agent->config;
    const char *address = config->live_migration_inbound_addr;
    g_autoptr(FerryMigrateData) data = g_new0(FerryMigrateData, 1);

    data->migration_id = g_strdup(record->migration_id);
    data->host = g_strdup(config->host);
    data->libvirt_uri = ferry_migrate_data_libvirt_uri(config, address);
    data->migrate_uri = ferry_migrate_data_migrate_uri(address);
    data->libvirt_version = ferry_virt_host_libvirt_version(call->connection);
    data->qemu_version = ferry_virt_host_qemu_version(call->connection);
    data->pools = json_incref(made->pools);
    data->volumes = ferry_migrate_volumes_from_json(made->volumes, NULL);
    data->files = list_files(call->instance);
    data->addresses = json_incref(call->instance->moved_addresses);
    data->renews_images = true;
    data->numbers_attempts = true;
    data->seeds_anew = true;
    data->expires_at = ferry_clock_format_iso(record->expires_us);
    return ferry_migrate_data_to_json(data);
}

static bool
prepare(const Call *call, FerryRecord *record, GError **error)
{
    g_auto(Made) made = {json_array(), json_array()};

    if (!make_all(call, &made, error))
        return false;
    ferry_record_take(&record->migrate_data, make_migrate_data(call, record, &made));
    return ferry_destination_enter(call->destination, record, FERRY_STATUS_PREPARED, error);
}

static json_t *
prepare_or_undo(const Call *call, FerryRecord *record, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GError) undo_error = NULL;

    if (prepare(call, record, &why))
        return json_incref(record->migrate_data);
    ferry_record_take(&record->error, ferry_error_to_json(why));
    if (!ferry_destination_undo_record(call->destination, call->connection, record, &undo_error))
        g_warning("Migration '%s': the preparation could not be undone now, the lease will: %s",
                  record->migration_id, undo_error->message);
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

/* --- the order, again and for the first time -------------------------------------------------- */

static json_t *
refuse_ended(const FerryRecord *record, GError **error)
{
    if (record->error)
        g_propagate_error(error, ferry_error_from_json(record->error));
    else
        ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                        "Use a new migration_id for a new order",
                        "The migration '%s' is %s on this host", record->migration_id,
                        ferry_status_to_string(record->status));
    return NULL;
}

/* @record is what the first call left. */
static json_t *
repeat(const Call *call, FerryRecord *record, GError **error)
{
    if (!ferry_record_is_of_order(record, call->order)) {
        ferry_set_error(
            error, FERRY_ERROR_INVALID_REQUEST, "Use a new migration_id for a new order",
            "The migration_id '%s' was used with other arguments", record->migration_id);
        return NULL;
    }
    if (record->status == FERRY_STATUS_PREPARED)
        return json_incref(record->migrate_data);
    return record->status == FERRY_STATUS_PREPARING ? prepare_or_undo(call, record, error)
                                                    : refuse_ended(record, error);
}

static FerryRecord *
new_record(const Call *call)
{
    json_t *args = json_object_get(call->order, "args");
    FerryRecord *record = ferry_record_new(call->migration_id, FERRY_ROLE_DESTINATION);

    record->instance_name = g_strdup(call->instance->name);
    record->instance_uuid = g_strdup(call->instance->uuid);
    record->source = g_strdup(ferry_json_get_string(args, "source"));
    record->destination = g_strdup(call->destination->agent->config->host);
    ferry_record_take_order(record, call->order);
    ferry_record_take(&record->instance_info, json_incref(call->instance_info));
    ferry_destination_renew_lease(call->destination, record);
    return record;
}

/* The checks run again here: between check and order the world may have changed. */
static json_t *
begin(const Call *call, GError **error)
{
    g_autoptr(FerryRecord) record = new_record(call);

    if (!ferry_admission_check(call->destination, call->connection, call->instance, call->options,
                               error) ||
        !ferry_admission_reserve(call->destination, call->connection, record, call->instance,
                                 error))
        return NULL;
    ferry_arrival_await(call->destination->agent, record);
    ferry_fault_point("reserve", "begin");
    call->accepted(call->data);
    ferry_fault_point("reserve", "end");
    return prepare_or_undo(call, record, error);
}

static json_t *
begin_or_repeat(const Call *call, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(FerryRecord) before = ferry_journal_get(
        call->destination->agent->journal, call->migration_id, FERRY_ROLE_DESTINATION, &why);

    if (before)
        return repeat(call, before, error);
    if (g_error_matches(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND))
        return begin(call, error);
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
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
    g_autoptr(FerryJson) own =
        ferry_order_options_for_destination(json_object_get(args, "options"), /* settled= */ NULL);
    g_autoptr(FerryOrderOptions) options =
        instance ? ferry_order_options_parse(own, self->agent->config, error) : NULL;

    if (!options)
        return NULL;

    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    if (!connection)
        return NULL;
    /* Before it is placed: whoever reads the record places it again. */
    g_autoptr(FerryJson) instance_info = ferry_instance_to_json(instance);
    ferry_admission_place(self->agent, instance, options, connection);

    const Call call = {
        .destination = self,
        .migration_id = migration_id,
        .order = order,
        .instance_info = instance_info,
        .instance = instance,
        .options = options,
        .connection = connection,
        .accepted = accepted,
        .data = data,
    };

    return begin_or_repeat(&call, error);
}
