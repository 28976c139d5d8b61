/* publisher.h: the thread that publishes, and tells of each message what became of it.
 *
 * It does not wait for one confirm before it publishes the next message. Messages that are not
 * confirmed when the connection is lost are published again on the next one, in the same order.
 * Answers go before notifications, notifications before samples. Reference counted: a request may
 * live longer than the bus; its answer is then freed unpublished.
 *
 * Threads: any, unless said otherwise.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "outgoing.h"
#include "transport.h"

typedef struct FerryPublisher FerryPublisher;

/** Called in the publisher's thread. @reason: why the connection is down; NULL when it is up. */
typedef void (*FerryPublisherStateFunc)(const GError *reason, gpointer user_data);

FerryPublisher *
ferry_publisher_new(FerryTransport *transport, FerryPublisherStateFunc state, gpointer user_data);
FerryPublisher *ferry_publisher_ref(FerryPublisher *publisher);
void ferry_publisher_unref(FerryPublisher *publisher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPublisher, ferry_publisher_unref)

void ferry_publisher_start(FerryPublisher *publisher);

/** Joins the thread. Messages that wait, and all that follow, are freed unpublished. */
void ferry_publisher_stop(FerryPublisher *publisher);

/** Publishes @outgoing (transfer full). An answer ends the heartbeats of its heartbeat_id. */
void ferry_publisher_push(FerryPublisher *publisher, FerryOutgoing *outgoing);

/** Sends a heartbeat to the caller of @msg_id every @period_ms, until an answer ends them or
 * @reply_queue is gone. Returns: their id, never 0, for the answer's heartbeat_id. */
guint64 ferry_publisher_add_heartbeat(FerryPublisher *publisher,
                                      const char *reply_queue,
                                      const char *msg_id,
                                      guint period_ms);

/** Returns: true when so many messages wait for the broker that no more should be caused. */
bool ferry_publisher_is_crowded(FerryPublisher *publisher);

/** Waits until all answers and notifications are confirmed, or @timeout_ms are over. */
bool ferry_publisher_flush(FerryPublisher *publisher, guint timeout_ms);
