/* amqp-socket.h: the socket below a connection: TCP or TLS. */
#pragma once

#include <stdbool.h>

#include "amqp-auto.h"
#include "transport.h"

/**
 * ferry_amqp_socket_open:
 * @error: FERRY_ERROR_CONFIG when a certificate or key file cannot be used,
 *   FERRY_ERROR_DESTINATION_UNREACHABLE when the broker does not listen or
 *   its certificate is not the right one
 */
bool ferry_amqp_socket_open(FerryAmqpState *state,
                            const FerryTransport *transport,
                            const FerryBroker *broker,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
