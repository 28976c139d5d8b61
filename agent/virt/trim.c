#include "config.h"

#include "virt/trim.h"

#include "ferry/error.h"
#include "virt/error.h"
#include "virt/time-limits.h"

bool
ferry_virt_trim(virDomainPtr domain, GError **error)
{
    const char *name = virDomainGetName(domain);
    int state = VIR_DOMAIN_NOSTATE;

    virDomainGetState(domain, &state, NULL, 0);
    /* An agent in a guest that stands still would be waited for in vain. */
    if (state != VIR_DOMAIN_RUNNING) {
        ferry_set_error(error, FERRY_ERROR_INSTANCE_INVALID_STATE, "Let it run first",
                        "The instance '%s' does not run, so nothing in it can trim", name);
        return false;
    }
    /* Where libvirt cannot set a limit the caller's own holds. */
    virDomainAgentSetResponseTimeout(domain, FERRY_TRIM_LIMIT_S, 0);

    bool trimmed = virDomainFSTrim(domain, /* mountPoint= */ NULL, /* minimum= */ 0, 0) == 0;

    if (!trimmed)
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "The file systems of '%s' cannot be trimmed", name);
    virDomainAgentSetResponseTimeout(domain, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK, 0);
    return trimmed;
}
