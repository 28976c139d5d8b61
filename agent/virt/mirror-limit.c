#include "config.h"

#include "virt/mirror-limit.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "virt/error.h"
#include "virt/monitor.h"

bool
ferry_virt_mirror_limit(virDomainPtr domain, const char *target, guint64 mibps, GError **error)
{
    const char *name = virDomainGetName(domain);

    if (virDomainBlockJobSetSpeed(domain, target, mibps, 0) < 0)
        return ferry_error_from_virt(
            error, FERRY_ERROR_MIGRATION_ERROR,
            "Cannot set the bandwidth of disk '%s' of '%s' to %" G_GUINT64_FORMAT " MiB/s", target,
            name, mibps);
    return true;
}

bool
ferry_virt_mirrors_limit_by_monitor(virDomainPtr domain,
                                    guint64 mibps,
                                    guint *ret_count,
                                    GError **error)
{
    g_autoptr(FerryJson) jobs =
        ferry_virt_monitor_ask(domain, "query-block-jobs", json_object(), error);
    gsize index = 0;
    json_t *job = NULL;

    *ret_count = 0;
    if (!jobs)
        return false;
    json_array_foreach(jobs, index, job) {
        const char *device = ferry_json_get_string(job, "device");

        if (!device || g_strcmp0(ferry_json_get_string(job, "type"), "mirror") != 0)
            continue;

        g_autoptr(FerryJson) done = ferry_virt_monitor_ask(
            domain, "block-job-set-speed",
            json_pack("{s:s, s:I}", "device", device, "speed", (json_int_t)(mibps * 1024 * 1024)),
            error);

        if (!done)
            return false;
        (*ret_count)++;
    }
    return true;
}
