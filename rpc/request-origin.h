/* request-origin.h: how the bus makes requests; what the rest of the world does with them is in
 * ferry/request.h. Any thread.
 */
#pragma once

#include "failure.h"
#include "ferry/request.h"
#include "incoming.h"
#include "pending-ack.h"
#include "publisher.h"

/**
 * ferry_request_new:
 * @incoming: (transfer full)
 * @ack: (nullable) (transfer full): what an answer settles; NULL when the delivery is
 *   acknowledged already
 * Begins the heartbeats that the caller asked for.
 */
FerryRequest *ferry_request_new(FerryIncoming *incoming,
                                FerryAddressing addressing,
                                FerryPublisher *publisher,
                                FerryPendingAck *ack);

/** Answers with @failure: (transfer none). */
void ferry_request_refuse(FerryRequest *request, const FerryFailure *failure);

/** Gives the request up without answer and without acknowledgement: if it still owes one, the
 * broker hands it to the next process that serves. */
void ferry_request_abandon(FerryRequest *request);

/** Returns: true when an acknowledgement is still owed. */
bool ferry_request_is_owing(const FerryRequest *request);
