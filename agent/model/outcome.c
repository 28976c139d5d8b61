#include "config.h"

#include "model/outcome.h"

#define OBSERVED (FERRY_OBSERVED_OTHER + 1)

static const char *const observed_names[OBSERVED] = {
    [FERRY_OBSERVED_UNREACHABLE] = "unreachable",
    [FERRY_OBSERVED_ABSENT] = "absent",
    [FERRY_OBSERVED_SHUT_OFF] = "shut-off",
    [FERRY_OBSERVED_MIGRATED] = "migrated",
    [FERRY_OBSERVED_RUNNING] = "running",
    [FERRY_OBSERVED_PAUSED_MIGRATION] = "paused-migration",
    [FERRY_OBSERVED_INCOMING] = "incoming",
    [FERRY_OBSERVED_PAUSED] = "paused",
    [FERRY_OBSERVED_POSTCOPY] = "post-copy",
    [FERRY_OBSERVED_POSTCOPY_FAILED] = "post-copy-failed",
    [FERRY_OBSERVED_OTHER] = "other",
};

static const char *const outcome_names[] = {
    [FERRY_OUTCOME_SUCCEEDED] = "succeeded",
    [FERRY_OUTCOME_STOPPED] = "stopped",
    [FERRY_OUTCOME_NOT_MOVED] = "not-moved",
    [FERRY_OUTCOME_IN_FLIGHT] = "in-flight",
    [FERRY_OUTCOME_SWITCHING] = "switching",
    [FERRY_OUTCOME_POSTCOPY_BROKEN] = "post-copy-broken",
    [FERRY_OUTCOME_SPLIT_BRAIN] = "split-brain",
    [FERRY_OUTCOME_GONE] = "gone",
    [FERRY_OUTCOME_UNKNOWN] = "unknown",
};

/* Rows: the source, columns: the destination, both in the order of FerryObservedState:
 * unreachable, absent, shut off, migrated, running, paused-migration, incoming, paused, post-copy,
 * post-copy failed, other.
 *
 * The two hosts are not asked at the same instant, so a pair that no single instant can show is
 * "ask again" and never a decision. A destination that is paused although nobody ordered it is not
 * a success either: source disks may be deleted after a success, and the pause may be an I/O error
 * of the new disk.
 */
#define DONE FERRY_OUTCOME_SUCCEEDED
#define STAY FERRY_OUTCOME_NOT_MOVED
#define FLY FERRY_OUTCOME_IN_FLIGHT
#define SWAP FERRY_OUTCOME_SWITCHING
#define BROK FERRY_OUTCOME_POSTCOPY_BROKEN
#define TWO FERRY_OUTCOME_SPLIT_BRAIN
#define GONE FERRY_OUTCOME_GONE
#define ASK FERRY_OUTCOME_UNKNOWN
#define FROM(state) [FERRY_OBSERVED_##state]
/* clang-format off */
static const FerryOutcome table[OBSERVED][OBSERVED] = {
    /*                        unr   abs   off   migr  run   p-mi  inc   paus  post  p-fa  oth */
    FROM(UNREACHABLE) =      {ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK},
    FROM(ABSENT) =           {ASK,  GONE, GONE, ASK,  DONE, ASK,  ASK,  ASK,  ASK,  BROK, ASK},
    FROM(SHUT_OFF) =         {ASK,  GONE, GONE, GONE, DONE, ASK,  ASK,  ASK,  ASK,  BROK, ASK},
    FROM(MIGRATED) =         {ASK,  GONE, GONE, ASK,  DONE, ASK,  ASK,  ASK,  ASK,  BROK, ASK},
    FROM(RUNNING) =          {ASK,  STAY, STAY, STAY, TWO,  FLY,  FLY,  ASK,  ASK,  ASK,  ASK},
    FROM(PAUSED_MIGRATION) = {ASK,  ASK,  ASK,  ASK,  SWAP, SWAP, SWAP, SWAP, FLY,  BROK, ASK},
    FROM(INCOMING) =         {ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK},
    FROM(PAUSED) =           {ASK,  STAY, STAY, STAY, ASK,  FLY,  FLY,  SWAP, ASK,  ASK,  ASK},
    FROM(POSTCOPY) =         {ASK,  ASK,  ASK,  ASK,  FLY,  FLY,  FLY,  ASK,  FLY,  BROK, ASK},
    FROM(POSTCOPY_FAILED) =  {ASK,  BROK, BROK, ASK,  ASK,  ASK,  ASK,  ASK,  BROK, BROK, ASK},
    FROM(OTHER) =            {ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK,  ASK},
};
/* clang-format on */

