#include "config.h"

#include "checks/source.h"

#include "checks/cold.h"
#include "checks/job.h"
#include "ferry/error.h"
#include "journal/journal.h"
#include "model/block-volume.h"
#include "model/carried-file.h"
#include "model/disk-plan.h"
#include "model/paths.h"
#include "storage/quarantine.h"
#include "virt/domain.h"

static void
check_state(FerryChecks *checks, const FerryInstance *instance)
{
    bool fine = g_strcmp0(instance->state, "running") == 0 ||
                ferry_instance_is_shut_off(instance) ||
                (g_strcmp0(instance->state, "paused") == 0 &&
                 g_strcmp0(instance->state_reason, FERRY_STATE_REASON_USER) == 0);

    ferry_checks_add(
        checks, "state", fine ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL,
        fine ? NULL : "An instance moves that runs, that a user paused, or that is shut off",
        "Instance '%s' is %s (%s)", instance->name, instance->state, instance->state_reason);
}

/* Returns: true when no other migration of the instance is open. */
static bool
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

    bool free = open && !other;

    if (free)
        ferry_checks_add(checks, "already-migrating", FERRY_CHECK_PASS, NULL,
                         "No other migration of '%s' is open", instance->name);
    else
        ferry_checks_add(checks, "already-migrating", FERRY_CHECK_FAIL, "Wait for it, or abort it",
                         "The migration '%s' of '%s' is open",
                         other ? other : "(the journal cannot be read)", instance->name);
    return free;
}

static void
check_layout(FerryChecks *checks, const FerryInstance *instance)
{
    for (guint i = 0; i < instance->obstacles->len; i++) {
        const FerryObstacle *obstacle = g_ptr_array_index(instance->obstacles, i);

        ferry_checks_add(checks, obstacle->name, FERRY_CHECK_FAIL, obstacle->hint, "%s",
                         obstacle->message);
    }
    for (guint i = 0; i < instance->warnings->len; i++) {
        const FerryObstacle *warning = g_ptr_array_index(instance->warnings, i);

        ferry_checks_add(checks, warning->name, FERRY_CHECK_WARN, warning->hint, "%s",
                         warning->message);
    }
    if (instance->obstacles->len == 0)
        ferry_checks_add(checks, "layout", FERRY_CHECK_PASS, NULL,
                         "%u of %u disks of '%s' move, %" G_GUINT64_FORMAT " MiB allocated",
                         ferry_disk_plan_count(instance), instance->disks->len, instance->name,
                         ferry_disk_plan_allocation(instance) >> 20);
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
        if (!ferry_disk_path_check(disk, (const char *const *)agent->config->allowed_paths, NULL,
                                   &error))
            ferry_checks_add(checks, "path", FERRY_CHECK_FAIL, ferry_error_hint(error), "%s",
                             error->message);
    }
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

/* QEMU decrypts what it reads, and its peer encrypts what it writes. Files of an instance that is
 * off go as they are. */
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

/* Another instance's next start may want the same file, by another path perhaps. */
static void
check_users(virConnectPtr connection, FerryChecks *checks, const FerryInstance *instance)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new();

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate)
            g_ptr_array_add(paths, disk->source);
    }
    g_ptr_array_add(paths, NULL);

    g_autofree char **users = g_new0(char *, paths->len);

    ferry_virt_path_users(connection, (const char *const *)paths->pdata, instance->uuid, users);
    for (guint i = 0; i + 1 < paths->len; i++) {
        g_autofree char *user = users[i];

        if (user)
            ferry_checks_add(checks, "source-disks", FERRY_CHECK_FAIL,
                             "Order it with source_disks \"keep\", or take the file out of that "
                             "instance",
                             "'%s' would stay, because '%s' uses it, too",
                             (const char *)g_ptr_array_index(paths, i), user);
    }
}

/* What becomes of the source's disks: better said before than after. */
static void
check_source_disks(const FerryAgent *agent,
                   FerryChecks *checks,
                   virConnectPtr connection,
                   const FerryInstance *instance,
                   const FerryOrderOptions *options)
{
    if (options->source_disks != FERRY_SOURCE_DISKS_KEEP)
        check_users(connection, checks, instance);
    if (options->source_disks == FERRY_SOURCE_DISKS_DELETE)
        check_deletable(agent, checks, instance);
    else if (options->source_disks == FERRY_SOURCE_DISKS_QUARANTINE)
        ferry_quarantine_check(agent, checks, instance);
}

FerryChecks *
ferry_source_check_run(const FerryAgent *agent,
                       virDomainPtr domain,
                       const FerryInstance *instance,
                       const char *migration_id,
                       const FerryOrderOptions *options)
{
    FerryChecks *checks = ferry_checks_new();

    check_state(checks, instance);

    bool alone = check_not_migrating(agent, checks, instance, migration_id);
    bool free = ferry_check_job(checks, domain, instance);

    if (ferry_instance_is_shut_off(instance))
        ferry_cold_check(agent, checks, instance, options);
    check_layout(checks, instance);
    check_files(agent, checks, instance);
    if (!ferry_instance_is_shut_off(instance))
        check_encrypted_on_the_way(checks, instance, options);
    check_source_disks(agent, checks, virDomainGetConnect(domain), instance, options);
    if (alone && free && virDomainIsActive(domain) == 1)
        ferry_check_blockers(checks, domain, instance);
    return checks;
}
