#include "config.h"

#include "virt/stopped-domain.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/error.h"

#include <stdlib.h>
#include <sys/statvfs.h>

/* With less it would stand again at the next write. */
#define ROOM_BYTES (G_GUINT64_CONSTANT(64) << 20)
/* The write that failed is tried again at once: so soon it stands again, or goes on. */
#define LOOK_US (G_USEC_PER_SEC)
#define PAUSE_US (50 * 1000)
#define MAX_ERRORS 256

static bool
stands(virDomainPtr domain)
{
    const char *state = NULL;
    const char *reason = NULL;

    return ferry_virt_domain_state_words(domain, &state, &reason) && g_str_equal(state, "paused") &&
           g_str_equal(reason, FERRY_STATE_REASON_IO_ERROR);
}

static const char *
path_of(const FerryInstance *instance, const char *target)
{
    const FerryDisk *disk = ferry_instance_find_disk(instance, target);

    return disk ? disk->source : NULL;
}

static bool
has_room(const char *path)
{
    struct statvfs room;

    return path && statvfs(path, &room) == 0 &&
           (guint64)room.f_bavail * room.f_frsize >= ROOM_BYTES;
}

/* Returns: (transfer full) (nullable): what keeps it from going on. */
static char *
find_obstacle(const FerryInstance *instance, const virDomainDiskError *errors, int count)
{
    if (count <= 0)
        return g_strdup("QEMU does not say which disk failed");
    for (int i = 0; i < count; i++) {
        const char *path = path_of(instance, errors[i].disk);
        const char *shown = path ? path : "of which nothing more is known";

        if (errors[i].error != VIR_DOMAIN_DISK_ERROR_NO_SPACE)
            return g_strdup_printf("disk '%s' ('%s') failed, and not for want of room",
                                   errors[i].disk, shown);
        if (!has_room(path))
            return g_strdup_printf("there is no room left for disk '%s' ('%s')", errors[i].disk,
                                   shown);
    }
    return NULL;
}

static char *
look_for_obstacle(virDomainPtr domain, const FerryInstance *instance)
{
    virDomainDiskError errors[MAX_ERRORS] = {0};
    int count = virDomainGetDiskErrors(domain, errors, MAX_ERRORS, 0);
    char *obstacle = find_obstacle(instance, errors, count);

    for (int i = 0; i < count; i++)
        free(errors[i].disk);
    return obstacle;
}

static bool
refuse(const FerryInstance *instance, const char *why, GError **error)
{
    g_autoptr(GError) stopped = ferry_error_new(
        FERRY_ERROR_MIGRATION_ERROR,
        "Make room there (df): it goes on by itself then, and virt-ferry resolve asks at once. "
        "After any other fault mend that, then virsh resume. The source's disks are kept until it "
        "has run",
        "The instance '%s' arrived and stands there by an I/O error: %s", instance->name, why);

    ferry_error_set_detail(stopped, "reason", json_string("io-error"));
    g_propagate_error(error, g_steal_pointer(&stopped));
    return false;
}

static bool
goes_on(virDomainPtr domain)
{
    gint64 deadline = g_get_monotonic_time() + LOOK_US;

    while (g_get_monotonic_time() < deadline) {
        if (stands(domain))
            return false;
        g_usleep(PAUSE_US);
    }
    return true;
}

bool
ferry_stopped_domain_resume(virConnectPtr connection, const FerryInstance *instance, GError **error)
{
    g_autoptr(virDomain) domain = ferry_virt_domain_find(connection, instance->uuid, NULL);
    g_autofree char *obstacle = NULL;

    if (!domain || !stands(domain))
        return true;
    obstacle = look_for_obstacle(domain, instance);
    if (obstacle)
        return refuse(instance, obstacle, error);
    g_message("The instance '%s' stood by an I/O error, and there is room again: it goes on",
              instance->name);
    if (virDomainResume(domain) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "Cannot resume '%s'",
                                     instance->name);
    return goes_on(domain) || refuse(instance, "it stood again at once", error);
}
