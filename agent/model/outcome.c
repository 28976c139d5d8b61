#include "config.h"

#include "model/outcome.h"

#define SIGHTS (FERRY_SIGHT_OTHER + 1)

static const char *const sight_names[SIGHTS] = {
    [FERRY_SIGHT_UNREACHABLE] = "unreachable",
    [FERRY_SIGHT_ABSENT] = "absent",
    [FERRY_SIGHT_SHUT_OFF] = "shut-off",
    [FERRY_SIGHT_MIGRATED] = "migrated",
    [FERRY_SIGHT_RUNNING] = "running",
    [FERRY_SIGHT_PAUSED_MIGRATION] = "paused-migration",
    [FERRY_SIGHT_INCOMING] = "incoming",
    [FERRY_SIGHT_PAUSED] = "paused",
    [FERRY_SIGHT_POSTCOPY] = "post-copy",
    [FERRY_SIGHT_POSTCOPY_FAILED] = "post-copy-failed",
    [FERRY_SIGHT_OTHER] = "other",
};

static const char *const verdict_names[] = {
    [FERRY_VERDICT_SUCCEEDED] = "succeeded",
    [FERRY_VERDICT_NOT_MOVED] = "not-moved",
    [FERRY_VERDICT_IN_FLIGHT] = "in-flight",
    [FERRY_VERDICT_SWITCHING] = "switching",
    [FERRY_VERDICT_POSTCOPY_BROKEN] = "post-copy-broken",
    [FERRY_VERDICT_SPLIT_BRAIN] = "split-brain",
    [FERRY_VERDICT_GONE] = "gone",
    [FERRY_VERDICT_UNKNOWN] = "unknown",
};

/* Rows: the source, columns: the destination, both in the order of FerrySight:
 * unreachable, absent, shut off, migrated, running, paused-migration, incoming, paused, post-copy,
 * post-copy failed, other.
 *
 * The two hosts are not asked at the same instant, so a pair that no single instant can show is
 * "ask again" and never a decision. A destination that is paused although nobody ordered it is not
 * a success either: source disks may be deleted after a success, and the pause may be an I/O error
 * of the new disk.
 */
#define DONE FERRY_VERDICT_SUCCEEDED
#define STAY FERRY_VERDICT_NOT_MOVED
#define FLY FERRY_VERDICT_IN_FLIGHT
#define SWAP FERRY_VERDICT_SWITCHING
#define BROK FERRY_VERDICT_POSTCOPY_BROKEN
#define TWO FERRY_VERDICT_SPLIT_BRAIN
#define GONE FERRY_VERDICT_GONE
#define ASK FERRY_VERDICT_UNKNOWN
/* clang-format off */
static const FerryVerdict table[SIGHTS][SIGHTS] = {
    /*                                 unr  absent off    migr  run   p-migr inc   paused post  p-fail other */
    [FERRY_SIGHT_UNREACHABLE] =      { ASK, ASK,   ASK,   ASK,  ASK,  ASK,   ASK,  ASK,   ASK,  ASK,   ASK },
    [FERRY_SIGHT_ABSENT] =           { ASK, GONE,  GONE,  ASK,  DONE, ASK,   ASK,  ASK,   ASK,  BROK,  ASK },
    [FERRY_SIGHT_SHUT_OFF] =         { ASK, GONE,  GONE,  GONE, DONE, ASK,   ASK,  ASK,   ASK,  BROK,  ASK },
    [FERRY_SIGHT_MIGRATED] =         { ASK, GONE,  GONE,  ASK,  DONE, ASK,   ASK,  ASK,   ASK,  BROK,  ASK },
    [FERRY_SIGHT_RUNNING] =          { ASK, STAY,  STAY,  STAY, TWO,  FLY,   FLY,  ASK,   ASK,  ASK,   ASK },
    [FERRY_SIGHT_PAUSED_MIGRATION] = { ASK, ASK,   ASK,   ASK,  SWAP, SWAP,  SWAP, SWAP,  FLY,  BROK,  ASK },
    [FERRY_SIGHT_INCOMING] =         { ASK, ASK,   ASK,   ASK,  ASK,  ASK,   ASK,  ASK,   ASK,  ASK,   ASK },
    [FERRY_SIGHT_PAUSED] =           { ASK, STAY,  STAY,  STAY, ASK,  FLY,   FLY,  SWAP,  ASK,  ASK,   ASK },
    [FERRY_SIGHT_POSTCOPY] =         { ASK, ASK,   ASK,   ASK,  FLY,  FLY,   FLY,  ASK,   FLY,  BROK,  ASK },
    [FERRY_SIGHT_POSTCOPY_FAILED] =  { ASK, BROK,  BROK,  ASK,  ASK,  ASK,   ASK,  ASK,   BROK, BROK,  ASK },
    [FERRY_SIGHT_OTHER] =            { ASK, ASK,   ASK,   ASK,  ASK,  ASK,   ASK,  ASK,   ASK,  ASK,   ASK },
};
/* clang-format on */

