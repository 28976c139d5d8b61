/* allowed-destination.h: the hosts that this one may send to and ask. Pure, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ferry/config.h"

/** @host: (nullable). Returns: true where [migration] allowed_destinations matches it. */
bool ferry_destination_is_allowed(const FerryConfig *config, const char *host);

/**
 * ferry_destination_check_allowed:
 * @host: (nullable): of an order
 * @error: FERRY_ERROR_INVALID_REQUEST: it is no name of a host;
 *   FERRY_ERROR_DESTINATION_NOT_ALLOWED: it is this host, or not among those allowed
 */
bool ferry_destination_check_allowed(const FerryConfig *config,
                                     const char *host,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
