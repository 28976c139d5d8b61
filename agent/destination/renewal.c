/* A second attempt of the transfer: the images that the first one filled in part are made anew.
 *
 * The thin copy takes the target's zeroes for granted, so that only an image that reads as zeroes
 * everywhere will do. What does not come by the mirror stays as it is: a seed and a base that were
 * sent are whole, and a block volume is written in full whatever is in it. A disk that is to be
 * seeded now gets what a seed begins with. */
#include "config.h"

#include "destination/admission.h"
#include "destination/arrival-watch.h"
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
#include "virt/virt.h"

typedef struct {
    const FerryRenewal *renewal;
    FerryRecord *record;
    bool repeated; /* all was made anew for this attempt already */
} Order;

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

/* One that was made anew for the attempt that asks, and that nobody has written to since, is not
 * deleted a second time. */
static bool
is_new_still(const FerryPreparation *preparation, const FerryNewImage *image, GError **error)
{
    const FerryCreation *made =
        ferry_preparation_find(preparation, FERRY_CREATION_VOLUME, image->path);

    if (made && !ferry_image_may_hold_data(preparation->agent, preparation->connection, made))
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Nothing was removed; look at the instance on both hosts",
                    "The image '%s' was made anew for this attempt already, and was written to "
                    "since",
                    image->path);
    return false;
}

/* What a mirror writes to comes last. Of a seed, a part may be here when it is asked for again. */
static bool
renew_disk(const FerryPreparation *preparation,
           const FerryImagePlan *plan,
           const Order *order,
           json_t *renewed,
           GError **error)
{
    const char *const *seeds = order->renewal->seeds;
    const FerryNewImage *last = ferry_image_plan_mirrored(plan);
    const FerryNewImage *first =
        seeds && g_strv_contains(seeds, plan->disk->target) ? plan->images : last;

    for (const FerryNewImage *image = first; last && image <= last; image++) {
        bool ok = order->repeated ? image < last || is_new_still(preparation, image, error)
                                  : ferry_image_renew(preparation, plan, image, error);

        if (!ok) {
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
          const Order *order,
          json_t *renewed,
          GError **error)
{
    const FerryAgent *agent = self->agent;
    const FerryRecord *record = order->record;
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
    for (guint i = 0; i < plans->len; i++)
        if (!renew_disk(&preparation, g_ptr_array_index(plans, i), order, renewed, error))
            return false;
    return true;
}

/* The source asks again until the domain has gone. */
static void
refuse_for_now(const FerryRecord *record, FerryObservedState observed, GError **error)
{
    GError *why = ferry_error_new(FERRY_ERROR_INVALID_MIGRATION_STATE,
                                  "Ask again when the first attempt is over there",
                                  "The instance '%s' is on '%s' as '%s'", record->instance_name,
                                  record->destination, ferry_observed_state_to_string(observed));

    ferry_error_set_detail(why, "retry", json_true());
    g_propagate_error(error, why);
}

/* An image in use is never touched: neither the domain that arrives nor one that has arrived, also
 * when that is gone again. */
static bool
is_clear(FerryDestination *self,
         virConnectPtr connection,
         const FerryRecord *record,
         FerryArrivalNote *ret_note,
         GError **error)
{
    FerryObservedState observed = FERRY_OBSERVED_UNREACHABLE;

    if (!ferry_arrival_look(self->agent, connection, record, &observed, ret_note, error))
        return false;
    if (ret_note->stage == FERRY_ARRIVAL_CAME)
        ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                        "Nothing was removed; look at the instance on both hosts",
                        "The instance '%s' has arrived on '%s', which shows it as '%s' now",
                        record->instance_name, record->destination,
                        ferry_observed_state_to_string(observed));
    else if (!ferry_observed_state_is_dead(observed))
        refuse_for_now(record, observed, error);
    else
        return true;
    return false;
}

/* A source of before sends no number: 0. */
static bool
is_of_now(const FerryRecord *record, guint attempt, const FerryArrivalNote *note, GError **error)
{
    if (attempt == 0 || attempt >= note->attempt)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE, "It is an old message; ignore it",
                    "The images of migration '%s' were made anew for attempt %" G_GUINT64_FORMAT
                    " already, not only for %u",
                    record->migration_id, note->attempt, attempt);
    return false;
}

/* Noted before anything is made: whoever prepares, merges or rolls back goes by it. */
static bool
note_seeds(FerryDestination *self, const Order *order, GError **error)
{
    FerryRecord *record = order->record;
    g_autoptr(FerryMigrateData) data = NULL;

    if (!order->renewal->seeds)
        return true;
    data = ferry_migrate_data_from_json(record->migrate_data, error);
    if (!data)
        return false;
    for (guint i = 0; i < data->volumes->len; i++) {
        FerryMigrateVolume *volume = g_ptr_array_index(data->volumes, i);

        volume->seeded = volume->seeded || g_strv_contains(order->renewal->seeds, volume->target);
    }
    ferry_record_take(&record->migrate_data, ferry_migrate_data_to_json(data));
    return ferry_journal_save(self->agent->journal, record, /* event_type= */ NULL, error);
}

/* Where the agent ends in the midst of it the attempt is not noted: all is made anew again. */
static bool
renew(FerryDestination *self,
      virConnectPtr connection,
      const Order *order,
      json_t *renewed,
      GError **error)
{
    if (order->repeated)
        return renew_all(self, connection, order, renewed, error);
    return note_seeds(self, order, error) && renew_all(self, connection, order, renewed, error) &&
           ferry_journal_arrival_renew(self->agent->journal, order->record->migration_id,
                                       order->renewal->attempt, error);
}

json_t *
ferry_destination_renew_images(FerryDestination *self,
                               const char *migration_id,
                               const FerryRenewal *renewal,
                               GError **error)
{
    FERRY_MIGRATION_LOCK_SCOPE(self->locks, migration_id);
    g_autoptr(virConnect) connection = NULL;
    g_autoptr(FerryRecord) record =
        ferry_destination_open_prepared(self, migration_id, &connection, error);
    g_autoptr(FerryJson) renewed = json_array();
    FerryArrivalNote note = {0};

    if (!record || !is_clear(self, connection, record, &note, error) ||
        !is_of_now(record, renewal->attempt, &note, error))
        return NULL;
    ferry_fault_point("renew", "begin");

    const Order order = {.renewal = renewal,
                         .record = record,
                         .repeated = renewal->attempt > 0 && renewal->attempt == note.attempt};

    if (!renew(self, connection, &order, renewed, error))
        return NULL;
    ferry_fault_point("renew", "end");
    return json_pack("{s:O, s:O}", "renewed", renewed, "migrate_data", record->migrate_data);
}