/* Gone from the source for certain, whatever the reason. */
static bool
is_dead(FerrySight sight)
{
    return sight == FERRY_SIGHT_ABSENT || sight == FERRY_SIGHT_SHUT_OFF ||
           sight == FERRY_SIGHT_MIGRATED;
}

FerryVerdict
ferry_verdict_reach(FerrySight source, FerrySight destination, bool paused_ordered)
{
    g_return_val_if_fail((guint)source < SIGHTS, FERRY_VERDICT_UNKNOWN);
    g_return_val_if_fail((guint)destination < SIGHTS, FERRY_VERDICT_UNKNOWN);
    if (paused_ordered && destination == FERRY_SIGHT_PAUSED && is_dead(source))
        return FERRY_VERDICT_SUCCEEDED;
    return table[source][destination];
}

FerryVerdict
ferry_verdict_reach_shut_off(FerrySight source, FerrySight destination)
{
    bool there = destination == FERRY_SIGHT_SHUT_OFF || destination == FERRY_SIGHT_RUNNING;

    g_return_val_if_fail((guint)source < SIGHTS, FERRY_VERDICT_UNKNOWN);
    g_return_val_if_fail((guint)destination < SIGHTS, FERRY_VERDICT_UNKNOWN);
    if (source == FERRY_SIGHT_UNREACHABLE || destination == FERRY_SIGHT_UNREACHABLE)
        return FERRY_VERDICT_UNKNOWN;
    if (is_dead(source) && there)
        return FERRY_VERDICT_SUCCEEDED;
    if (source == FERRY_SIGHT_ABSENT)
        return destination == FERRY_SIGHT_ABSENT ? FERRY_VERDICT_GONE : FERRY_VERDICT_UNKNOWN;
    /* Somebody started it there, and here too. */
    if (destination == FERRY_SIGHT_RUNNING)
        return FERRY_VERDICT_SPLIT_BRAIN;
    /* Started on the source meanwhile, it stays; a definition there is ours to take back. */
    return destination == FERRY_SIGHT_ABSENT || destination == FERRY_SIGHT_SHUT_OFF
               ? FERRY_VERDICT_NOT_MOVED
               : FERRY_VERDICT_UNKNOWN;
}

const char *
ferry_sight_to_string(FerrySight sight)
{
    g_return_val_if_fail((guint)sight < SIGHTS, "other");
    return sight_names[sight];
}

bool
ferry_sight_from_string(const char *text, FerrySight *ret_sight)
{
    for (guint i = 0; i < SIGHTS; i++) {
        if (g_strcmp0(text, sight_names[i]) != 0)
            continue;
        *ret_sight = (FerrySight)i;
        return true;
    }
    return false;
}

const char *
ferry_verdict_to_string(FerryVerdict verdict)
{
    g_return_val_if_fail((guint)verdict < G_N_ELEMENTS(verdict_names), "unknown");
    return verdict_names[verdict];
}
