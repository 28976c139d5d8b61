/* records.h: finds the records of a migration on one host or on all. Main thread. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "session.h"

/* Which of its migrations the name of an instance means. */
typedef enum {
    FERRY_RECORDS_NEWEST,
    FERRY_RECORDS_OPEN, /* the one that is under way */
    FERRY_RECORDS_IN_ERROR,
} FerryRecordsMeant;

/**
 * ferry_records_find:
 * @host: (nullable): the only host to ask; NULL: every agent that answers
 * @name: a migration's id, the beginning of one, or the name or UUID of an instance
 * @error: FERRY_ERROR_MIGRATION_NOT_FOUND when all answered and none has it, with the nearest
 *   name; FERRY_ERROR_INVALID_REQUEST when several are meant;
 *   FERRY_ERROR_DESTINATION_UNREACHABLE when none has it and not all answered
 * Returns: (transfer full): array of the records, the source's before the destination's.
 */
json_t *ferry_records_find(FerrySession *session,
                           const char *host,
                           const char *name,
                           FerryRecordsMeant meant,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
