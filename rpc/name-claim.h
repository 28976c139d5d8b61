/* name-claim.h: an agent's claim on its name at the broker: an exclusive queue, which only one
 * connection can have. Whoever does not get it asks the holder. A holder that answers is another
 * agent; one that is silent is a connection that has ended and that the broker has not missed yet,
 * mostly our own of a moment ago.
 *
 * An agent of an earlier version claims nothing, but it consumes from the server's queue. It is
 * found by that, and asked there.
 *
 * Threads: the consumer's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-connection.h"
#include "incoming.h"
#include "publisher.h"

typedef struct FerryNameClaim FerryNameClaim;

/** @publisher: by which the holder is asked. */
FerryNameClaim *ferry_name_claim_new(const char *server, FerryPublisher *publisher);
void ferry_name_claim_free(FerryNameClaim *claim);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryNameClaim, ferry_name_claim_free)

/** On a new @connection that consumes nothing yet, whose server's queue has @consumers: claims the
 * name, and asks whoever has it. */
bool ferry_name_claim_begin(FerryNameClaim *claim,
                            FerryAmqpConnection *connection,
                            guint consumers,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true while nothing may be served: another agent has the name, or that is not known. */
bool ferry_name_claim_is_open(const FerryNameClaim *claim);

/** Asks for the name again where it is not ours and it is time. */
bool ferry_name_claim_tend(FerryNameClaim *claim,
                           FerryAmqpConnection *connection,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: g_get_monotonic_time() of the next ferry_name_claim_tend(), or G_MAXINT64. */
gint64 ferry_name_claim_due_us(const FerryNameClaim *claim);

/**
 * ferry_name_claim_take:
 * @delivery: an answer to a question of ours
 * @ret_first: whether we never had the name, so the other agent was there first
 * Returns: (transfer full) (nullable): which agent has the name, when this is news.
 */
GError *
ferry_name_claim_take(FerryNameClaim *claim, const FerryDelivery *delivery, bool *ret_first);

/** Gives the name back, before its connection is closed. */
bool ferry_name_claim_end(FerryNameClaim *claim,
                          FerryAmqpConnection *connection,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
