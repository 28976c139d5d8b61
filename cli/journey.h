/* journey.h: what is known of one migration while it is followed. Takes its events, and its record
 * where events were missed, and drops what is older than what it has. Pure; one thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/status.h"

typedef struct FerryJourney FerryJourney;

/** @source: the host whose agent leads the migration; events of other hosts are ignored. */
FerryJourney *ferry_journey_new(const char *migration_id, const char *source);
void ferry_journey_free(FerryJourney *journey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryJourney, ferry_journey_free)

/**
 * ferry_journey_take_event:
 * @body: (transfer none): any notification
 * Returns: true when @body is about this migration, from its source, and newer than all before.
 */
bool ferry_journey_take_event(FerryJourney *journey, const json_t *body);

/** Does the same with @record, an answer to get_migration. */
bool ferry_journey_take_record(FerryJourney *journey, const json_t *record);

/** Returns: true once the status is terminal; nothing is taken after that. */
bool ferry_journey_is_over(const FerryJourney *journey);

/** Returns: the status; FERRY_STATUS_ACCEPTED until something was taken. */
FerryStatus ferry_journey_status(const FerryJourney *journey);

/** Returns: (transfer none) (nullable): the newest payload or record: instance, source,
 * destination, status, phase, progress, error, and the report at the end. */
const json_t *ferry_journey_latest(const FerryJourney *journey);
