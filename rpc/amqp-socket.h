/* amqp-socket.h: the socket below a connection: TCP or TLS. */
#pragma once

#include <stdbool.h>

#include "amqp-auto.h"
#include "transport.h"

/**
 * ferry_amqp_socket_open:
 * @error: FERRY_ERROR_CONFIG when a certificate or key file cannot be used,
 *   FERRY_ERROR_DESTINATION_UNREACHABLE when the broker is not there or is not who it should be
 */
bool ferry_amqp_socket_open(FerryAmqpState *state,
                            const FerryTransport *transport,
                            const FerryBroker *broker,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
