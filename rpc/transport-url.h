/* transport-url.h: parses rabbit://user:pass@host:port[,...]/vhost?option=value. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "transport.h"

/**
 * ferry_transport_url_parse:
 * @transport: gets the brokers and the vhost; the options of the query are set in its options
 * @error: FERRY_ERROR_CONFIG
 */
bool ferry_transport_url_parse(const char *url,
                               FerryTransport *transport,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
