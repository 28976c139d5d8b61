/* A second attempt of the transfer: the images that the first one filled in part are made anew.
 *
 * The thin copy takes the target's zeroes for granted, so that only an image that reads as zeroes
 * everywhere will do. What does not come by the mirror stays as it is: a seed and a base that were
 * sent are whole, and a block volume is written in full whatever is in it. A disk that is to be
 * seeded now gets what a seed begins with. */
#include "config.h"

#include "destination/admission.h"
#include "destination/destination-private.h"
#include "destination/image.h"
#include "destination/preparation.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "model/image-plan.h"
#include "model/instance.h"
#include "model/migrate-data.h"
#include "model/order-options.h"
#include "model/placement.h"
#include "runtime/fault-point.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/virt.h"

typedef struct {
    FerryRecord *record;
    const char *const *seeds; /* targets; NULL: none */
} FerryRenewal;

/* Returns: (transfer full): the instance as it was prepared here: placed once more, and where the
 * map means something else by now, at the paths that were answered then. */
static FerryInstance *
prepared_instance(FerryDestination *self,
                  virConnectPtr connection,
                  const FerryRecord *record,
                  GError **error)
{
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_recall(record->order, self->agent->config);
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(record->instance_info, error);
    g_autoptr(FerryMigrateData) migrate_data =
        instance ? ferry_migrate_data_from_json(record->migrate_data, error) : NULL;

    if (!migrate_data)
        return NULL;
    ferry_admission_place(self->agent, instance, options, connection);
    ferry_placement_restore(instance, migrate_data, options->dest_name);
    return g_steal_pointer(&instance);
}

/* What a mirror writes to comes last. @whole: the disk was mirrored so far, and is seeded now. */
static bool
renew_disk(const FerryPreparation *preparation,
           const FerryImagePlan *plan,
           bool whole,
           json_t *renewed,
           GError **error)
{
    const FerryNewImage *last = ferry_image_plan_mirrored(plan);

    if (!last)
        return true;
    for (const FerryNewImage *image = whole ? plan->images : last; image <= last; image++) {
        if (!ferry_image_renew(preparation, plan, image, error)) {
            g_prefix_error(error, "Disk '%s': ", plan->disk->target);
            return false;
        }
        json_array_append_new(renewed, ferry_json_text(image->path));
    }
    return true;
}

static bool
renew_all(FerryDestination *self,
          virConnectPtr connection,
          const FerryRenewal *renewal,
          json_t *renewed,
          GError **error)
{
    const FerryAgent *agent = self->agent;
    const FerryRecord *record = renewal->record;
    g_autoptr(FerryInstance) instance = prepared_instance(self, connection, record, error);
    g_autoptr(GPtrArray) plans =
        instance ? ferry_image_plans_new(instance, record->migration_id,
                                         (const char *const *)agent->config->allowed_paths, error)
                 : NULL;
    g_autoptr(GPtrArray) creations =
        plans ? ferry_journal_creations(agent->journal, record->migration_id, error) : NULL;
    const FerryPreparation preparation = {
        .agent = agent,
        .connection = connection,
        .migration_id = record->migration_id,
        .instance = instance,
        .creations = creations,
    };

    if (!creations)
        return false;
    for (guint i = 0; i < plans->len; i++) {
        const FerryImagePlan *plan = g_ptr_array_index(plans, i);
        bool whole = renewal->seeds && g_strv_contains(renewal->seeds, plan->disk->target);

        if (!renew_disk(&preparation, plan, whole, renewed, error))
            return false;
    }
    return true;
}

/* An image in use is never touched: neither the domain that arrives nor one that has arrived. */
static bool
is_clear(virConnectPtr connection, const FerryRecord *record, GError **error)
{
    FerryObservedState observed = ferry_virt_domain_observe(connection, record->instance_uuid);

    if (ferry_observed_state_is_dead(observed))
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Ask again when the first attempt is over there",
                    "The instance '%s' is on '%s' as '%s'", record->instance_name,
                    record->destination, ferry_observed_state_to_string(observed));
    return false;
}

/* Noted before anything is made: whoever prepares, merges or rolls back goes by it. */
static bool
note_seeds(FerryDestination *self, const FerryRenewal *renewal, GError **error)
{
    FerryRecord *record = renewal->record;
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(record->migrate_data, error);

    for (guint i = 0; data && i < data->volumes->len; i++) {
        FerryMigrateVolume *volume = g_ptr_array_index(data->volumes, i);

        volume->seeded = volume->seeded || g_strv_contains(renewal->seeds, volume->target);
    }
    if (!data)
        return false;
    ferry_record_take(&record->migrate_data, ferry_migrate_data_to_json(data));
    return ferry_journal_save(self->agent->journal, record, /* event_type= */ NULL, error);
}

json_t *
ferry_destination_renew_images(FerryDestination *self,
                               const char *migration_id,
                               const char *const *seeds,
                               GError **error)
{
    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(FerryRecord) record =
        ferry_destination_open_prepared(self, migration_id, &connection, error);
    g_autoptr(FerryJson) renewed = json_array();
    const FerryRenewal renewal = {record, seeds};

    if (!record || !is_clear(connection, record, error))
        return NULL;
    ferry_fault_point("renew", "begin");
    if ((seeds && !note_seeds(self, &renewal, error)) ||
        !renew_all(self, connection, &renewal, renewed, error))
        return NULL;
    ferry_fault_point("renew", "end");
    return json_pack("{s:O, s:O}", "renewed", renewed, "migrate_data", record->migrate_data);
}
