#include "config.h"

#include "source-check.h"

#include "carried-file.h"
#include "chain.h"
#include "cold-check.h"
#include "disk-plan.h"
#include "ferry/error.h"
#include "paths.h"
#include "quarantine.h"
#include "storage-strategy.h"
#include "virt-auto.h"
#include "virt-domain.h"
#include "virt-migrate.h"

#include <string.h>

static void
check_state(FerryChecks *checks, const FerryInstance *instance)
{
    bool fine = g_strcmp0(instance->state, "running") == 0 ||
                ferry_instance_is_shut_off(instance) ||
                (g_strcmp0(instance->state, "paused") == 0 &&
                 g_strcmp0(instance->state_reason, "user") == 0);

    ferry_checks_add(
        checks, "state", fine ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL,
        fine ? NULL : "An instance moves that runs, that a user paused, or that is shut off",
        "Instance '%s' is %s (%s)", instance->name, instance->state, instance->state_reason);
}

static void
check_not_migrating(const FerryAgent *agent,
                    FerryChecks *checks,
                    const FerryInstance *instance,
                    const char *migration_id)
{
    FerryJournalFilter filter = {.open_only = true, .instance = instance->uuid};
    g_autoptr(GPtrArray) open = ferry_journal_list(agent->journal, &filter, NULL);
    const char *other = NULL;

    for (guint i = 0; open && i < open->len; i++) {
        const FerryRecord *record = g_ptr_array_index(open, i);

        if (g_strcmp0(record->migration_id, migration_id) != 0)
            other = record->migration_id;
    }
    if (open && !other)
        ferry_checks_add(checks, "already-migrating", FERRY_CHECK_PASS, NULL,
                         "No other migration of '%s' is open", instance->name);
    else
        ferry_checks_add(checks, "already-migrating", FERRY_CHECK_FAIL, "Wait for it, or abort it",
                         "The migration '%s' of '%s' is open",
                         other ? other : "(the journal cannot be read)", instance->name);
}

static const char *
job_word(int operation)
{
    static const char *const words[] = {
        [VIR_DOMAIN_JOB_OPERATION_START] = "a start",
        [VIR_DOMAIN_JOB_OPERATION_SAVE] = "a save",
        [VIR_DOMAIN_JOB_OPERATION_RESTORE] = "a restore",
        [VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN] = "an incoming migration",
        [VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT] = "a migration",
        [VIR_DOMAIN_JOB_OPERATION_SNAPSHOT] = "a snapshot",
        [VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT] = "a return to a snapshot",
        [VIR_DOMAIN_JOB_OPERATION_DUMP] = "a dump",
        [VIR_DOMAIN_JOB_OPERATION_BACKUP] = "a backup",
    };
    const char *word =
        operation > 0 && operation < (int)G_N_ELEMENTS(words) ? words[operation] : NULL;

    return word ? word : "a job";
}

/* Returns: true when the domain is free of jobs. */
static bool
check_job(FerryChecks *checks, virDomainPtr domain, const FerryInstance *instance)
{
    virTypedParameterPtr params = NULL;
    int count = 0;
    int type = VIR_DOMAIN_JOB_NONE;
    int operation = 0;

    if (virDomainGetJobStats(domain, &type, &params, &count, 0) == 0)
        virTypedParamsGetInt(params, count, VIR_DOMAIN_JOB_OPERATION, &operation);
    virTypedParamsFree(params, count);
    if (type == VIR_DOMAIN_JOB_NONE)
        ferry_checks_add(checks, "job", FERRY_CHECK_PASS, NULL, "libvirt runs no job on '%s'",
                         instance->name);
    else
        ferry_checks_add(checks, "job", FERRY_CHECK_FAIL,
                         "Wait for it, or abort it (virsh domjobabort)", "libvirt runs %s on '%s'",
                         job_word(operation), instance->name);
    return type == VIR_DOMAIN_JOB_NONE;
}

/* Returns: (transfer container): the targets of the disks that move; NULL-terminated. */
static GPtrArray *
moving_targets(const FerryInstance *instance)
{
    GPtrArray *targets = g_ptr_array_new();

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate)
            g_ptr_array_add(targets, disk->target);
    }
    g_ptr_array_add(targets, NULL);
    return targets;
}

/* QEMU's own reasons come behind these words of libvirt's. What libvirt itself refuses has a name of
 * ours as a rule; it is told again only when nothing else was found. */
#define BLOCKERS "cannot migrate domain: "

static void
check_blockers(FerryChecks *checks, virDomainPtr domain, const FerryInstance *instance)
{
    g_autoptr(GPtrArray) targets = moving_targets(instance);
    g_autoptr(GError) error = NULL;

    if (ferry_virt_migrate_rehearse(domain, (const char *const *)targets->pdata, &error)) {
        ferry_checks_add(checks, "migration-blockers", FERRY_CHECK_PASS, NULL,
                         "Neither QEMU nor libvirt names a reason against moving '%s'",
                         instance->name);
        return;
    }

    const char *blockers = strstr(error->message, BLOCKERS);

    if (blockers)
        ferry_checks_add(checks, "migration-blockers", FERRY_CHECK_FAIL,
                         "QEMU says what it is: detach that device, or end what uses it", "%s",
                         blockers + strlen(BLOCKERS));
    else if (ferry_checks_compatible(checks))
        ferry_checks_add_error(checks, "migration-blockers", error);
}

