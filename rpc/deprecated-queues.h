/* deprecated-queues.h: RabbitMQ 4 goes on taking queues that are neither durable nor exclusive, as
 * oslo.messaging declares those of answers and fanout by default, and warns in its own log that it
 * will not for ever (deprecated feature transient_nonexcl_queues). Said here before it stops.
 *
 * Threads: any.
 */
#pragma once

#include "amqp-connection.h"
#include "ferry/messaging-options.h"

/** @properties: (nullable): what a broker says of itself. Returns: the first number of RabbitMQ's
 * version; 0 for any other product. */
guint ferry_rabbitmq_major(const amqp_table_t *properties);

/** Warns, once in the life of the process, where the broker of @connection is RabbitMQ 4 or newer
 * and @options declare such queues. */
void ferry_deprecated_queues_warn(FerryAmqpConnection *connection,
                                  const FerryMessagingOptions *options);
