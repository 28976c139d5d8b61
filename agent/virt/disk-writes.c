#include "config.h"

#include "virt/disk-writes.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "virt/auto.h"
#include "virt/monitor.h"

static bool
ask_written_bytes(virDomainPtr domain, const char *target, guint64 *ret_bytes)
{
    /* libvirtd takes no question for more. */
    virTypedParameter list[16];
    int count = G_N_ELEMENTS(list);
    long long bytes = 0;

    if (virDomainBlockStatsFlags(domain, target, list, &count, 0) < 0 ||
        virTypedParamsGetLLong(list, count, VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, &bytes) != 1)
        return false;
    *ret_bytes = (guint64)MAX(bytes, 0);
    return true;
}

guint64
ferry_virt_disks_written_bytes(virDomainPtr domain, const FerryInstance *instance)
{
    guint64 sum = 0;

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        guint64 bytes = 0;

        if (disk->migrate && !ask_written_bytes(domain, disk->target, &bytes))
            return 0;
        sum += bytes;
    }
    return sum;
}

static bool
synchronise(virDomainPtr domain, const char *job, GError **error)
{
    g_autoptr(FerryJson) done = ferry_virt_monitor_ask(
        domain, "block-job-change",
        json_pack("{s:s, s:s, s:s}", "id", job, "type", "mirror", "copy-mode", "write-blocking"),
        error);

    return done != NULL;
}

bool
ferry_virt_mirrors_synchronise(virDomainPtr domain, GError **error)
{
    g_autoptr(FerryJson) jobs =
        ferry_virt_monitor_ask(domain, "query-block-jobs", json_object(), error);
    json_t *job = NULL;
    gsize index = 0;
    guint mirrors = 0;

    if (!jobs)
        return false;
    json_array_foreach(jobs, index, job) {
        const char *id = ferry_json_get_string(job, "device");

        if (!id || g_strcmp0(ferry_json_get_string(job, "type"), "mirror") != 0)
            continue;
        if (!synchronise(domain, id, error))
            return false;
        mirrors++;
    }
    if (mirrors > 0)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL, "No mirror runs");
    return false;
}

bool
ferry_virt_mirrors_disconnect(virDomainPtr domain, const GPtrArray *targets, GError **error)
{
    json_t *instances = json_array();

    for (guint i = 0; i < targets->len; i++) {
        const char *target = g_ptr_array_index(targets, i);
        /* As libvirt calls it. */
        g_autofree char *node = g_strdup_printf("migration-%s-storage", target);

        json_array_append_new(instances, json_pack("{s:s, s:o}", "type", "block-node", "node-name",
                                                   ferry_json_text(node)));
    }

    g_autoptr(FerryJson) done =
        ferry_virt_monitor_ask(domain, "yank", json_pack("{s:o}", "instances", instances), error);

    return done != NULL;
}
