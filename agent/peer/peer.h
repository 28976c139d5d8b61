/* peer.h: what a source asks of the destination's agent. Every method asked here is idempotent, so
 * a question without an answer is asked again.
 *
 * Threads: any but main; blocks.
 */
#pragma once

#include <gio/gio.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/bus.h"
#include "model/outcome.h"
#include "runtime/agent.h"

/**
 * ferry_peer_call:
 * @call: its @args are taken. Its @timeout_ms: how long to go on asking while the peer or its
 *   libvirt does not answer, with back-off; 0: once. Where the broker itself was away: [migration]
 *   outcome_timeout, if that is longer. Without a @cancellable the agent's own ends it
 * @error: the peer's own error; FERRY_ERROR_DESTINATION_UNREACHABLE, FERRY_ERROR_CANCELLED
 * Returns: (transfer full): the result.
 */
json_t *ferry_peer_call(const FerryAgent *agent,
                        const FerryCall *call,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when @error says that the peer, its libvirt or its journal does not answer. */
bool ferry_peer_is_silent(const GError *error);

/** Returns: true when @error is the peer's word that it cannot yet: it is to be asked again. */
bool ferry_peer_is_busy(const GError *error);

/** Returns: what the peer's libvirt shows of the domain; FERRY_OBSERVED_UNREACHABLE when it cannot
 * be asked. Asks once.
 * @ret_reason: (nullable): libvirt's word why it is in that state; NULL where nobody says */
FerryObservedState ferry_peer_observe(const FerryAgent *agent,
                                      const char *host,
                                      const char *instance_uuid,
                                      char **ret_reason,
                                      GCancellable *cancellable);
