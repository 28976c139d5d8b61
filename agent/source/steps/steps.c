#include "config.h"

#include "source/steps/steps.h"

#include "checks/far.h"
#include "checks/source.h"
#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "model/block-volume.h"
#include "model/migrate-data.h"
#include "model/overlay.h"
#include "model/paths.h"
#include "model/storage-strategy.h"
#include "peer/peer.h"
#include "runtime/bounded-call.h"
#include "source/report.h"
#include "source/steps/files.h"
#include "source/steps/finish.h"
#include "source/steps/quarantine.h"
#include "source/steps/seed.h"
#include "source/steps/snapshot.h"
#include "source/steps/transfer.h"
#include "source/steps/trim.h"
#include "storage/instance-plan.h"
#include "virt/auto.h"
#include "virt/definition.h"
#include "virt/domain.h"
#include "virt/virt.h"
#include "virt/volume.h"

/* How long a destination that does not answer the first question is asked: no agent there should be
 * said soon, a restart of the agent should not fail a migration. */
#define CHECK_TIMEOUT_MS 5000
/* A destination without a free slot is asked again for as long. */
#define SLOT_PAUSE_MS 2000
/* Looking at an instance takes milliseconds, unless its QEMU hangs. */
#define LOCAL_CHECK_S 30

static json_t *
options_of(FerryMigration *migration)
{
    json_t *options = ferry_record_options(ferry_migration_record(migration));

    return options ? json_incref(options) : json_object();
}

static guint
timeout_ms(FerryMigration *migration)
{
    return ferry_migration_agent(migration)->config->outcome_timeout_s * 1000;
}

/* --- check ----------------------------------------------------------------------- */

/* What one look at the instance brings. */
typedef struct {
    FerryMigration *migration;
    FerryChecks *checks;
    FerryInstance *instance;
} LocalCheck;

static void
local_check_free(gpointer data)
{
    LocalCheck *self = data;

    g_clear_pointer(&self->checks, ferry_checks_free);
    g_clear_pointer(&self->instance, ferry_instance_free);
    ferry_migration_unref(self->migration);
    g_free(self);
}

static bool
run_local_check(gpointer data, GError **error)
{
    LocalCheck *self = data;
    const FerryAgent *agent = ferry_migration_agent(self->migration);
    const FerryRecord *record = ferry_migration_record(self->migration);
    const FerryOrderOptions *options = ferry_migration_options(self->migration);
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, record->instance_uuid, error) : NULL;

    self->instance =
        domain ? ferry_instance_plan_make(agent, connection, domain, options, error) : NULL;
    if (!self->instance)
        return false;
    self->checks =
        ferry_source_check_run(agent, domain, self->instance, record->migration_id, options);
    return true;
}

static FerryChecks *
check_here(FerryMigration *migration, GError **error)
{
    LocalCheck *check = g_new0(LocalCheck, 1);
    FerryDetachedWork work = {.thread = "vf-check",
                              .func = run_local_check,
                              .data = check,
                              .free_data = local_check_free};

    check->migration = ferry_migration_ref(migration);
    check = ferry_bounded_call(&work, LOCAL_CHECK_S, "Looking at the instance",
                               ferry_migration_cancellable(migration), error);
    if (!check)
        return NULL;
    ferry_migration_take(migration, &ferry_migration_record(migration)->instance_info,
                         ferry_instance_to_json(check->instance));

    FerryChecks *checks = g_steal_pointer(&check->checks);

    local_check_free(check);
    return checks;
}

static FerryChecks *
check_there(FerryMigration *migration, FerryChecks *way, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(FerryJson) options = options_of(migration);
    FerryFarQuestion question = {
        .host = record->destination,
        .instance_info = record->instance_info,
        .options = options,
        .timeout_ms = CHECK_TIMEOUT_MS,
        .ports_limit_ms = CHECK_TIMEOUT_MS,
        .cancellable = ferry_migration_cancellable(migration),
    };

    return ferry_far_check_run(ferry_migration_agent(migration), &question, way, error);
}