bool
ferry_observed_state_is_dead(FerryObservedState observed)
{
    return observed == FERRY_OBSERVED_ABSENT || observed == FERRY_OBSERVED_SHUT_OFF ||
           observed == FERRY_OBSERVED_MIGRATED;
}

bool
ferry_observed_state_may_run(FerryObservedState observed)
{
    return observed != FERRY_OBSERVED_UNREACHABLE && !ferry_observed_state_is_dead(observed);
}

FerryOutcome
ferry_outcome_judge(FerryObservedState source, FerryObservedState destination, bool paused_ordered)
{
    g_return_val_if_fail((guint)source < OBSERVED, FERRY_OUTCOME_UNKNOWN);
    g_return_val_if_fail((guint)destination < OBSERVED, FERRY_OUTCOME_UNKNOWN);
    if (paused_ordered && destination == FERRY_OBSERVED_PAUSED &&
        ferry_observed_state_is_dead(source))
        return FERRY_OUTCOME_SUCCEEDED;
    return table[source][destination];
}

bool
ferry_outcome_is_stopped(FerryObservedState source,
                         FerryObservedState destination,
                         bool stopped_there)
{
    return stopped_there && destination == FERRY_OBSERVED_PAUSED &&
           ferry_observed_state_is_dead(source);
}

FerryOutcome
ferry_outcome_judge_shut_off(FerryObservedState source, FerryObservedState destination)
{
    bool there = destination == FERRY_OBSERVED_SHUT_OFF || destination == FERRY_OBSERVED_RUNNING;

    g_return_val_if_fail((guint)source < OBSERVED, FERRY_OUTCOME_UNKNOWN);
    g_return_val_if_fail((guint)destination < OBSERVED, FERRY_OUTCOME_UNKNOWN);
    if (source == FERRY_OBSERVED_UNREACHABLE || destination == FERRY_OBSERVED_UNREACHABLE)
        return FERRY_OUTCOME_UNKNOWN;
    if (ferry_observed_state_is_dead(source) && there)
        return FERRY_OUTCOME_SUCCEEDED;
    if (source == FERRY_OBSERVED_ABSENT)
        return destination == FERRY_OBSERVED_ABSENT ? FERRY_OUTCOME_GONE : FERRY_OUTCOME_UNKNOWN;
    /* Somebody started it there, and here too. */
    if (destination == FERRY_OBSERVED_RUNNING)
        return FERRY_OUTCOME_SPLIT_BRAIN;
    /* Started on the source meanwhile, it stays; a definition there is ours to take back. */
    return destination == FERRY_OBSERVED_ABSENT || destination == FERRY_OBSERVED_SHUT_OFF
               ? FERRY_OUTCOME_NOT_MOVED
               : FERRY_OUTCOME_UNKNOWN;
}

const char *
ferry_observed_state_to_string(FerryObservedState observed)
{
    g_return_val_if_fail((guint)observed < OBSERVED, "other");
    return observed_names[observed];
}

bool
ferry_observed_state_from_string(const char *text, FerryObservedState *ret_observed)
{
    for (guint i = 0; i < OBSERVED; i++) {
        if (g_strcmp0(text, observed_names[i]) != 0)
            continue;
        *ret_observed = (FerryObservedState)i;
        return true;
    }
    return false;
}

const char *
ferry_outcome_to_string(FerryOutcome outcome)
{
    g_return_val_if_fail((guint)outcome < G_N_ELEMENTS(outcome_names), "unknown");
    return outcome_names[outcome];
}
