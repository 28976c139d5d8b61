/* outcome.h: what two hosts together say about a migration. Pure: the table of DESIGN, nothing else.
 *
 * The table is documented in docs/architecture.md; every cell that is not certain says so.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What one host knows of the domain. */
typedef enum {
    FERRY_SIGHT_UNREACHABLE, /* the host could not be asked */
    FERRY_SIGHT_ABSENT,      /* it has no such domain */
    FERRY_SIGHT_SHUT_OFF,    /* defined, not running, for a reason other than migration */
    FERRY_SIGHT_MIGRATED,    /* shut off (migrated) */
    FERRY_SIGHT_RUNNING,
    FERRY_SIGHT_PAUSED_MIGRATION, /* paused, reason migration: source in switchover */
    FERRY_SIGHT_INCOMING,         /* paused or starting with an incoming migration job */
    FERRY_SIGHT_PAUSED,           /* paused by someone: a user, an I/O error ... */
    FERRY_SIGHT_POSTCOPY,         /* running or paused in post-copy */
    FERRY_SIGHT_POSTCOPY_FAILED,
    FERRY_SIGHT_OTHER, /* crashed, pmsuspended, blocked in an unknown way */
} FerrySight;

typedef enum {
    FERRY_VERDICT_SUCCEEDED, /* the instance lives on the destination, the source is dead */
    FERRY_VERDICT_NOT_MOVED, /* the instance lives on the source, nothing arrived */
    FERRY_VERDICT_IN_FLIGHT, /* keep watching, touch nothing */
    FERRY_VERDICT_SWITCHING, /* both paused: wait and ask again, resume neither */
    FERRY_VERDICT_POSTCOPY_BROKEN,
    FERRY_VERDICT_SPLIT_BRAIN, /* both run: error, stop nothing */
    FERRY_VERDICT_GONE,        /* runs nowhere: the guest ended or died; nothing is deleted */
    FERRY_VERDICT_UNKNOWN,     /* ask again; after the limit OutcomeUnknown */
} FerryVerdict;

/**
 * ferry_verdict_reach:
 * @paused_ordered: the order (or the guest's state before) wants it paused on arrival, so a paused
 *   guest on one side counts as alive there
 */
FerryVerdict ferry_verdict_reach(FerrySight source, FerrySight destination, bool paused_ordered);

/**
 * ferry_verdict_reach_shut_off:
 * The same for an instance that does not run. It was defined on the destination as the last thing,
 * after its files were proven there: so a destination that has it has all of it, and the source's
 * definition is what is left to remove.
 */
FerryVerdict ferry_verdict_reach_shut_off(FerrySight source, FerrySight destination);

const char *ferry_sight_to_string(FerrySight sight);
bool ferry_sight_from_string(const char *text, FerrySight *ret_sight);
const char *ferry_verdict_to_string(FerryVerdict verdict);