/* Before libvirt takes it away with the instance. */
static bool
keep_definition(FerryMigration *migration, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryRecord *record = ferry_migration_record(migration);

    if (ferry_migration_options(migration)->source_disks != FERRY_SOURCE_DISKS_QUARANTINE)
        return true;

    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);

    return connection && ferry_virt_definition_keep(agent, connection, record->migration_id,
                                                    record->instance_uuid, error);
}

/* libvirtd, which mirrors, may be let in where the agent, which sends seeds, is not. */
static void
see_to_seeds(FerryMigration *migration, const FerryChecks *checks)
{
    FerryRecord *record = ferry_migration_record(migration);
    FerryInstance *instance = ferry_migration_instance(migration);

    if (!ferry_checks_warn_of(checks, "destination-libvirt"))
        return;
    ferry_storage_strategy_avoid_seeds(instance, ferry_migration_options(migration),
                                       "the agent may not reach the destination's libvirt itself");
    ferry_migration_take(migration, &record->instance_info, ferry_instance_to_json(instance));
}

static FerryStepEnd
run_check(FerryMigration *migration, bool resumed, GError **error)
{
    g_autoptr(FerryChecks) checks = check_here(migration, error);
    g_autoptr(FerryChecks) remote = NULL;

    if (!checks)
        return ferry_saga_step_broken(migration);
    /* The order came with the destination prepared: it has checked, and holds our own images. */
    if (!ferry_migration_record(migration)->migrate_data) {
        remote = check_there(migration, checks, error);
        if (!remote)
            return ferry_saga_step_broken(migration);
        ferry_checks_append(checks, remote);
    }
    if (!ferry_checks_compatible(checks)) {
        g_propagate_error(error, ferry_checks_error(checks));
        return FERRY_STEP_FAILED;
    }
    if (!keep_definition(migration, error))
        return FERRY_STEP_FAILED;
    see_to_seeds(migration, checks);
    ferry_migration_save(migration);
    return FERRY_STEP_DONE;
}

static bool
undo_check(FerryMigration *migration, GError **error)
{
    ferry_virt_definition_forget(ferry_migration_agent(migration), ferry_migration_id(migration));
    return true;
}

/* --- prepare ---------------------------------------------------------------------------------- */

static json_t *
ask_to_prepare(FerryMigration *migration, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);

    return ferry_peer_call(ferry_migration_agent(migration), record->destination,
                           "pre_live_migration",
                           json_pack("{s:s, s:O, s:o, s:s}", "migration_id", record->migration_id,
                                     "instance_info", record->instance_info, "options",
                                     options_of(migration), "source", record->source),
                           timeout_ms(migration), ferry_migration_cancellable(migration), error);
}

/* Where the disks arrive is the destination's word, not that of whoever passed the order on. */
static void
take_volumes(FerryMigration *migration, const json_t *answer)
{
    FerryRecord *record = ferry_migration_record(migration);
    json_t *volumes = json_object_get(json_object_get(answer, "migrate_data"), "volumes");
    json_t *migrate_data = json_copy(record->migrate_data);

    json_object_set(migrate_data, "volumes", volumes);
    ferry_migration_take(migration, &record->migrate_data, migrate_data);
}

/* The thin copy takes the target's zeroes for granted: only images that the destination's agent has
 * just made for this migration will do, whatever the order's migrate_data claims. */
static bool
confirm_prepared(FerryMigration *migration, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(FerryJson) answer = ferry_peer_call(
        ferry_migration_agent(migration), record->destination, "get_migration",
        json_pack("{s:s, s:s}", "migration_id", record->migration_id, "role", "destination"),
        CHECK_TIMEOUT_MS, ferry_migration_cancellable(migration), error);
    const json_t *instance = json_object_get(answer, "instance");

    if (!answer)
        return false;
    if (g_strcmp0(ferry_json_get_string(answer, "status"), "prepared") == 0 &&
        g_strcmp0(ferry_json_get_string(instance, "uuid"), record->instance_uuid) == 0) {
        take_volumes(migration, answer);
        return true;
    }
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
            ferry_migration_take(migration, &ferry_migration_record(migration)->migrate_data,
                                 migrate_data);
            return true;
        }
        if (!ferry_peer_is_busy(why) || g_get_monotonic_time() > deadline ||
            g_cancellable_is_cancelled(ferry_migration_cancellable(migration))) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        ferry_agent_pause(ferry_migration_agent(migration), SLOT_PAUSE_MS,
                          ferry_migration_cancellable(migration));
    }
}

