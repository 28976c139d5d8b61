/* dispatch.h: finds the method that a message asks for and checks its arguments, by the rules of a
 * stock oslo.messaging server. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "failure.h"
#include "ferry/bus.h"

/* A stock server's own method for liveness tests; answered "pong" by the bus itself. */
#define FERRY_STOCK_PING "oslo_rpc_server_ping"

/** Returns: (nullable): the method of this name, of @methods or FERRY_STOCK_PING's. */
const FerryMethod *ferry_dispatch_find(const FerryMethod *methods, const char *name);

/**
 * ferry_dispatch:
 * @methods: ends with a NULL name
 * @ret_method: (transfer none): the method; one named FERRY_STOCK_PING is not of @methods
 * @ret_failure: (transfer full): what to answer when false is returned
 */
bool ferry_dispatch(const FerryMethod *methods,
                    const json_t *message,
                    FerryAddressing addressing,
                    const FerryMethod **ret_method,
                    FerryFailure **ret_failure) G_GNUC_WARN_UNUSED_RESULT;
