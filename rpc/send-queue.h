/* send-queue.h: what waits to be published, in order of urgency: answers and calls, then
 * notifications, then samples; and the pulses whose beats travel with the answers.
 *
 * Threads: any; guarded inside.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "outgoing.h"

typedef struct FerryLanes FerryLanes;

FerryLanes *ferry_lanes_new(void);
void ferry_lanes_free(FerryLanes *lanes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryLanes, ferry_lanes_free)

/** From now on everything pushed is dropped. */
void ferry_lanes_close(FerryLanes *lanes);

/** Frees what waits. */
void ferry_lanes_clear(FerryLanes *lanes);
bool ferry_lanes_is_closed(FerryLanes *lanes);

/** @outgoing: (transfer full). An answer ends its pulse; a sample replaces the one of the same key
 * that still waits. */
void ferry_lanes_push(FerryLanes *lanes, FerryOutgoing *outgoing);

/** @notifications: whether those may be taken now. Returns: (transfer full) (nullable). */
FerryOutgoing *ferry_lanes_take(FerryLanes *lanes, bool notifications);

/** Before everything else of its kind. @outgoing: (transfer full). */
void ferry_lanes_put_back(FerryLanes *lanes, FerryOutgoing *outgoing);

/** Tells that nothing more will be done about @outgoing, which had been taken. */
void ferry_lanes_settle(FerryLanes *lanes, const FerryOutgoing *outgoing);

/** Waits until all answers and notifications are settled, or the time is over. */
bool ferry_lanes_flush(FerryLanes *lanes, guint timeout_ms);

bool ferry_lanes_have_notifications(FerryLanes *lanes);

/** Returns: the pulse's name, never 0. */
guint64 ferry_lanes_add_pulse(FerryLanes *lanes,
                              const char *reply_queue,
                              const char *msg_id,
                              guint period_ms);
void ferry_lanes_remove_pulse(FerryLanes *lanes, guint64 id);

/** Returns: g_get_monotonic_time() of the next beat, or G_MAXINT64. */
gint64 ferry_lanes_next_beat_us(FerryLanes *lanes);

/** Queues the beats that are due. Called only while they can be sent: a caller needs the latest,
 * not those of an outage. Sharing the answers' lane, none can come after its answer. */
void ferry_lanes_queue_beats(FerryLanes *lanes);
