/* send-queue.h: what waits to be published, in order of urgency: answers and calls, then
 * notifications, then samples; and the pulses whose beats travel with the answers.
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

/** From now on everything pushed is dropped. */
void ferry_send_queue_close(FerrySendQueue *queue);

/** Frees what waits. */
void ferry_send_queue_clear(FerrySendQueue *queue);
bool ferry_send_queue_is_closed(FerrySendQueue *queue);

/** @outgoing: (transfer full). An answer ends its pulse; a sample replaces the one of the same key
 * that still waits. */
void ferry_send_queue_push(FerrySendQueue *queue, FerryOutgoing *outgoing);

/** @notifications: whether those may be taken now. Returns: (transfer full) (nullable). */
FerryOutgoing *ferry_send_queue_take(FerrySendQueue *queue, bool notifications);

/** Before everything else of its kind. @outgoing: (transfer full). */
void ferry_send_queue_put_back(FerrySendQueue *queue, FerryOutgoing *outgoing);

/** Tells that nothing more will be done about @outgoing, which had been taken. */
void ferry_send_queue_settle(FerrySendQueue *queue, const FerryOutgoing *outgoing);

/** Waits until all answers and notifications are settled, or the time is over. */
bool ferry_send_queue_flush(FerrySendQueue *queue, guint timeout_ms);

bool ferry_send_queue_has_notifications(FerrySendQueue *queue);

/** Returns: the pulse's name, never 0. */
guint64 ferry_send_queue_add_pulse(FerrySendQueue *queue,
                                   const char *reply_queue,
                                   const char *msg_id,
                                   guint period_ms);
void ferry_send_queue_remove_pulse(FerrySendQueue *queue, guint64 id);

/** Returns: g_get_monotonic_time() of the next beat, or G_MAXINT64. */
gint64 ferry_send_queue_next_beat_us(FerrySendQueue *queue);

/** Queues the beats that are due. Called only while they can be sent: a caller needs the latest,
 * not those of an outage. They wait among the answers, so none comes after its answer. */
void ferry_send_queue_queue_beats(FerrySendQueue *queue);
