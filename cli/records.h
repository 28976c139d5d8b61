/* records.h: finds the records of a migration on one host or on all. Main thread. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "session.h"

/**
 * ferry_records_find:
 * @host: (nullable): the only host to ask; NULL: every agent that answers
 * @error: FERRY_ERROR_MIGRATION_NOT_FOUND when all answered and none has it;
 *   FERRY_ERROR_DESTINATION_UNREACHABLE when none has it and not all answered
 * Returns: (transfer full): array of the records, the source's before the destination's.
 */
json_t *ferry_records_find(FerrySession *session,
                           const char *host,
                           const char *migration_id,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
