/* topology.h: exchanges, queues and bindings, declared as stock oslo.messaging declares them.
 *
 * Everything is idempotent. Errors: FERRY_ERROR_CONFIG when the broker has something of this name
 * with other settings (406) or forbids it, FERRY_ERROR_DESTINATION_UNREACHABLE otherwise.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-connection.h"
#include "ferry/messaging-options.h"

/* Tags of the consumers, by which deliveries are told apart; the first three are stock's. */
#define FERRY_CONSUMER_SHARED "1"
#define FERRY_CONSUMER_SERVER "2"
#define FERRY_CONSUMER_FANOUT "3"
#define FERRY_CONSUMER_REPLIES "replies"
#define FERRY_CONSUMER_LISTENER "listener"

/** The topic exchange of requests and notifications. */
bool ferry_topology_declare_exchange(FerryAmqpConnection *connection,
                                     const FerryMessagingOptions *options,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The exchange that reaches all servers. */
bool ferry_topology_declare_fanout(FerryAmqpConnection *connection,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The three queues of a server, and a consumer on each. */
bool ferry_topology_serve(FerryAmqpConnection *connection,
                          const FerryMessagingOptions *options,
                          const char *server,
                          const char *fanout_queue,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends those consumers and deletes the fanout queue; the two others stay, as stock's do. */
bool ferry_topology_stop_serving(FerryAmqpConnection *connection,
                                 const char *fanout_queue,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** A queue for answers to own calls, and a consumer on it. */
bool ferry_topology_await_replies(FerryAmqpConnection *connection,
                                  const FerryMessagingOptions *options,
                                  const char *reply_queue,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool ferry_topology_delete_queue(FerryAmqpConnection *connection,
                                 const char *queue,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** An exclusive queue bound with all of @keys, and a consumer on it; gone with the connection. */
bool ferry_topology_listen(FerryAmqpConnection *connection,
                           const FerryMessagingOptions *options,
                           const char *const *keys,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The queue of @key ("notifications.info"), so that nothing is lost while nobody listens. */
bool ferry_topology_declare_notifications(FerryAmqpConnection *connection,
                                          const FerryMessagingOptions *options,
                                          const char *key,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
