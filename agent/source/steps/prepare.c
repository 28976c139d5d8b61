#include "config.h"

#include "source/steps/prepare.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/migrate-data.h"
#include "model/way-judge.h"
#include "peer/peer.h"

/* How long a destination is asked whether it is prepared, where a controller says so. */
#define CONFIRM_TIMEOUT_MS 5000
/* A destination without a free slot is asked again for as long. */
#define SLOT_PAUSE_MS 2000

static guint
timeout_ms(FerryMigration *migration)
{
    return ferry_migration_agent(migration)->config->outcome_timeout_s * 1000;
}

static json_t *
ask_to_prepare(FerryMigration *migration, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(FerryJson) ordered = ferry_migration_ordered_options(migration);

    return ferry_peer_call(
        ferry_migration_agent(migration),
        &(FerryCall){.server = record->destination,
                     .method = "pre_live_migration",
                     .args = json_pack("{s:s, s:O, s:o, s:s}", "migration_id", record->migration_id,
                                       "instance_info", record->instance_info, "options",
                                       ferry_order_options_for_destination(
                                           ordered, ferry_migration_options(migration)),
                                       "source", record->source),
                     .timeout_ms = timeout_ms(migration),
                     .cancellable = ferry_migration_cancellable(migration)},
        error);
}

/* An order may repeat what the destination has said; another word would be a way to send the
 * instance to a host that nobody allowed. */
static bool
is_repeated(const FerryRecord *record, const json_t *told, const char *key, GError **error)
{
    const char *value = ferry_json_get_string(record->migrate_data, key);
    const char *expected = ferry_json_get_string(told, key);

    if (!value || g_strcmp0(value, expected) == 0)
        return true;
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST,
                    "Pass migrate_data on as pre_live_migration answered it",
                    "migrate_data.%s is '%s', but the destination '%s' says '%s'", key, value,
                    record->destination, expected ? expected : "nothing");
    return false;
}

/* Where the instance goes and where its disks arrive is the destination's word, not that of whoever
 * passed the order on. */
static bool
take_migrate_data(FerryMigration *migration, const json_t *answer, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    json_t *told = json_object_get(answer, "migrate_data");

    return is_repeated(record, told, "libvirt_uri", error) &&
           is_repeated(record, told, "migrate_uri", error) &&
           ferry_migration_set_migrate_data(migration, json_incref(told), error);
}

/* The thin copy takes the target's zeroes for granted: only images that the destination's agent has
 * just made for this migration will do, whatever the order's migrate_data claims. */
static bool
confirm_prepared(FerryMigration *migration, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(FerryJson) answer =
        ferry_peer_call(ferry_migration_agent(migration),
                        &(FerryCall){.server = record->destination,
                                     .method = "get_migration",
                                     .args = json_pack("{s:s, s:s}", "migration_id",
                                                       record->migration_id, "role", "destination"),
                                     .timeout_ms = CONFIRM_TIMEOUT_MS,
                                     .cancellable = ferry_migration_cancellable(migration)},
                        error);
    const json_t *instance = json_object_get(answer, "instance");

    if (!answer)
        return false;
    if (g_strcmp0(ferry_json_get_string(answer, "status"), "prepared") == 0 &&
        g_strcmp0(ferry_json_get_string(instance, "uuid"), record->instance_uuid) == 0)
        return take_migrate_data(migration, answer, error);
    ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                    "Call pre_live_migration there with the same migration_id first",
                    "The destination '%s' is not prepared for '%s' by the migration '%s'",
                    record->destination, record->instance_name, record->migration_id);
    return false;
}

/* Asks until the destination has a free slot, or refuses for another reason. */
static bool
get_prepared(FerryMigration *migration, GError **error)
{
    guint timeout_s = ferry_migration_agent(migration)->config->prepare_timeout_s;
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_s * G_USEC_PER_SEC;

    for (;;) {
        g_autoptr(GError) why = NULL;
        json_t *migrate_data = ask_to_prepare(migration, &why);

        if (migrate_data) {
            json_object_del(migrate_data, "migrate_data");
            return ferry_migration_set_migrate_data(migration, migrate_data, error);
        }
        if (!ferry_peer_is_busy(why) || g_get_monotonic_time() > deadline ||
            g_cancellable_is_cancelled(ferry_migration_cancellable(migration))) {
            if (ferry_peer_is_busy(why) && g_get_monotonic_time() > deadline)
                ferry_error_set_detail(why, "budget", json_string("prepare"));
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        ferry_agent_pause(ferry_migration_agent(migration), SLOT_PAUSE_MS,
                          ferry_migration_cancellable(migration));
    }
}

/* An order that came with the destination prepared was not checked against it here, and post-copy
 * over several connections can lose the instance. */
static bool
check_memory_way(FerryMigration *migration, GError **error)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    const FerryHostVersions here = {instance->libvirt_version, instance->qemu_version};
    const FerryHostVersions there =
        ferry_migrate_data_host_versions(ferry_migration_migrate_data(migration));
    g_autoptr(FerryChecks) checks = ferry_checks_new();

    if (!ferry_instance_is_shut_off(instance))
        ferry_way_judge_connections(checks, ferry_migration_options(migration), &here, &there);
    if (ferry_checks_compatible(checks))
        return true;
    g_propagate_error(error, ferry_checks_error(checks));
    return false;
}

FerryStepEnd
ferry_prepare_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    bool ready =
        record->migrate_data ? confirm_prepared(migration, error) : get_prepared(migration, error);

    if (!ready ||
        !ferry_migrate_data_check(ferry_migration_migrate_data(migration),
                                  ferry_migration_agent(migration)->config, error) ||
        !check_memory_way(migration, error))
        return ferry_saga_step_broken(migration);
    ferry_migration_adopt_volumes(migration);
    ferry_migration_save(migration);
    return FERRY_STEP_DONE;
}

static bool
check_nothing_kept(const FerryRecord *record, const json_t *kept, GError **error)
{
    const json_t *first = json_array_get(kept, 0);
    const char *path = ferry_json_get_string(first, "path");
    const char *what = path ? path : ferry_json_get_string(first, "pool");
    const char *why = ferry_json_get_string(first, "why");

    if (!first)
        return true;
    g_autofree char *hint = g_strdup_printf(
        "get_migration %s shows all of it; put right there what is in the way, then "
        "resolve_migration %s",
        record->migration_id, record->migration_id);

    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, hint,
                    "The destination '%s' kept %zu of what it had prepared: '%s': %s",
                    record->destination, json_array_size(kept), what ? what : "?",
                    why ? why : "no reason given");
    return false;
}

/* Idempotent there; "no such migration" means that our order to prepare never arrived. */
bool
ferry_prepare_step_undo(FerryMigration *migration, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(GError) why = NULL;
    g_autoptr(FerryJson) answer = ferry_peer_call(
        ferry_migration_agent(migration),
        &(FerryCall){.server = record->destination,
                     .method = "rollback_live_migration_at_destination",
                     .args = json_pack("{s:s}", "migration_id", record->migration_id),
                     .timeout_ms = timeout_ms(migration)},
        &why);

    if (!answer && !g_error_matches(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND)) {
        g_propagate_prefixed_error(
            error, g_steal_pointer(&why),
            "The destination '%s' could not be rolled back: ", record->destination);
        return false;
    }
    return !answer || check_nothing_kept(record, json_object_get(answer, "kept"), error);
}
