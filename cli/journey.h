/* journey.h: what is known of one migration while it is followed: the events as they come, and the
 * record where events were missed, brought into one order. Pure; one thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/status.h"

typedef struct FerryJourney FerryJourney;

/** @source: the host whose agent leads the migration; events of others are not ours. */
FerryJourney *ferry_journey_new(const char *migration_id, const char *source);
void ferry_journey_free(FerryJourney *journey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryJourney, ferry_journey_free)

/**
 * ferry_journey_take_event:
 * @body: (transfer none): a notification from whomever about whatever
 * Returns: true when it is about this migration, by its source, and newer than all before it.
 */
bool ferry_journey_take_event(FerryJourney *journey, const json_t *body);

/** The same for @record, an answer to get_migration. */
bool ferry_journey_take_record(FerryJourney *journey, const json_t *record);

/** Returns: true once the status is one that nothing follows by itself. Nothing is taken then. */
bool ferry_journey_is_over(const FerryJourney *journey);

/** Returns: FERRY_STATUS_ACCEPTED until something else was heard. */
FerryStatus ferry_journey_status(const FerryJourney *journey);

/** Returns: (transfer none) (nullable): the newest payload or record: instance, source,
 * destination, status, phase, progress, error, and the report at the end. */
const json_t *ferry_journey_latest(const FerryJourney *journey);
