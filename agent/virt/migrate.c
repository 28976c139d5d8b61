#include "config.h"

#include "virt/migrate.h"

#include "model/refusal.h"
#include "virt/auto.h"
#include "virt/copy-nodes.h"
#include "virt/error.h"
#include "virt/virt.h"

#include <string.h>

/* The libvirt that this was built with may be older than those that it talks to. */
#ifndef VIR_MIGRATE_PARAM_MIGRATE_DISKS_DETECT_ZEROES
#define VIR_MIGRATE_PARAM_MIGRATE_DISKS_DETECT_ZEROES "migrate_disks_detect_zeroes"
#endif

#ifndef VIR_MIGRATE_PARAM_BANDWIDTH_AVAIL_SWITCHOVER
#define VIR_MIGRATE_PARAM_BANDWIDTH_AVAIL_SWITCHOVER "bandwidth.avail.switchover"
#endif

typedef struct {
    virTypedParameterPtr list;
    int count;
    int size;
} Params;

static void
params_clear(Params *params)
{
    virTypedParamsFree(params->list, params->count);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Params, params_clear)

static void
add_string(Params *params, const char *name, const char *value)
{
    if (value)
        virTypedParamsAddString(&params->list, &params->count, &params->size, name, value);
}

/* Of a transfer that is taken up again the disks are over there already. */
static void
add_disks(Params *params, const FerryTransferParameters *parameters)
{
    for (guint i = 0; parameters->disks && parameters->disks[i]; i++)
        add_string(params, VIR_MIGRATE_PARAM_MIGRATE_DISKS, parameters->disks[i]);
    for (guint i = 0; parameters->unmap && parameters->unmap[i]; i++)
        add_string(params, VIR_MIGRATE_PARAM_MIGRATE_DISKS_DETECT_ZEROES, parameters->unmap[i]);
}

static unsigned int
flags_of(const FerryTransferParameters *parameters)
{
    if (parameters->offline)
        return VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST;

    /* NON_SHARED_INC with targets that this agent made empty: QEMU takes their zeroes for granted
     * and visits allocated clusters only (docs/architecture.md, "Thin copy"). Of a disk with
     * backing files it copies the top only; where they shall not be kept, all has to be copied. */
    unsigned int flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_ABORT_ON_ERROR;

    if (parameters->resume_post_copy)
        flags |= VIR_MIGRATE_POSTCOPY | VIR_MIGRATE_POSTCOPY_RESUME;
    else if (parameters->disks && parameters->disks[0])
        flags |= (parameters->in_full ? VIR_MIGRATE_NON_SHARED_DISK : VIR_MIGRATE_NON_SHARED_INC) |
                 (parameters->synchronous_writes ? VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES : 0);
    if (parameters->persist_destination)
        flags |= VIR_MIGRATE_PERSIST_DEST;
    if (parameters->undefine_source)
        flags |= VIR_MIGRATE_UNDEFINE_SOURCE;
    if (parameters->paused)
        flags |= VIR_MIGRATE_PAUSED;
    if (parameters->auto_converge)
        flags |= VIR_MIGRATE_AUTO_CONVERGE;
    if (parameters->post_copy)
        flags |= VIR_MIGRATE_POSTCOPY;
    if (parameters->tls)
        flags |= VIR_MIGRATE_TLS;
    if (parameters->parallel_connections > 1)
        flags |= VIR_MIGRATE_PARALLEL;
    return flags;
}

static void
add_auto_converge(Params *params, const FerryTransferParameters *parameters)
{
    virTypedParamsAddInt(&params->list, &params->count, &params->size,
                         VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL,
                         (int)parameters->auto_converge_initial);
    virTypedParamsAddInt(&params->list, &params->count, &params->size,
                         VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT,
                         (int)parameters->auto_converge_increment);
}

/* libvirt before 10.3 compares another name where disks go over connections of their own. */
static void
add_tls_destination(Params *params, const FerryTransferParameters *parameters)
{
    g_autofree char *host = NULL;

    if (parameters->tls && g_uri_split(parameters->migrate_uri, G_URI_FLAGS_NONE, NULL, NULL, &host,
                                       NULL, NULL, NULL, NULL, NULL))
        add_string(params, VIR_MIGRATE_PARAM_TLS_DESTINATION, host);
}

