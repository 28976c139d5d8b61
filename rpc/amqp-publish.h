/* amqp-publish.h: one message onto the wire: exchange, routing key, properties and body as
 * oslo.messaging's driver and bare clients expect them.
 *
 * Threads: the connection's own.
 */
#pragma once

#include "amqp-connection.h"
#include "outgoing.h"

/** Hands the message to the connection; whether the broker has it, its confirm tells.
 * @outgoing: encoded. @now_us: of the monotonic clock; its deadline becomes an expiration. */
bool ferry_amqp_publish(FerryAmqpConnection *connection,
                        const FerryOutgoing *outgoing,
                        gint64 now_us,
                        GError **error);
