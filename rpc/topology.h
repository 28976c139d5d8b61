/* topology.h: declares exchanges, queues and bindings as oslo.messaging does.
 *
 * Every function may be repeated. Errors: FERRY_ERROR_CONFIG when the broker forbids it or has
 * something of this name with other settings (406), FERRY_ERROR_DESTINATION_UNREACHABLE otherwise.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-connection.h"
#include "ferry/messaging-options.h"

/* The consumers' tags, which tell deliveries apart; the first three are those of stock servers. */
#define FERRY_CONSUMER_SHARED "1"
#define FERRY_CONSUMER_SERVER "2"
#define FERRY_CONSUMER_FANOUT "3"
#define FERRY_CONSUMER_REPLIES "replies"
#define FERRY_CONSUMER_LISTENER "listener"
#define FERRY_CONSUMER_CLAIM "claim"
#define FERRY_CONSUMER_RIVAL "rival"

/* The queues of a server, besides the shared one. Immutable. */
typedef struct {
    char *own;
    char *fanout;
} FerryServerQueues;

/** Declares the topic exchange of requests and notifications. */
bool ferry_topology_declare_exchange(FerryAmqpConnection *connection,
                                     const FerryMessagingOptions *options,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Declares the exchange that reaches all servers. */
bool ferry_topology_declare_fanout(FerryAmqpConnection *connection,
                                   const FerryMessagingOptions *options,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Has the broker hold back what is more than a few unacknowledged messages of each consumer. Call
 * it before the others. */
bool ferry_topology_limit_prefetch(FerryAmqpConnection *connection,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Declares the three queues of a server. @ret_consumers: those of its own queue, of whomever. */
bool ferry_topology_declare_server(FerryAmqpConnection *connection,
                                   const FerryMessagingOptions *options,
                                   const FerryServerQueues *queues,
                                   guint *ret_consumers,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Consumes from each of them, without waiting. */
bool ferry_topology_serve(FerryAmqpConnection *connection,
                          const FerryServerQueues *queues,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Binds anew what leads to them, without waiting, but for the own queue's binding, whose loss a
 * message to oneself shows. An exchange that is missing ends the connection with a 404. */
bool ferry_topology_refresh(FerryAmqpConnection *connection,
                            const FerryMessagingOptions *options,
                            const FerryServerQueues *queues,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends those consumers and deletes the fanout queue. The two other queues stay, as with stock
 * servers. */
bool ferry_topology_stop_serving(FerryAmqpConnection *connection,
                                 const FerryServerQueues *queues,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
    FERRY_CLAIM_HELD,
    FERRY_CLAIM_TAKEN,     /* another connection has it */
    FERRY_CLAIM_FORBIDDEN, /* the broker's user may not make such a queue */
} FerryClaim;

/** Declares @queue as this connection's alone, until it ends. */
bool ferry_topology_claim(FerryAmqpConnection *connection,
                          const char *queue,
                          FerryClaim *ret_claim,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Consumes from a claim, where others ask whether its holder lives. */
bool ferry_topology_consume_claim(FerryAmqpConnection *connection,
                                  const char *queue,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends a claim with its consumer. */
bool ferry_topology_end_claim(FerryAmqpConnection *connection,
                              const char *queue,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Declares a queue for the answers to such questions and consumes from it. */
bool ferry_topology_await_rival(FerryAmqpConnection *connection,
                                const char *queue,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Declares a queue for answers to our calls and consumes from it, without waiting: requests may
 * be coming, and the library would keep in memory whatever comes before the broker's answer.
 * FERRY_AMQP_CONSUMING tells when it is done. */
bool ferry_topology_await_replies(FerryAmqpConnection *connection,
                                  const FerryMessagingOptions *options,
                                  const char *reply_queue,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool ferry_topology_delete_queue(FerryAmqpConnection *connection,
                                 const char *queue,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Declares an exclusive queue, bound with all of @keys, and consumes from it. The broker deletes
 * it when the connection ends. */
bool ferry_topology_listen(FerryAmqpConnection *connection,
                           const FerryMessagingOptions *options,
                           const char *const *keys,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Declares the queue of @key ("notifications.info"), which keeps notifications while nobody
 * listens. */
bool ferry_topology_declare_notifications(FerryAmqpConnection *connection,
                                          const FerryMessagingOptions *options,
                                          const char *key,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
