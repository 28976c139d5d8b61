/* request-origin.h: what only rpc/ does with requests: creates, refuses and abandons them. The rest
 * is in ferry/request.h. Any thread.
 */
#pragma once

#include "failure.h"
#include "ferry/request.h"
#include "incoming.h"
#include "load.h"
#include "pending-ack.h"
#include "publisher.h"

/**
 * ferry_request_new:
 * @incoming: (transfer full)
 * @ack: (nullable) (transfer full): is settled by the answer; NULL when the delivery is
 *   acknowledged already
 * @load: (nullable): has its weight while it lives
 * Starts the heartbeats that the caller asked for. Returns: (transfer full).
 */
FerryRequest *ferry_request_new(FerryIncoming *incoming,
                                FerryAddressing addressing,
                                FerryPublisher *publisher,
                                FerryPendingAck *ack,
                                FerryLoad *load);

/** Answers with @failure: (transfer none). */
void ferry_request_refuse(FerryRequest *request, const FerryFailure *failure);

/** Nobody will answer @request. If its delivery is not acknowledged yet, the broker delivers it to
 * the next process that serves. */
void ferry_request_abandon(FerryRequest *request);

/** Returns: true when the delivery of @request is still to be acknowledged. */
bool ferry_request_is_owing(const FerryRequest *request);
