/* delivery-handler.h: decides what happens to a delivered request: refused, answered at once,
 * handed on to be run, or left to the broker while too many are; and whether its delivery is
 * acknowledged now.
 *
 * Threads: the consumer's. The caller acknowledges or rejects, as the returned action says.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ferry/bus.h"
#include "incoming.h"
#include "pending-ack.h"
#include "publisher.h"

typedef struct FerryDeliveryHandler FerryDeliveryHandler;

typedef enum {
    FERRY_DELIVERY_ACK,    /* acknowledge it now */
    FERRY_DELIVERY_REJECT, /* reject it: it can never be served */
    FERRY_DELIVERY_HOLD,   /* neither: a pending acknowledgement is settled later */
    FERRY_DELIVERY_LATER,  /* neither: give it back to the broker when the handler has room */
} FerryDeliveryAction;

/** @methods: must outlive the handler. @publisher: for answers that need no run. */
FerryDeliveryHandler *ferry_delivery_handler_new(const FerryMethod *methods,
                                                 FerryPublisher *publisher,
                                                 FerryPendingAcks *acks);
void ferry_delivery_handler_free(FerryDeliveryHandler *handler);

/**
 * ferry_delivery_handler_take:
 * @generation: number of the connection that @delivery came by; its tag is valid on that one only
 * @ret_request: (transfer full) (nullable): the request that is to be run
 * Returns: what to tell the broker about @delivery.
 */
FerryDeliveryAction ferry_delivery_handler_take(FerryDeliveryHandler *handler,
                                                const FerryDelivery *delivery,
                                                FerryAddressing addressing,
                                                guint generation,
                                                FerryRequest **ret_request);

/** Returns: true when requests that were given back may come again. */
bool ferry_delivery_handler_has_room(FerryDeliveryHandler *handler);

/** @ack was settled, whether or not the broker could be told of it. */
void ferry_delivery_handler_ack_settled(FerryDeliveryHandler *handler, const FerryPendingAck *ack);
