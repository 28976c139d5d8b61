/* send-queue.h: messages that wait to be published. Three classes leave in this order: answers,
 * heartbeats, calls and surveys; notifications; samples.
 *
 * The queue also knows which callers want heartbeats. These wait in the class of the answers, so
 * none is sent after the answer that ends them.
 *
 * Threads: any; guarded inside.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "outgoing.h"

typedef struct FerrySendQueue FerrySendQueue;

FerrySendQueue *ferry_send_queue_new(void);
void ferry_send_queue_free(FerrySendQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerrySendQueue, ferry_send_queue_free)

/** Every message that is pushed from now on is freed at once. */
void ferry_send_queue_close(FerrySendQueue *queue);

/** Frees the messages that wait. */
void ferry_send_queue_clear(FerrySendQueue *queue);
bool ferry_send_queue_is_closed(FerrySendQueue *queue);

/** Adds @outgoing (transfer full) behind the others of its class. An answer ends the heartbeats of
 * its caller. A sample replaces a waiting one of the same replace_key. */
void ferry_send_queue_push(FerrySendQueue *queue, FerryOutgoing *outgoing);

/** Takes the message that is to be published next; the taker settles it or puts it back.
 * @notifications: whether a notification may be taken now
 * Returns: (transfer full) (nullable). */
FerryOutgoing *ferry_send_queue_take(FerrySendQueue *queue, bool notifications);

/** Puts @outgoing (transfer full) before all others of its class. */
void ferry_send_queue_put_back(FerrySendQueue *queue, FerryOutgoing *outgoing);

/** Nothing more will be done about @outgoing, which was taken: ferry_send_queue_flush() no longer
 * waits for it. */
void ferry_send_queue_settle(FerrySendQueue *queue, const FerryOutgoing *outgoing);

/** Waits until all answers and notifications are settled, or @timeout_ms are over.
 * Returns: true when they are. */
bool ferry_send_queue_flush(FerrySendQueue *queue, guint timeout_ms);

/** Returns: how many answers and notifications are not settled. */
guint ferry_send_queue_unsettled(FerrySendQueue *queue);

bool ferry_send_queue_has_notifications(FerrySendQueue *queue);

/** The caller of @msg_id wants a heartbeat every @period_ms. Returns: their id, never 0; the answer
 * carries it as heartbeat_id. */
guint64 ferry_send_queue_add_heartbeat(FerrySendQueue *queue,
                                       const char *reply_queue,
                                       const char *msg_id,
                                       guint period_ms);
void ferry_send_queue_remove_heartbeat(FerrySendQueue *queue, guint64 id);

/** Returns: g_get_monotonic_time() of the next heartbeat, or G_MAXINT64. */
gint64 ferry_send_queue_next_heartbeat_us(FerrySendQueue *queue);

/** Adds the heartbeats that are due. Call it only while messages can be published: a caller has no
 * use for the heartbeats of an outage that is over. */
void ferry_send_queue_push_due_heartbeats(FerrySendQueue *queue);
