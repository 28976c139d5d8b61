#include "config.h"

#include "virt/domain-state.h"

#include "model/instance.h"
#include "virt/auto.h"
#include "virt/error.h"

static const char *
state_word(int state)
{
    static const char *const words[] = {
        [VIR_DOMAIN_NOSTATE] = "nostate",   [VIR_DOMAIN_RUNNING] = "running",
        [VIR_DOMAIN_BLOCKED] = "blocked",   [VIR_DOMAIN_PAUSED] = "paused",
        [VIR_DOMAIN_SHUTDOWN] = "shutdown", [VIR_DOMAIN_SHUTOFF] = "shutoff",
        [VIR_DOMAIN_CRASHED] = "crashed",   [VIR_DOMAIN_PMSUSPENDED] = "pmsuspended",
    };

    return state >= 0 && state < (int)G_N_ELEMENTS(words) ? words[state] : "unknown";
}

typedef struct {
    int reason;
    const char *word;
} ReasonWord;

static const ReasonWord running_reasons[] = {
    {VIR_DOMAIN_RUNNING_BOOTED, "booted"},
    {VIR_DOMAIN_RUNNING_MIGRATED, "migrated"},
    {VIR_DOMAIN_RUNNING_RESTORED, "restored"},
    {VIR_DOMAIN_RUNNING_FROM_SNAPSHOT, "from snapshot"},
    {VIR_DOMAIN_RUNNING_UNPAUSED, "unpaused"},
    {VIR_DOMAIN_RUNNING_MIGRATION_CANCELED, "migration canceled"},
    {VIR_DOMAIN_RUNNING_SAVE_CANCELED, "save canceled"},
    {VIR_DOMAIN_RUNNING_WAKEUP, "event wakeup"},
    {VIR_DOMAIN_RUNNING_POSTCOPY, "post-copy"},
    {VIR_DOMAIN_RUNNING_POSTCOPY_FAILED, "post-copy failed"},
    {-1, NULL},
};

static const ReasonWord paused_reasons[] = {
    {VIR_DOMAIN_PAUSED_USER, FERRY_STATE_REASON_USER},
    {VIR_DOMAIN_PAUSED_MIGRATION, "migrating"},
    {VIR_DOMAIN_PAUSED_SAVE, "saving"},
    {VIR_DOMAIN_PAUSED_DUMP, "dumping"},
    {VIR_DOMAIN_PAUSED_IOERROR, FERRY_STATE_REASON_IO_ERROR},
    {VIR_DOMAIN_PAUSED_WATCHDOG, "watchdog"},
    {VIR_DOMAIN_PAUSED_SNAPSHOT, "creating snapshot"},
    {VIR_DOMAIN_PAUSED_STARTING_UP, "starting up"},
    {VIR_DOMAIN_PAUSED_POSTCOPY, "post-copy"},
    {VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, "post-copy failed"},
    {-1, NULL},
};

static const ReasonWord shutoff_reasons[] = {
    {VIR_DOMAIN_SHUTOFF_SHUTDOWN, "shutdown"},
    {VIR_DOMAIN_SHUTOFF_DESTROYED, "destroyed"},
    {VIR_DOMAIN_SHUTOFF_CRASHED, "crashed"},
    {VIR_DOMAIN_SHUTOFF_MIGRATED, "migrated"},
    {VIR_DOMAIN_SHUTOFF_SAVED, "saved"},
    {VIR_DOMAIN_SHUTOFF_FAILED, "failed"},
    {-1, NULL},
};

static const char *
reason_word(int state, int reason)
{
    const ReasonWord *words = NULL;

    if (state == VIR_DOMAIN_RUNNING)
        words = running_reasons;
    else if (state == VIR_DOMAIN_PAUSED)
        words = paused_reasons;
    else if (state == VIR_DOMAIN_SHUTOFF)
        words = shutoff_reasons;
    for (; words && words->word; words++)
        if (words->reason == reason)
            return words->word;
    return "unknown";
}

bool
ferry_virt_domain_state_words(virDomainPtr domain, const char **ret_state, const char **ret_reason)
{
    int state = -1;
    int reason = 0;
    bool ok = virDomainGetState(domain, &state, &reason, 0) == 0;

    *ret_state = state_word(state);
    *ret_reason = reason_word(state, reason);
    return ok;
}

const char *
ferry_virt_domain_state_word(virDomainPtr domain)
{
    const char *state = NULL;
    const char *reason = NULL;

    ferry_virt_domain_state_words(domain, &state, &reason);
    return state;
}

