/* pending-ack.h: the acknowledgement that a request still owes the broker.
 *
 * The agent settles it once its journal has the order; the consumer's thread then acknowledges the
 * delivery. A delivery tag is valid only on the connection it came by. When the broker delivers
 * the same message again on a later connection, the pending acknowledgement gets the new tag, so
 * that what is acknowledged is the work that was done and not merely the last delivery.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "wakeup.h"

/* Pending acknowledgements that are settled and wait for the consumer's thread. Reference counted;
 * any thread. */
typedef struct FerryPendingAcks FerryPendingAcks;

/* Reference counted. */
typedef struct {
    FerryPendingAcks *acks;
    char *identity; /* nullable */
    gint settled;   /* atomic */
    /* Consumer's thread only. */
    guint generation; /* number of the connection that @tag belongs to */
    guint64 tag;
} FerryPendingAck;

/** @wakeup: (transfer none): signalled whenever one is settled. */
FerryPendingAcks *ferry_pending_acks_new(FerryWakeup *wakeup);
FerryPendingAcks *ferry_pending_acks_ref(FerryPendingAcks *acks);
void ferry_pending_acks_unref(FerryPendingAcks *acks);

/** The consumer's thread has ended: nobody acknowledges anything any more. */
void ferry_pending_acks_close(FerryPendingAcks *acks);

/** Returns: (transfer full) (nullable): the settled one that is acknowledged next. */
FerryPendingAck *ferry_pending_acks_take(FerryPendingAcks *acks);

/** @identity: (nullable): names the message in a redelivery, too. Returns: (transfer full). */
FerryPendingAck *
ferry_pending_ack_new(FerryPendingAcks *acks, const char *identity, guint generation, guint64 tag);
FerryPendingAck *ferry_pending_ack_ref(FerryPendingAck *ack);
void ferry_pending_ack_unref(FerryPendingAck *ack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPendingAck, ferry_pending_ack_unref)

/** Hands @ack to the consumer's thread, which acknowledges the delivery. Any thread; calls after
 * the first do nothing. */
void ferry_pending_ack_settle(FerryPendingAck *ack);
bool ferry_pending_ack_is_settled(const FerryPendingAck *ack);
