#include "config.h"

#include "source/steps/check.h"

#include "checks/far.h"
#include "checks/source.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "runtime/bounded-call.h"
#include "source/disk-attempt.h"
#include "source/source-image.h"
#include "storage/instance-plan.h"
#include "virt/auto.h"
#include "virt/definition.h"
#include "virt/domain.h"
#include "virt/time-limits.h"
#include "virt/virt.h"

/* How long a destination that does not answer the first question is asked: no agent there should be
 * said soon, a restart of the agent should not fail a migration. */
#define ASK_TIMEOUT_MS 5000

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
    check = ferry_bounded_call(&work, FERRY_CHECK_LIMIT_S, "Looking at the instance",
                               ferry_migration_cancellable(migration), error);
    if (!check)
        return NULL;
    ferry_migration_set_instance(migration, g_steal_pointer(&check->instance));

    FerryChecks *checks = g_steal_pointer(&check->checks);

    local_check_free(check);
    return checks;
}

static FerryChecks *
check_there(FerryMigration *migration, FerryChecks *way, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autoptr(FerryJson) options = ferry_migration_ordered_options(migration);
    FerryFarQuestion question = {
        .host = record->destination,
        .instance_info = record->instance_info,
        .options = options,
        .settled = ferry_migration_options(migration),
        .timeout_ms = ASK_TIMEOUT_MS,
        .ports_limit_ms = ASK_TIMEOUT_MS,
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

/* libvirtd, which mirrors, may be let in where the agent, which sends seeds, is not. What was
 * prepared as a seed stays one. */
static void
see_to_seeds(FerryMigration *migration, const FerryChecks *checks)
{
    if (ferry_migration_record(migration)->migrate_data ||
        ferry_checks_warn_of(checks, "destination-libvirt"))
        ferry_migration_avoid_seeds(migration,
                                    "the agent may not reach the destination's libvirt itself");
}

FerryStepEnd
ferry_check_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    g_autoptr(FerryChecks) checks = check_here(migration, error);
    g_autoptr(FerryChecks) remote = NULL;

    if (!checks)
        return ferry_saga_step_broken(migration);
    ferry_disk_attempt_look_before(migration);
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
    ferry_source_image_note_all(migration);
    see_to_seeds(migration, checks);
    ferry_migration_save(migration);
    return FERRY_STEP_DONE;
}

bool
ferry_check_step_undo(FerryMigration *migration, GError **error)
{
    ferry_virt_definition_forget(ferry_migration_agent(migration), ferry_migration_id(migration));
    return true;
}
