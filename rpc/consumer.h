/* consumer.h: the thread that takes messages from the broker: requests, answers, notifications.
 *
 * Reference counted. Threads: any, unless said otherwise; events come in the consumer's thread.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/bus.h"
#include "publisher.h"
#include "transport.h"

typedef struct FerryConsumer FerryConsumer;

typedef struct {
    /* @request: (transfer full). */
    void (*request)(FerryRequest *request, gpointer user_data);
    /* An answer to one of our calls. @message: (transfer none). */
    void (*reply)(json_t *message, gpointer user_data);
    /* Whether the queue for answers is there. */
    void (*replies_ready)(bool ready, gpointer user_data);
    /* @body: (transfer full). */
    void (*notification)(json_t *body, gpointer user_data);
    /* Another agent serves under our name, and did so before us: nothing is served. @error: which
     * one. */
    void (*rival)(const GError *error, gpointer user_data);
    /* @reason: why the connection is down; NULL when it is up. */
    void (*state)(const GError *reason, gpointer user_data);
} FerryConsumerEvents;

/** @events: must outlive the consumer. @publisher: for requests that are answered at once. */
FerryConsumer *ferry_consumer_new(FerryTransport *transport,
                                  FerryPublisher *publisher,
                                  const FerryConsumerEvents *events,
                                  gpointer user_data);
FerryConsumer *ferry_consumer_ref(FerryConsumer *consumer);
void ferry_consumer_unref(FerryConsumer *consumer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryConsumer, ferry_consumer_unref)

/** Makes it serve @methods (must outlive the consumer) as @server. Call it before start. */
void ferry_consumer_serve(FerryConsumer *consumer, const char *server, const FerryMethod *methods);

/** Makes it listen for notifications with these routing keys. Call it before start. */
void ferry_consumer_listen(FerryConsumer *consumer, const char *const *keys);

void ferry_consumer_start(FerryConsumer *consumer);

/** Has the thread declare a queue for answers; events.replies_ready says when it is there. */
void ferry_consumer_request_replies(FerryConsumer *consumer);

/** Returns: (transfer none): the name of the queue for answers; immutable. */
const char *ferry_consumer_reply_queue(const FerryConsumer *consumer);

/** Ends the consumers of requests. Waits for the broker @timeout_ms at most; no request is handed
 * on after this. */
void ferry_consumer_stop_serving(FerryConsumer *consumer, guint timeout_ms);

/** Joins the thread. */
void ferry_consumer_stop(FerryConsumer *consumer);
