#include "config.h"

#include "virt/mirror-limit.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "virt/error.h"

#include <libvirt/libvirt-qemu.h>

#include <stdlib.h>

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

/* @order: (transfer full). Returns: (transfer full) (nullable): what QEMU returned. */
static json_t *
ask_qemu(virDomainPtr domain, json_t *order, GError **error)
{
    g_autoptr(FerryJson) owned = order;
    g_autofree char *text = ferry_json_dump(owned);
    const char *name = virDomainGetName(domain);
    char *answer = NULL;

    if (virDomainQemuMonitorCommand(domain, text, &answer, 0) < 0) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot give '%s' a command of QEMU", name);
        return NULL;
    }

    g_autoptr(FerryJson) document = json_loads(answer, 0, NULL);
    json_t *returned = json_object_get(document, "return");

    if (!returned)
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL, "QEMU of '%s' refused: %.200s",
                        name, answer);
    free(answer);
    return returned ? json_incref(returned) : NULL;
}

bool
ferry_virt_mirrors_limit_by_monitor(virDomainPtr domain,
                                    guint64 mibps,
                                    guint *ret_count,
                                    GError **error)
{
    g_autoptr(FerryJson) jobs =
        ask_qemu(domain, json_pack("{s:s}", "execute", "query-block-jobs"), error);
    gsize index = 0;
    json_t *job = NULL;

    *ret_count = 0;
    if (!jobs)
        return false;
    json_array_foreach(jobs, index, job) {
        const char *device = ferry_json_get_string(job, "device");

        if (!device || g_strcmp0(ferry_json_get_string(job, "type"), "mirror") != 0)
            continue;

        g_autoptr(FerryJson) done =
            ask_qemu(domain,
                     json_pack("{s:s, s:{s:s, s:I}}", "execute", "block-job-set-speed", "arguments",
                               "device", device, "speed", (json_int_t)(mibps * 1024 * 1024)),
                     error);

        if (!done)
            return false;
        (*ret_count)++;
    }
    return true;
}
