#include "config.h"

#include "virt/disk-writes.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "virt/auto.h"
#include "virt/error.h"

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>

guint64
ferry_virt_disk_written_bytes(virDomainPtr domain, const char *target)
{
    /* libvirtd takes no question for more. */
    virTypedParameter list[16];
    int count = G_N_ELEMENTS(list);
    long long bytes = 0;

    if (virDomainBlockStatsFlags(domain, target, list, &count, 0) < 0 ||
        virTypedParamsGetLLong(list, count, VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, &bytes) != 1)
        return 0;
    return (guint64)MAX(bytes, 0);
}

/* @order: (transfer full). Returns: (transfer full) (nullable): what QEMU returned. */
static json_t *
ask_monitor(virDomainPtr domain, json_t *order, GError **error)
{
    g_autoptr(FerryJson) own = order;
    g_autofree char *text = ferry_json_dump(own);
    char *raw = NULL;

    if (virDomainQemuMonitorCommand(domain, text, &raw, 0) < 0) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "QEMU's monitor was not asked");
        return NULL;
    }

    g_autoptr(FerryJson) answer = json_loads(raw, 0, NULL);
    json_t *returned = json_object_get(answer, "return");
    const char *why = ferry_json_get_string(json_object_get(answer, "error"), "desc");

    free(raw);
    if (returned)
        return json_incref(returned);
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL, "QEMU refused: %s",
                    why ? why : "no reason given");
    return NULL;
}

static bool
synchronise(virDomainPtr domain, const char *job, GError **error)
{
    g_autoptr(FerryJson) done = ask_monitor(
        domain,
        json_pack("{s:s, s:{s:s, s:s, s:s}}", "execute", "block-job-change", "arguments", "id", job,
                  "type", "mirror", "copy-mode", "write-blocking"),
        error);

    return done != NULL;
}

bool
ferry_virt_mirrors_synchronise(virDomainPtr domain, GError **error)
{
    g_autoptr(FerryJson) jobs =
        ask_monitor(domain, json_pack("{s:s}", "execute", "query-block-jobs"), error);
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

    g_autoptr(FerryJson) done = ask_monitor(
        domain, json_pack("{s:s, s:{s:o}}", "execute", "yank", "arguments", "instances", instances),
        error);

    return done != NULL;
}