static bool
has_incoming_job(virDomainPtr domain)
{
    virTypedParameterPtr params = NULL;
    int count = 0;
    int type = 0;
    int operation = 0;

    if (virDomainGetJobStats(domain, &type, &params, &count, 0) < 0)
        return false;

    bool incoming =
        virTypedParamsGetInt(params, count, VIR_DOMAIN_JOB_OPERATION, &operation) == 1 &&
        operation == VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN && type != VIR_DOMAIN_JOB_NONE;

    virTypedParamsFree(params, count);
    return incoming;
}

static FerryObservedState
observed_paused(virDomainPtr domain, int reason)
{
    switch (reason) {
    case VIR_DOMAIN_PAUSED_POSTCOPY:
        return FERRY_OBSERVED_POSTCOPY;
    case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED:
        return FERRY_OBSERVED_POSTCOPY_FAILED;
    case VIR_DOMAIN_PAUSED_MIGRATION:
    case VIR_DOMAIN_PAUSED_STARTING_UP:
        return has_incoming_job(domain) ? FERRY_OBSERVED_INCOMING : FERRY_OBSERVED_PAUSED_MIGRATION;
    default:
        return has_incoming_job(domain) ? FERRY_OBSERVED_INCOMING : FERRY_OBSERVED_PAUSED;
    }
}

static FerryObservedState
observed_running(int reason)
{
    if (reason == VIR_DOMAIN_RUNNING_POSTCOPY)
        return FERRY_OBSERVED_POSTCOPY;
    if (reason == VIR_DOMAIN_RUNNING_POSTCOPY_FAILED)
        return FERRY_OBSERVED_POSTCOPY_FAILED;
    return FERRY_OBSERVED_RUNNING;
}

FerryObservedState
ferry_virt_domain_observed_state(virDomainPtr domain)
{
    int state = 0;
    int reason = 0;

    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return ferry_virt_error_is(VIR_ERR_NO_DOMAIN) ? FERRY_OBSERVED_ABSENT
                                                      : FERRY_OBSERVED_UNREACHABLE;
    switch (state) {
    case VIR_DOMAIN_RUNNING:
        return observed_running(reason);
    case VIR_DOMAIN_PAUSED:
        return observed_paused(domain, reason);
    case VIR_DOMAIN_SHUTOFF:
        return reason == VIR_DOMAIN_SHUTOFF_MIGRATED ? FERRY_OBSERVED_MIGRATED
                                                     : FERRY_OBSERVED_SHUT_OFF;
    default:
        return FERRY_OBSERVED_OTHER;
    }
}

FerryObservedState
ferry_virt_domain_observe(virConnectPtr connection, const char *uuid)
{
    virDomainPtr found = virDomainLookupByUUIDString(connection, uuid);

    if (!found)
        return ferry_virt_error_is(VIR_ERR_NO_DOMAIN) ? FERRY_OBSERVED_ABSENT
                                                      : FERRY_OBSERVED_UNREACHABLE;

    g_autoptr(virDomain) domain = found;

    return ferry_virt_domain_observed_state(domain);
}

bool
ferry_virt_domain_is_defined(virConnectPtr connection, const char *uuid)
{
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);

    if (!domain)
        return !ferry_virt_error_is(VIR_ERR_NO_DOMAIN);
    return virDomainIsPersistent(domain) != 0;
}

bool
ferry_virt_domain_died_here(virConnectPtr connection, const char *uuid)
{
    int state = 0;
    int reason = 0;
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);

    if (!domain || virDomainGetState(domain, &state, &reason, 0) < 0)
        return false;
    if (state == VIR_DOMAIN_CRASHED)
        return true;
    /* After libvirtd's own restart the reason is forgotten: then this proves nothing. */
    return state == VIR_DOMAIN_SHUTOFF && reason != VIR_DOMAIN_SHUTOFF_UNKNOWN &&
           reason != VIR_DOMAIN_SHUTOFF_MIGRATED && reason != VIR_DOMAIN_SHUTOFF_DAEMON;
}

bool
ferry_virt_domain_is_held(virConnectPtr connection, const char *uuid)
{
    virDomainControlInfo info = {0};
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);

    return domain && virDomainGetControlInfo(domain, &info, 0) == 0 &&
           (info.state == VIR_DOMAIN_CONTROL_JOB || info.state == VIR_DOMAIN_CONTROL_OCCUPIED);
}

bool
ferry_virt_domain_is_busy(virConnectPtr connection, const char *uuid)
{
    virDomainJobInfo info = {0};
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);

    return !domain || virDomainGetJobInfo(domain, &info) < 0 || info.type != VIR_DOMAIN_JOB_NONE;
}
