/* status.h: the statuses, phases and roles of a migration and the legal moves between them.
 *
 * Names follow nova's migrations table; the strings, never the numbers, go to disk and wire.
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
    /* A source's record. */
    FERRY_STATUS_ACCEPTED,
    FERRY_STATUS_QUEUED,
    FERRY_STATUS_PREPARING, /* both roles */
    FERRY_STATUS_RUNNING,
    FERRY_STATUS_POST_MIGRATING,
    FERRY_STATUS_COMPLETED, /* both roles, terminal */
    FERRY_STATUS_FAILED,    /* terminal */
    FERRY_STATUS_CANCELLED, /* terminal */
    FERRY_STATUS_ERROR,     /* both roles, terminal until resolved */
    /* A destination's record. */
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

/** Returns: true when no step follows by itself: completed, failed, cancelled, error, rolled-back. */
bool ferry_status_is_terminal(FerryStatus status);

/** Returns: true when a record of @role may go from @from to @to. The only move out of a terminal
 * status is `error` to `completed`, `failed` (source) or `rolled-back` (destination): resolving. */
bool ferry_status_may_follow(FerryRole role, FerryStatus from, FerryStatus to);

/** Returns: the event that tells of a record of @role entering @status,
 * e.g. "migration.post_migrating" or "migration.destination.rolled_back". */
const char *ferry_status_event_type(FerryRole role, FerryStatus status);