static void
adopt_strategies(FerryMigration *migration, const FerryMigrateData *migrate_data)
{
    FerryRecord *record = ferry_migration_record(migration);
    FerryInstance *instance = ferry_migration_instance(migration);

    ferry_storage_strategy_adopt(instance, migrate_data);
    ferry_migration_take(migration, &record->instance_info, ferry_instance_to_json(instance));
}

static FerryStepEnd
run_prepare(FerryMigration *migration, bool resumed, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    bool ready =
        record->migrate_data ? confirm_prepared(migration, error) : get_prepared(migration, error);
    g_autoptr(FerryMigrateData) migrate_data =
        ready ? ferry_migrate_data_from_json(record->migrate_data, error) : NULL;

    if (!migrate_data ||
        !ferry_migrate_data_check(migrate_data, ferry_migration_agent(migration)->config, error))
        return ferry_saga_step_broken(migration);
    adopt_strategies(migration, migrate_data);
    ferry_migration_save(migration);
    return FERRY_STEP_DONE;
}

/* Idempotent there; "no such migration" means that our order to prepare never arrived. */
static bool
undo_prepare(FerryMigration *migration, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(GError) why = NULL;
    g_autoptr(FerryJson) answer =
        ferry_peer_call(ferry_migration_agent(migration), record->destination,
                        "rollback_live_migration_at_destination",
                        json_pack("{s:s}", "migration_id", record->migration_id),
                        timeout_ms(migration), NULL, &why);

    if (!answer && !g_error_matches(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND)) {
        g_propagate_prefixed_error(
            error, g_steal_pointer(&why),
            "The destination '%s' could not be rolled back: ", record->destination);
        return false;
    }
    if (answer && json_array_size(json_object_get(answer, "kept")) > 0) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "get_migration on the destination says what and why",
                        "The destination '%s' kept a part of what it had prepared",
                        record->destination);
        return false;
    }
    return true;
}

/* --- the source's domain ----------------------------------------------------------------------- */

/* libvirt does this itself, unless it was killed at that moment. */
static FerryStepEnd
run_source_domain(FerryMigration *migration, bool resumed, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(virConnect) connection =
        ferry_virt_connect(ferry_migration_agent(migration)->virt, error);

    if (connection &&
        ferry_virt_domain_retire(connection, record->instance_uuid,
                                 ferry_migration_options(migration)->undefine_source, error))
        return FERRY_STEP_DONE;
    return FERRY_STEP_ERROR;
}

/* --- source disks ----------------------------------------------------------------------------- */

/* The instance was seen alive on the destination: what lies here is a copy of the past. */
static bool
leave_file(FerryMigration *migration, virConnectPtr connection, const char *path, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_auto(FerryImage) image = {0};

    if (!ferry_virt_image_info(connection, path, "raw", &image, error))
        return false;
    return !image.fingerprint ||
           ferry_journal_leftover_add(ferry_migration_agent(migration)->journal, path,
                                      record->instance_uuid, record->migration_id,
                                      image.fingerprint, error);
}

static bool
delete_unused(FerryMigration *migration, virConnectPtr connection, const char *path, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autofree char *user = NULL;

    if (ferry_virt_path_is_used(connection, path, record->instance_uuid, &user)) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "Look at that instance; delete the file by hand when it is not needed",
                        "'%s' is not deleted: it is in use by '%s'", path, user);
        return false;
    }
    return ferry_virt_volume_delete(connection, path, error);
}

static const char *const *
allowed_paths(FerryMigration *migration)
{
    return (const char *const *)ferry_migration_agent(migration)->config->allowed_paths;
}

/* Returns: false with @error when @path had to be deleted and is not. */
static bool
part_with(FerryMigration *migration, virConnectPtr connection, const char *path, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (ferry_migration_options(migration)->source_disks == FERRY_SOURCE_DISKS_DELETE)
        return ferry_path_check(path, allowed_paths(migration), NULL, error) &&
               delete_unused(migration, connection, path, error);
    if (!leave_file(migration, connection, path, &why))
        /* It costs the way back only: the file stays and a return finds it in its way. */
        g_warning("Migration '%s': '%s' is not noted as left behind: %s",
                  ferry_migration_id(migration), path, why->message);
    return true;
}