static void
fill_params(Params *params, const FerryTransferParameters *parameters)
{
    add_string(params, VIR_MIGRATE_PARAM_URI, parameters->migrate_uri);
    add_string(params, VIR_MIGRATE_PARAM_DEST_NAME, parameters->dest_name);
    add_string(params, VIR_MIGRATE_PARAM_DEST_XML, parameters->dest_xml);
    add_string(params, VIR_MIGRATE_PARAM_PERSIST_XML, parameters->persist_xml);
    if (!parameters->resume_post_copy)
        add_disks(params, parameters);
    if (parameters->disk_bandwidth_mibps > 0)
        virTypedParamsAddULLong(&params->list, &params->count, &params->size,
                                VIR_MIGRATE_PARAM_BANDWIDTH, parameters->disk_bandwidth_mibps);
    if (parameters->switchover_mibps > 0)
        virTypedParamsAddULLong(&params->list, &params->count, &params->size,
                                VIR_MIGRATE_PARAM_BANDWIDTH_AVAIL_SWITCHOVER,
                                parameters->switchover_mibps);
    if (parameters->auto_converge)
        add_auto_converge(params, parameters);
    add_tls_destination(params, parameters);
    if (parameters->parallel_connections > 1)
        virTypedParamsAddInt(&params->list, &params->count, &params->size,
                             VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS,
                             (int)parameters->parallel_connections);
}

static bool
migrate(virDomainPtr domain, const FerryTransferParameters *parameters, const Params *params)
{
    return virDomainMigrateToURI3(domain, parameters->libvirt_uri, params->list,
                                  (unsigned int)params->count, flags_of(parameters)) == 0;
}

bool
ferry_virt_migrate(virDomainPtr domain, const FerryTransferParameters *parameters, GError **error)
{
    const char *name = virDomainGetName(domain);
    g_auto(Params) params = {0};

    fill_params(&params, parameters);
    if (migrate(domain, parameters, &params))
        return true;
    if (ferry_virt_copy_nodes_are_in_the_way()) {
        g_message("An earlier copy of '%s' is still in its QEMU, forgotten by libvirt: removing it",
                  name);
        ferry_virt_copy_nodes_remove(domain, parameters->disks);
        if (migrate(domain, parameters, &params))
            return true;
    }
    g_autoptr(GError) why = NULL;

    ferry_error_from_virt(&why, FERRY_ERROR_MIGRATION_ERROR, "The transfer of '%s' to '%s' failed",
                          name, parameters->libvirt_uri);

    const char *hint = ferry_refusal_hint(why->message);

    if (hint && why->code == FERRY_ERROR_MIGRATION_ERROR)
        ferry_error_set_hint(why, hint);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* No socket can be made in /proc: to connect to it is the first thing after all looks that
 * fails. */
#define NOWHERE "/proc/no-libvirt"

bool
ferry_virt_migrate_rehearse(virDomainPtr domain, const char *const *disks, GError **error)
{
    const char *name = virDomainGetName(domain);
    const FerryTransferParameters parameters = {
        .libvirt_uri = "qemu+unix:///system?socket=" NOWHERE,
        .migrate_uri = "tcp://localhost",
        .disks = disks,
    };
    g_auto(Params) params = {0};

    fill_params(&params, &parameters);
    if (virDomainMigrateToURI3(domain, parameters.libvirt_uri, params.list,
                               (unsigned int)params.count, flags_of(&parameters)) == 0)
        return true;
    if (strstr(virGetLastErrorMessage(), NOWHERE))
        return true;
    return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                                 "libvirt would not carry '%s'", name);
}

static guint64
get_counter(virTypedParameterPtr list, int count, const char *name)
{
    unsigned long long value = 0;

    return virTypedParamsGetULLong(list, count, name, &value) == 1 ? value : 0;
}

