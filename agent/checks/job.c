#include "config.h"

#include "checks/job.h"

#include "ferry/error.h"
#include "virt/migrate.h"

#include <string.h>

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

/* Returns: the operation of the domain's job; VIR_DOMAIN_JOB_NONE in @ret_type when it has none. */
static int
look_at_job(virDomainPtr domain, int *ret_type)
{
    virTypedParameterPtr params = NULL;
    int count = 0;
    int operation = 0;

    *ret_type = VIR_DOMAIN_JOB_NONE;
    if (virDomainGetJobStats(domain, ret_type, &params, &count, 0) == 0)
        virTypedParamsGetInt(params, count, VIR_DOMAIN_JOB_OPERATION, &operation);
    virTypedParamsFree(params, count);
    return operation;
}

/* A rehearsal of another check is a migration for some milliseconds. */
#define JOB_LOOKS 5
#define JOB_PAUSE_US (20 * 1000)
#define REHEARSALS 20

bool
ferry_check_job(FerryChecks *checks, virDomainPtr domain, const FerryInstance *instance)
{
    int type = VIR_DOMAIN_JOB_NONE;
    int operation = look_at_job(domain, &type);

    for (int i = 1; i < JOB_LOOKS && operation == VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT &&
                    type != VIR_DOMAIN_JOB_NONE;
         i++) {
        g_usleep(JOB_PAUSE_US);
        operation = look_at_job(domain, &type);
    }
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

/* QEMU's own reasons come behind these words of libvirt's. What libvirt itself refuses has a name
 * of ours as a rule; it is told again only when nothing else was found. */
#define BLOCKERS "cannot migrate domain: "
#define ANOTHER_JOB "another migration job"

/* Two who look at the same time are in each other's way for milliseconds. */
static bool
rehearse(virDomainPtr domain, const char *const *targets, GError **error)
{
    for (int i = 1;; i++) {
        g_autoptr(GError) why = NULL;

        if (ferry_virt_migrate_rehearse(domain, targets, &why))
            return true;
        if (i == REHEARSALS || !strstr(why->message, ANOTHER_JOB)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        g_usleep(JOB_PAUSE_US);
    }
}

void
ferry_check_blockers(FerryChecks *checks, virDomainPtr domain, const FerryInstance *instance)
{
    g_autoptr(GPtrArray) targets = moving_targets(instance);
    g_autoptr(GError) error = NULL;

    if (rehearse(domain, (const char *const *)targets->pdata, &error)) {
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
