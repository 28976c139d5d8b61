/* heartbeats.h: which callers want to hear that their request is still being worked on, and when
 * the next heartbeat to one of them is due. oslo.messaging calls this call monitoring; the
 * heartbeats of AMQP connections are another matter, see amqp-connection.h.
 *
 * Pure; one thread at a time; times are g_get_monotonic_time().
 */
#pragma once

#include <glib.h>

typedef struct FerryHeartbeats FerryHeartbeats;

/** @id: what ferry_heartbeats_add() returned. */
typedef void (*FerryHeartbeatFunc)(guint64 id,
                                   const char *reply_queue,
                                   const char *msg_id,
                                   gpointer user_data);

FerryHeartbeats *ferry_heartbeats_new(void);
void ferry_heartbeats_free(FerryHeartbeats *heartbeats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryHeartbeats, ferry_heartbeats_free)

/** The caller of @msg_id wants a heartbeat every @period_ms, the first one @period_ms from @now_us.
 * Returns: an id to end them by, never 0. */
guint64 ferry_heartbeats_add(FerryHeartbeats *heartbeats,
                             const char *reply_queue,
                             const char *msg_id,
                             guint period_ms,
                             gint64 now_us);

/** Ends the heartbeats of @id. Does nothing for 0 and for an id that was removed before. */
void ferry_heartbeats_remove(FerryHeartbeats *heartbeats, guint64 id);

/** Returns: when the next heartbeat is due; G_MAXINT64 when there is none to come. */
gint64 ferry_heartbeats_next_us(const FerryHeartbeats *heartbeats);

/** Calls @func once for each caller whose heartbeat is due, even when several periods of it have
 * passed. */
void ferry_heartbeats_call_due(FerryHeartbeats *heartbeats,
                               gint64 now_us,
                               FerryHeartbeatFunc func,
                               gpointer user_data);