static void
check_layout(FerryChecks *checks, const FerryInstance *instance)
{
    for (guint i = 0; i < instance->obstacles->len; i++) {
        const FerryObstacle *obstacle = g_ptr_array_index(instance->obstacles, i);

        ferry_checks_add(checks, obstacle->name, FERRY_CHECK_FAIL, obstacle->hint, "%s",
                         obstacle->message);
    }
    if (instance->obstacles->len == 0)
        ferry_checks_add(checks, "layout", FERRY_CHECK_PASS, NULL,
                         "%u of %u disks of '%s' move, %" G_GUINT64_FORMAT " MiB allocated",
                         ferry_disk_plan_count(instance), instance->disks->len, instance->name,
                         ferry_disk_plan_allocation(instance) >> 20);
}

/* Deleting is done by libvirt, which deletes what lies in an active pool. */
static void
check_pool(FerryChecks *checks, const FerryDisk *disk)
{
    if (!disk->pool)
        ferry_checks_add(checks, "source-pool", FERRY_CHECK_FAIL,
                         "Define and start a storage pool for its folder, or keep the source disks",
                         "Disk '%s': no active pool holds '%s', so it could not be deleted",
                         disk->target, disk->source);
}

/* Deleting is done within the allowed folders only; better said before than after. */
static void
check_deletable(const FerryAgent *agent, FerryChecks *checks, const FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_autoptr(GError) error = NULL;

        if (!disk->migrate)
            continue;
        check_pool(checks, disk);
        if (!ferry_path_check(disk->source, (const char *const *)agent->config->allowed_paths, NULL,
                              &error))
            ferry_checks_add(checks, "path", FERRY_CHECK_FAIL, ferry_error_hint(error), "%s",
                             error->message);
    }
}

/* QEMU writes the variables that it carried to the file when the guest first runs: one that arrives
 * paused and is switched off before would start with variables as from the factory. */
static void
find_firmware_obstacle(FerryInstance *instance, const FerryOrderOptions *options)
{
    bool runs_there = !options->paused && g_strcmp0(instance->state, "running") == 0;

    if (instance->nvram && !runs_there && !ferry_instance_is_shut_off(instance))
        ferry_instance_add_obstacle(
            instance, "nvram",
            "The instance would arrive paused, and the firmware's variables "
            "(NVRAM) reach their file only when it runs",
            "Let it run, and leave \"paused\" out");
}

/* They are read and sent byte for byte, so no domain may make the agent read any other file. */
static void
check_files(const FerryAgent *agent, FerryChecks *checks, const FerryInstance *instance)
{
    g_autoptr(GPtrArray) files = ferry_carried_files_of(instance);

    for (guint i = 0; i < files->len; i++) {
        const FerryCarriedFile *file = g_ptr_array_index(files, i);
        g_autoptr(GError) error = NULL;

        if (!ferry_path_check(file->path, (const char *const *)agent->config->allowed_paths, NULL,
                              &error))
            ferry_checks_add_error(checks, "path", error);
    }
}

/* QEMU decrypts what it reads, and its peer encrypts what it writes. Files of an instance that is off
 * go as they are. */
static void
check_encrypted_on_the_way(FerryChecks *checks,
                           const FerryInstance *instance,
                           const FerryOrderOptions *options)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate && disk->encrypted)
            ferry_checks_add(checks, "disk-encryption",
                             options->tls ? FERRY_CHECK_PASS : FERRY_CHECK_WARN,
                             options->tls ? NULL : "Order it with \"tls\", or trust the network",
                             options->tls ? "Disk '%s' is encrypted, and so is its way"
                                          : "Disk '%s' is encrypted, and crosses the network "
                                            "without encryption",
                             disk->target);
    }
}

FerryChecks *
ferry_source_check_run(const FerryAgent *agent,
                       virConnectPtr connection,
                       const char *name_or_uuid,
                       const char *migration_id,
                       const FerryOrderOptions *options,
                       FerryInstance **ret_instance,
                       GError **error)
{
    g_autoptr(virDomain) domain = ferry_virt_domain_find(connection, name_or_uuid, error);
    g_autoptr(FerryInstance) instance =
        domain ? ferry_virt_domain_describe(connection, domain, error) : NULL;

    if (!instance || !ferry_virt_domain_find_obstacles(domain, instance, error))
        return NULL;
    if (options->flatten && !ferry_instance_is_shut_off(instance))
        ferry_chain_flatten(instance);
    if (!ferry_disk_plan_make(instance, (const char *const *)options->disks, error))
        return NULL;
    /* A chain is flattened by copying in full, and that holds for all disks of a transfer. */
    if (!ferry_chain_is_flattened(instance))
        ferry_storage_strategy_choose(instance, options);

    find_firmware_obstacle(instance, options);
    if (ferry_instance_is_shut_off(instance))
        ferry_cold_find_obstacles(agent, instance);

    FerryChecks *checks = ferry_checks_new();

    check_state(checks, instance);
    check_not_migrating(agent, checks, instance, migration_id);

    bool free = check_job(checks, domain, instance);

    if (ferry_instance_is_shut_off(instance))
        ferry_cold_check(agent, checks, instance, options);
    check_layout(checks, instance);
    check_files(agent, checks, instance);
    if (!ferry_instance_is_shut_off(instance))
        check_encrypted_on_the_way(checks, instance, options);
    if (options->source_disks == FERRY_SOURCE_DISKS_DELETE)
        check_deletable(agent, checks, instance);
    else if (options->source_disks == FERRY_SOURCE_DISKS_QUARANTINE)
        ferry_quarantine_check(agent, checks, instance);
    if (free && virDomainIsActive(domain) == 1)
        check_blockers(checks, domain, instance);
    *ret_instance = g_steal_pointer(&instance);
    return checks;
}
