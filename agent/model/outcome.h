/* outcome.h: what two hosts together say about a migration. Pure: a table, and nothing else.
 *
 * Every cell that is not certain says so.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What one host knows of the domain. */
typedef enum {
    FERRY_OBSERVED_UNREACHABLE, /* the host could not be asked */
    FERRY_OBSERVED_ABSENT,      /* it has no such domain */
    FERRY_OBSERVED_SHUT_OFF,    /* defined, not running, for a reason other than migration */
    FERRY_OBSERVED_MIGRATED,    /* shut off (migrated) */
    FERRY_OBSERVED_RUNNING,
    FERRY_OBSERVED_PAUSED_MIGRATION, /* paused, reason migration: source in switchover */
    FERRY_OBSERVED_INCOMING,         /* paused or starting with an incoming migration job */
    FERRY_OBSERVED_PAUSED,           /* paused by someone: a user, an I/O error ... */
    FERRY_OBSERVED_POSTCOPY,         /* running or paused in post-copy */
    FERRY_OBSERVED_POSTCOPY_FAILED,
    FERRY_OBSERVED_OTHER, /* crashed, pmsuspended, blocked in an unknown way */
} FerryObservedState;

typedef enum {
    FERRY_OUTCOME_SUCCEEDED, /* the instance lives on the destination, the source is dead */
    FERRY_OUTCOME_STOPPED,   /* it arrived and ran, and stands there by an I/O error: no way back */
    FERRY_OUTCOME_NOT_MOVED, /* the instance lives on the source, nothing arrived */
    FERRY_OUTCOME_IN_FLIGHT, /* keep watching, touch nothing */
    FERRY_OUTCOME_SWITCHING, /* both paused: wait and ask again, resume neither */
    FERRY_OUTCOME_POSTCOPY_BROKEN,
    FERRY_OUTCOME_SPLIT_BRAIN, /* both run: error, stop nothing */
    FERRY_OUTCOME_GONE,        /* runs nowhere: the guest ended or died; nothing is deleted */
    FERRY_OUTCOME_UNKNOWN,     /* ask again; after the limit OutcomeUnknown */
} FerryOutcome;

/**
 * ferry_outcome_judge:
 * @paused_ordered: the order (or the guest's state before) wants it paused on arrival, so a paused
 *   guest on one side counts as alive there
 */
FerryOutcome
ferry_outcome_judge(FerryObservedState source, FerryObservedState destination, bool paused_ordered);

/** Returns: true when an instance that ran before has arrived and stands there by an I/O error: it
 * has run there, or libvirt would show another reason.
 * @stopped_there: the destination's libvirt shows that reason */
bool ferry_outcome_is_stopped(FerryObservedState source,
                              FerryObservedState destination,
                              bool stopped_there);

/**
 * ferry_outcome_judge_shut_off:
 * The same for an instance that does not run. It was defined on the destination as the last thing,
 * after its files were proven there: so a destination that has it has all of it, and the source's
 * definition is what is left to remove.
 */
FerryOutcome ferry_outcome_judge_shut_off(FerryObservedState source,
                                          FerryObservedState destination);

/** Returns: true when it does not run there for certain, whatever the reason: it is not there, or
 * shut off, also because it migrated away. */
bool ferry_observed_state_is_dead(FerryObservedState observed);

/** Returns: true when it runs there or may: neither dead nor out of sight. */
bool ferry_observed_state_may_run(FerryObservedState observed);

const char *ferry_observed_state_to_string(FerryObservedState observed);
bool ferry_observed_state_from_string(const char *text, FerryObservedState *ret_observed);
const char *ferry_outcome_to_string(FerryOutcome outcome);
