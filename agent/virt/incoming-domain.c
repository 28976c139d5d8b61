#include "config.h"

#include "virt/incoming-domain.h"

#include "ferry/json.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/error.h"
#include "virt/stopped-domain.h"
#include "virt/time-limits.h"
#include "virt/volume.h"

#include <stdlib.h>

#define JOB_WAIT_US (FERRY_INCOMING_JOB_LIMIT_S * G_USEC_PER_SEC)
#define JOB_PAUSE_US (50 * 1000)

void
ferry_incoming_domain_clear(FerryIncomingDomain *incoming)
{
    json_decref(incoming->disks);
    incoming->disks = NULL;
}

static bool
is_settled(FerryObservedState observed)
{
    switch (observed) {
    case FERRY_OBSERVED_INCOMING:
    case FERRY_OBSERVED_PAUSED_MIGRATION:
    case FERRY_OBSERVED_POSTCOPY:
        return false;
    case FERRY_OBSERVED_UNREACHABLE:
    case FERRY_OBSERVED_ABSENT:
    case FERRY_OBSERVED_SHUT_OFF:
    case FERRY_OBSERVED_MIGRATED:
    case FERRY_OBSERVED_RUNNING:
    case FERRY_OBSERVED_PAUSED:
    case FERRY_OBSERVED_POSTCOPY_FAILED:
    case FERRY_OBSERVED_OTHER:
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

static FerryObservedState
wait_until_settled(virConnectPtr connection, const char *uuid)
{
    gint64 deadline = g_get_monotonic_time() + JOB_WAIT_US;

    for (;;) {
        FerryObservedState observed = ferry_virt_domain_observe(connection, uuid);
        g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);
        bool over = is_settled(observed) && !(domain && job_is_active(domain));

        if (over || g_get_monotonic_time() > deadline)
            return observed;
        g_usleep(JOB_PAUSE_US);
    }
}

static void
read_downtime(virDomainPtr domain, FerryIncomingDomain *incoming)
{
    virTypedParameterPtr params = NULL;
    int count = 0;
    int type = 0;
    unsigned long long downtime = 0;
    unsigned int flags = VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED;

    if (virDomainGetJobStats(domain, &type, &params, &count, flags) < 0)
        return;
    incoming->has_downtime =
        virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_DOWNTIME, &downtime) == 1;
    incoming->downtime_ms = downtime;
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
ferry_incoming_domain_read_disks(virConnectPtr connection,
                                 const FerryInstance *instance,
                                 FerryIncomingDomain *incoming)
{
    json_t *disks = json_array();

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_auto(FerryImage) image = {0};

        if (!disk->migrate ||
            !ferry_virt_image_info(connection, disk->source, disk->format, &image, NULL))
            continue;
        json_array_append_new(disks, json_pack("{s:o, s:o, s:o, s:I, s:I}", "target",
                                               ferry_json_text(disk->target), "path",
                                               ferry_json_text(disk->source), "format",
                                               ferry_json_text(disk->format), "capacity_bytes",
                                               (json_int_t)image.capacity_bytes, "allocation_bytes",
                                               (json_int_t)image.allocation_bytes));
    }
    json_decref(incoming->disks);
    incoming->disks = disks;
}

static bool
wants_persistent(const FerryInstance *instance, const FerryOrderOptions *options)
{
    return options->persistent == FERRY_OPTION_DEFAULT ? instance->persistent
                                                       : options->persistent == FERRY_OPTION_YES;
}

/* One that a person paused on its way, after it was described, arrives so. */
static bool
is_paused_by_person(virConnectPtr connection, const char *uuid)
{
    const char *state = NULL;
    const char *reason = NULL;
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);

    return domain && ferry_virt_domain_state_words(domain, &state, &reason) &&
           g_str_equal(state, "paused") && g_str_equal(reason, FERRY_STATE_REASON_USER);
}

static bool
may_be_paused(virConnectPtr connection,
              const FerryInstance *instance,
              const FerryOrderOptions *options)
{
    return options->paused || g_strcmp0(instance->state, "paused") == 0 ||
           is_paused_by_person(connection, instance->uuid);
}

bool
ferry_incoming_domain_wait(virConnectPtr connection,
                           const FerryInstance *instance,
                           const FerryOrderOptions *options,
                           FerryIncomingDomain *ret_incoming,
                           GError **error)
{
    g_auto(FerryIncomingDomain)
        incoming = {.observed = wait_until_settled(connection, instance->uuid)};
    bool paused_is_fine = may_be_paused(connection, instance, options);

    if (incoming.observed == FERRY_OBSERVED_PAUSED && !paused_is_fine) {
        if (!ferry_stopped_domain_resume(connection, instance, error))
            return false;
        incoming.observed = ferry_virt_domain_observe(connection, instance->uuid);
    }
    incoming.alive =
        incoming.observed == FERRY_OBSERVED_RUNNING ||
        (paused_is_fine && incoming.observed == FERRY_OBSERVED_PAUSED) ||
        (ferry_instance_is_shut_off(instance) && incoming.observed == FERRY_OBSERVED_SHUT_OFF);
    if (incoming.alive) {
        g_autoptr(virDomain) domain = ferry_virt_domain_find(connection, instance->uuid, error);

        if (!domain)
            return false;
        read_downtime(domain, &incoming);
        incoming.persistent = virDomainIsPersistent(domain) == 1;
        if (wants_persistent(instance, options) &&
            !ensure_persistent(connection, domain, &incoming.persistent, error))
            return false;
        if (incoming.persistent && instance->autostart &&
            !ferry_virt_domain_set_autostart(domain, true, error))
            return false;
    }
    *ret_incoming = incoming;
    incoming = (FerryIncomingDomain){0};
    return true;
}

json_t *
ferry_incoming_domain_to_json(const FerryIncomingDomain *incoming)
{
    return json_pack("{s:s, s:b, s:o, s:O*}", "instance_state",
                     ferry_observed_state_to_string(incoming->observed), "persistent",
                     incoming->persistent, "downtime_ms",
                     incoming->has_downtime ? json_integer((json_int_t)incoming->downtime_ms)
                                            : json_null(),
                     "disks", incoming->disks);
}
