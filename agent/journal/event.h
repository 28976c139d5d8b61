/* event.h: the format of events: what the payload of each holds. Who sends them, and to whom, is
 * runtime/notification.h; how they get to the broker at least once is outbox.h.
 *
 * Pure; any thread.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "journal/record.h"

/** Returns: (transfer full): of a numbered event about @record. */
json_t *ferry_event_payload(const FerryRecord *record, gint64 seq);

/** Returns: (transfer full): of a sample: it has the number of the last event, and @sample of its
 * own. @now_us: UTC. */
json_t *ferry_event_sample_payload(const FerryRecord *record, guint64 sample, gint64 now_us);

/** Returns: (transfer full): of agent.started and agent.stopped. @now_us: UTC. */
json_t *ferry_event_agent_payload(const char *host, gint64 now_us);
