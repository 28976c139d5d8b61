/* amqp-publish.h: publishes one message, with exchange, routing key, properties and body as
 * oslo.messaging's driver and bare clients expect them.
 *
 * Threads: the connection's own.
 */
#pragma once

#include "amqp-connection.h"
#include "outgoing.h"

/** Writes the message to the connection. The broker's confirm comes later, as an event.
 * @outgoing: encoded; its deadline, seen from @now_us, becomes the message's expiration
 * @now_us: g_get_monotonic_time() */
bool ferry_amqp_publish(FerryAmqpConnection *connection,
                        const FerryOutgoing *outgoing,
                        gint64 now_us,
                        GError **error);