static void
fill_sample(FerryProgressSample *sample, virTypedParameterPtr list, int count)
{
    int throttle = 0;

    sample->memory_total_bytes = get_counter(list, count, VIR_DOMAIN_JOB_MEMORY_TOTAL);
    sample->memory_processed_bytes = get_counter(list, count, VIR_DOMAIN_JOB_MEMORY_PROCESSED);
    sample->memory_remaining_bytes = get_counter(list, count, VIR_DOMAIN_JOB_MEMORY_REMAINING);
    sample->memory_iteration = get_counter(list, count, VIR_DOMAIN_JOB_MEMORY_ITERATION);
    sample->memory_throughput_bytes_s = get_counter(list, count, VIR_DOMAIN_JOB_MEMORY_BPS);
    /* The dirty rate comes in pages. */
    sample->memory_dirty_rate_bytes_s = get_counter(list, count, VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE) *
                                        get_counter(list, count, VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE);
    sample->expected_downtime_ms = get_counter(list, count, VIR_DOMAIN_JOB_DOWNTIME);
    if (virTypedParamsGetInt(list, count, VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE, &throttle) == 1)
        sample->throttle_percent = (guint)MAX(throttle, 0);
}

bool
ferry_virt_job_info(virDomainPtr domain, FerryJobInfo *ret_info, GError **error)
{
    const char *name = virDomainGetName(domain);
    g_auto(Params) params = {0};
    FerryJobInfo info = {0};
    int type = VIR_DOMAIN_JOB_NONE;
    int operation = 0;

    if (virDomainGetJobStats(domain, &type, &params.list, &params.count, 0) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot look at the job of '%s'", name);
    virTypedParamsGetInt(params.list, params.count, VIR_DOMAIN_JOB_OPERATION, &operation);
    info.active = type == VIR_DOMAIN_JOB_BOUNDED || type == VIR_DOMAIN_JOB_UNBOUNDED;
    info.outgoing = info.active && (operation == VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT ||
                                    operation == VIR_DOMAIN_JOB_OPERATION_UNKNOWN);
    fill_sample(&info.sample, params.list, params.count);
    info.has_memory = info.active && info.sample.memory_total_bytes > 0;
    info.sample.time_us = g_get_monotonic_time();
    *ret_info = info;
    return true;
}

bool
ferry_virt_disk_describe(virDomainPtr domain,
                         const char *target,
                         guint64 *ret_cur,
                         guint64 *ret_end)
{
    virDomainBlockJobInfo info = {0};

    if (virDomainGetBlockJobInfo(domain, target, &info, 0) != 1)
        return false;
    *ret_cur = info.cur;
    *ret_end = info.end;
    return true;
}

bool
ferry_virt_job_abort(virDomainPtr domain, GError **error)
{
    const char *name = virDomainGetName(domain);

    if (virDomainAbortJob(domain) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_INVALID_MIGRATION_STATE,
                                     "Cannot abort the job of '%s'", name);
    return true;
}

bool
ferry_virt_set_downtime(virDomainPtr domain, guint downtime_ms, GError **error)
{
    const char *name = virDomainGetName(domain);

    if (virDomainMigrateSetMaxDowntime(domain, downtime_ms, 0) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot set the downtime of '%s' to %u ms", name, downtime_ms);
    return true;
}

/* What libvirt gives to a migration that has no limit. */
#define NO_LIMIT_MIBPS ((guint64)G_MAXINT64 >> 20)

bool
ferry_virt_set_memory_bandwidth(virDomainPtr domain, guint64 mibps, bool post_copy, GError **error)
{
    const char *name = virDomainGetName(domain);
    unsigned int flags = post_copy ? VIR_DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY : 0;

    if (virDomainMigrateSetMaxSpeed(domain, mibps > 0 ? mibps : NO_LIMIT_MIBPS, flags) < 0)
        return ferry_error_from_virt(
            error, FERRY_ERROR_MIGRATION_ERROR,
            "Cannot set the bandwidth of '%s' to %" G_GUINT64_FORMAT " MiB/s", name, mibps);
    return true;
}

bool
ferry_virt_pause(virDomainPtr domain, GError **error)
{
    const char *name = virDomainGetName(domain);

    if (virDomainSuspend(domain) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR, "Cannot pause '%s'", name);
    return true;
}

bool
ferry_virt_start_post_copy(virDomainPtr domain, GError **error)
{
    const char *name = virDomainGetName(domain);

    if (virDomainMigrateStartPostCopy(domain, 0) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot switch '%s' to post-copy", name);
    return true;
}
