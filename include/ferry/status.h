/* status.h: the statuses, phases and roles of a migration, and which status may follow which.
 *
 * The names are those of nova's migrations table. Journal and messages hold the strings, never the
 * numbers.
 * Pure: no state, any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    FERRY_ROLE_SOURCE,
    FERRY_ROLE_DESTINATION,
} FerryRole;

typedef enum {
    /* Of a source's record. */
    FERRY_STATUS_ACCEPTED,
    FERRY_STATUS_QUEUED,
    FERRY_STATUS_PREPARING, /* both roles */
    FERRY_STATUS_RUNNING,
    FERRY_STATUS_POST_MIGRATING,
    FERRY_STATUS_COMPLETED, /* both roles, terminal */
    FERRY_STATUS_FAILED,    /* terminal */
    FERRY_STATUS_CANCELLED, /* terminal */
    FERRY_STATUS_ERROR,     /* both roles, terminal until resolved */
    /* Of a destination's record. */
    FERRY_STATUS_PREPARED,
    FERRY_STATUS_ROLLED_BACK, /* terminal */
} FerryStatus;
#define FERRY_STATUS_COUNT (FERRY_STATUS_ROLLED_BACK + 1)

typedef enum {
    FERRY_PHASE_NONE,
    FERRY_PHASE_DISK,
    FERRY_PHASE_MEMORY,
    FERRY_PHASE_POST_COPY,
    FERRY_PHASE_SWITCHOVER,
} FerryPhase;

const char *ferry_role_to_string(FerryRole role);
bool ferry_role_from_string(const char *text, FerryRole *ret_role);

const char *ferry_status_to_string(FerryStatus status);
bool ferry_status_from_string(const char *text, FerryStatus *ret_status);

/** Returns: the phase's name, or NULL for FERRY_PHASE_NONE. */
const char *ferry_phase_to_string(FerryPhase phase);
/** NULL is FERRY_PHASE_NONE. */
bool ferry_phase_from_string(const char *text, FerryPhase *ret_phase);

/** Returns: true when no status follows by itself: completed, failed, cancelled, error,
 * rolled-back. */
bool ferry_status_is_terminal(FerryStatus status);

/** Returns: true when a record of @role may go from @from to @to. From the terminal statuses only
 * `error` may go on, when it is resolved: to `completed`, `failed` (source) or `rolled-back`
 * (destination). */
bool ferry_status_may_follow(FerryRole role, FerryStatus from, FerryStatus to);

/** Returns: the type of the event that is sent when a record of @role gets @status, e.g.
 * "migration.post_migrating" or "migration.destination.rolled_back". */
const char *ferry_status_event_type(FerryRole role, FerryStatus status);
