/* delivery-handler.h: what to do about a delivery: refuse it, answer it at once, or hand it on.
 *
 * Threads: the consumer's. Talks to the broker only by what it returns.
 */
#pragma once

#include <glib.h>

#include "ferry/bus.h"
#include "incoming.h"
#include "pending-ack.h"
#include "publisher.h"

typedef struct FerryReception FerryReception;

typedef enum {
    FERRY_RECEPTION_ACK,    /* tell the broker now that it was taken */
    FERRY_RECEPTION_REJECT, /* it can never be served: away with it */
    FERRY_RECEPTION_HOLD,   /* acknowledged when the pending acknowledgement is settled */
} FerryReceptionVerdict;

/** @methods: must outlive it. */
FerryReception *
ferry_reception_new(const FerryMethod *methods, FerryPublisher *publisher, FerryPendingAcks *acks);
void ferry_reception_free(FerryReception *reception);

/**
 * ferry_reception_take:
 * @generation: counts connections: a tag is known by it
 * @ret_request: (transfer full) (nullable): what is to be run
 */
FerryReceptionVerdict ferry_reception_take(FerryReception *reception,
                                           const FerryDelivery *delivery,
                                           FerryAddressing addressing,
                                           guint generation,
                                           FerryRequest **ret_request);

/** @ack was settled, whether or not the broker could be told. */
void ferry_reception_settled(FerryReception *reception, const FerryPendingAck *ack);