/* A volume that stays is not noted as left behind: a device does not tell who has written to it since,
 * so nothing could prove that it may be replaced. */
static bool
part_with_volume(FerryMigration *migration,
                 virConnectPtr connection,
                 const FerryDisk *disk,
                 GError **error)
{
    return ferry_migration_options(migration)->source_disks != FERRY_SOURCE_DISKS_DELETE ||
           (ferry_disk_path_check(disk, allowed_paths(migration), NULL, error) &&
            delete_unused(migration, connection, disk->source, error));
}

static bool
part_with_disk(FerryMigration *migration,
               virConnectPtr connection,
               const FerryDisk *disk,
               GError **error)
{
    return ferry_disk_is_block(disk) ? part_with_volume(migration, connection, disk, error)
                                     : part_with(migration, connection, disk->source, error);
}

/* libvirt leaves it whatever becomes of the disks. */
static void
leave_variables(FerryMigration *migration, virConnectPtr connection)
{
    const char *path = ferry_migration_instance(migration)->nvram;
    g_autoptr(GError) why = NULL;

    if (path && !leave_file(migration, connection, path, &why))
        g_message("Migration '%s': the firmware's variables '%s' are not noted as left behind: %s",
                  ferry_migration_id(migration), path, why->message);
}

static FerryStepEnd
run_source_disks(FerryMigration *migration, bool resumed, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(GPtrArray) overlays = ferry_overlays_new(instance, ferry_migration_id(migration));

    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);

    if (!connection)
        return FERRY_STEP_ERROR;
    leave_variables(migration, connection);
    if (ferry_migration_options(migration)->source_disks == FERRY_SOURCE_DISKS_QUARANTINE)
        return ferry_quarantine_hold(migration, error) ? FERRY_STEP_DONE : FERRY_STEP_ERROR;
    for (guint i = 0; i < overlays->len; i++)
        if (!part_with(migration, connection,
                       ((FerryOverlay *)g_ptr_array_index(overlays, i))->overlay, error))
            return FERRY_STEP_ERROR;
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate && !part_with_disk(migration, connection, disk, error))
            return FERRY_STEP_ERROR;
    }
    return ferry_freeze_leave(migration, error) ? FERRY_STEP_DONE : FERRY_STEP_ERROR;
}

/* --- the report and the table ------------------------------------------------------------------- */

static void
make_report(FerryMigration *migration)
{
    FerryRecord *record = ferry_migration_record(migration);
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(FerryJson) steps = ferry_journal_steps(ferry_migration_agent(migration)->journal,
                                                     record->migration_id, FERRY_ROLE_SOURCE);

    ferry_migration_take(migration, &record->report,
                         ferry_source_report_make(record, instance, steps));
}

static const FerrySagaStep steps[] = {
    {"check", FERRY_STATUS_PREPARING, run_check, undo_check, false, false},
    {"prepare", FERRY_STATUS_PREPARING, run_prepare, undo_prepare, false, false},
    {"files", FERRY_STATUS_PREPARING, ferry_source_files_run, NULL, false, false},
    {"trim", FERRY_STATUS_PREPARING, ferry_trim_run, NULL, false, false},
    {"snapshot", FERRY_STATUS_RUNNING, ferry_freeze_run, ferry_freeze_undo, false, false},
    {"seed", FERRY_STATUS_RUNNING, ferry_seed_run, NULL, false, false},
    {"transfer", FERRY_STATUS_RUNNING, ferry_transfer_step_run, NULL, false, false},
    {"confirm", FERRY_STATUS_RUNNING, ferry_confirm_step_run, NULL, false, true},
    {"finish", FERRY_STATUS_POST_MIGRATING, ferry_finish_step_run, NULL, true, true},
    {"source-domain", FERRY_STATUS_POST_MIGRATING, run_source_domain, NULL, true, true},
    {"source-disks", FERRY_STATUS_POST_MIGRATING, run_source_disks, NULL, true, true},
    {0},
};

const FerrySaga ferry_source_saga = {steps, make_report};
