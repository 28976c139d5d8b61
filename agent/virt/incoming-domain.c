#include "config.h"

#include "virt/incoming-domain.h"

#include "ferry/json.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/error.h"
#include "virt/volume.h"

#include <stdlib.h>

/* The incoming job outlives the switch by moments; longer than this it is stuck and the sight says
 * so. */
#define JOB_WAIT_US (30 * G_USEC_PER_SEC)
#define JOB_PAUSE_US (50 * 1000)

void
ferry_arrival_clear(FerryArrival *arrival)
{
    json_decref(arrival->disks);
    arrival->disks = NULL;
}

static bool
is_settled(FerrySight sight)
{
    switch (sight) {
    case FERRY_SIGHT_INCOMING:
    case FERRY_SIGHT_PAUSED_MIGRATION:
    case FERRY_SIGHT_POSTCOPY:
        return false;
    case FERRY_SIGHT_UNREACHABLE:
    case FERRY_SIGHT_ABSENT:
    case FERRY_SIGHT_SHUT_OFF:
    case FERRY_SIGHT_MIGRATED:
    case FERRY_SIGHT_RUNNING:
    case FERRY_SIGHT_PAUSED:
    case FERRY_SIGHT_POSTCOPY_FAILED:
    case FERRY_SIGHT_OTHER:
        return true;
    }
    return true;
}

static bool
job_is_active(virDomainPtr domain)
{
    virDomainJobInfo info = {0};

    return virDomainGetJobInfo(domain, &info) == 0 && info.type != VIR_DOMAIN_JOB_NONE;
}

static FerrySight
wait_until_settled(virConnectPtr connection, const char *uuid)
{
    gint64 deadline = g_get_monotonic_time() + JOB_WAIT_US;

    for (;;) {
        FerrySight sight = ferry_virt_domain_sight(connection, uuid);
        g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);
        bool over = is_settled(sight) && !(domain && job_is_active(domain));

        if (over || g_get_monotonic_time() > deadline)
            return sight;
        g_usleep(JOB_PAUSE_US);
    }
}

static void
read_downtime(virDomainPtr domain, FerryArrival *arrival)
{
    virTypedParameterPtr params = NULL;
    int count = 0;
    int type = 0;
    unsigned long long downtime = 0;
    unsigned int flags = VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED;

    if (virDomainGetJobStats(domain, &type, &params, &count, flags) < 0)
        return;
    arrival->has_downtime =
        virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_DOWNTIME, &downtime) == 1;
    arrival->downtime_ms = downtime;
    virTypedParamsFree(params, count);
}

/* A persistent definition that a crash lost is made from the domain itself, secrets included. */
static bool
ensure_persistent(virConnectPtr connection,
                  virDomainPtr domain,
                  bool *ret_persistent,
                  GError **error)
{
    const char *name = virDomainGetName(domain);
    *ret_persistent = virDomainIsPersistent(domain) == 1;
    if (*ret_persistent)
        return true;

    char *raw = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);
    g_autofree char *xml = raw;
    g_autoptr(virDomain) defined = raw ? virDomainDefineXML(connection, xml) : NULL;

    *ret_persistent = defined != NULL;
    return defined || ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                            "Cannot make '%s' persistent here", name);
}

void
ferry_arrival_look_at_disks(virConnectPtr connection,
                            const FerryInstance *instance,
                            FerryArrival *arrival)
{
    json_t *disks = json_array();

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_auto(FerryImage) image = {0};

        if (!disk->migrate ||
            !ferry_virt_image_look(connection, disk->source, disk->format, &image, NULL))
            continue;
        json_array_append_new(disks, json_pack("{s:o, s:o, s:o, s:I, s:I}", "target",
                                               ferry_json_text(disk->target), "path",
                                               ferry_json_text(disk->source), "format",
                                               ferry_json_text(disk->format), "capacity_bytes",
                                               (json_int_t)image.capacity_bytes, "allocation_bytes",
                                               (json_int_t)image.allocation_bytes));
    }
    json_decref(arrival->disks);
    arrival->disks = disks;
}

static bool
wants_persistent(const FerryInstance *instance, const FerryOrderOptions *options)
{
    return options->persistent == FERRY_OPTION_DEFAULT ? instance->persistent
                                                       : options->persistent == FERRY_OPTION_YES;
}

bool
ferry_arrival_wait(virConnectPtr connection,
                   const FerryInstance *instance,
                   const FerryOrderOptions *options,
                   FerryArrival *ret_arrival,
                   GError **error)
{
    g_auto(FerryArrival) arrival = {.sight = wait_until_settled(connection, instance->uuid)};
    bool paused_is_fine = options->paused || g_strcmp0(instance->state, "paused") == 0;

    arrival.alive = arrival.sight == FERRY_SIGHT_RUNNING ||
                    (paused_is_fine && arrival.sight == FERRY_SIGHT_PAUSED) ||
                    (ferry_instance_is_shut_off(instance) && arrival.sight == FERRY_SIGHT_SHUT_OFF);
    if (arrival.alive) {
        g_autoptr(virDomain) domain = ferry_virt_domain_find(connection, instance->uuid, error);

        if (!domain)
            return false;
        read_downtime(domain, &arrival);
        arrival.persistent = virDomainIsPersistent(domain) == 1;
        if (wants_persistent(instance, options) &&
            !ensure_persistent(connection, domain, &arrival.persistent, error))
            return false;
    }
    *ret_arrival = arrival;
    arrival = (FerryArrival){0};
    return true;
}

json_t *
ferry_arrival_to_json(const FerryArrival *arrival)
{
    return json_pack(
        "{s:s, s:b, s:o, s:O*}", "instance_state", ferry_sight_to_string(arrival->sight),
        "persistent", arrival->persistent, "downtime_ms",
        arrival->has_downtime ? json_integer((json_int_t)arrival->downtime_ms) : json_null(),
        "disks", arrival->disks);
}
