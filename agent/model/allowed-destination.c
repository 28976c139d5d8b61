#include "config.h"

#include "model/allowed-destination.h"

#include "ferry/error.h"
#include "ferry/messaging-options.h"

#include <string.h>

bool
ferry_destination_is_allowed(const FerryConfig *config, const char *host)
{
    for (char **glob = config->allowed_destinations; host && *glob; glob++)
        if (g_pattern_match_simple(*glob, host))
            return true;
    return false;
}

bool
ferry_destination_check_allowed(const FerryConfig *config, const char *host, GError **error)
{
    if (!host || !host[0]) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "Give the destination's host name",
                        "The order names no destination");
        return false;
    }
    if (strlen(host) > FERRY_HOST_NAME_MAX) {
        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, "Give the destination's host name",
                        "The destination's name has %zu bytes; no agent's has more than %d",
                        strlen(host), FERRY_HOST_NAME_MAX);
        return false;
    }
    if (g_strcmp0(host, config->host) == 0) {
        ferry_set_error(error, FERRY_ERROR_DESTINATION_NOT_ALLOWED, "Name another host",
                        "The destination '%s' is the source itself", host);
        return false;
    }
    if (ferry_destination_is_allowed(config, host))
        return true;
    ferry_set_error(error, FERRY_ERROR_DESTINATION_NOT_ALLOWED,
                    "[migration] allowed_destinations on the source lists what is allowed",
                    "The destination '%s' is not allowed on '%s'", host, config->host);
    return false;
}
