/* memory-convergence.h: whether a guest's memory comes nearer to its end, and what is to be done
 * where it does not. After KubeVirt's stall detection (VEP 248). Pure; one thread a value.
 *
 * QEMU counts what has to be sent anew at the beginning of each iteration: what remains then over
 * the link's rate is the pause that the guest would have if it were switched over now. What has to
 * be sent anew over the time of the iterations before is what the guest writes; what remains over
 * the rest of the link's rate is how long memory still takes. Where that is longer than a window of
 * time, and than the link takes for the largest iteration eight times, memory is stalled. Two
 * iterations that last an eighth of the window show it.
 *
 * What the order permits (its downtime, a pause, post-copy) is done about it when an iteration
 * begins that is as good as the best so far (a local minimum); where none comes, the next best will
 * do. A migration fails for it only after a whole window in which what remains has not fallen by a
 * fifth. While the link is much slower than it was the window stands still, and no pause and no
 * post-copy is begun: it may heal.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ferry/transfer-policy.h"
#include "model/convergence.h"

typedef struct FerryMemoryConvergence FerryMemoryConvergence;

/* One look at the memory phase. */
typedef struct {
    gint64 time_us;          /* monotonic */
    guint64 iteration;       /* as QEMU counts */
    guint64 remaining_bytes; /* of this iteration */
    guint64 moved_bytes;     /* of memory, since the phase began */
    guint throttle_percent;  /* of the guest's processors, by auto-converge */
} FerryMemoryReading;

typedef enum {
    FERRY_MEMORY_GO_ON,
    FERRY_MEMORY_SWITCH,    /* all of downtime_ms is allowed */
    FERRY_MEMORY_PAUSE,     /* all of max_pause_ms is allowed */
    FERRY_MEMORY_POST_COPY, /* post-copy */
    FERRY_MEMORY_FAIL,      /* nothing helps */
} FerryMemoryAction;

/* What is known after the last look; 0 where nothing is. */
typedef struct {
    FerryConverging converging;
    gint64 since_us;        /* monotonic: it would take too long since; 0 while it is not stalled */
    guint64 left_bytes;     /* at the beginning of this iteration */
    guint64 writes_bytes_s; /* that the guest made anew; a page counts once an iteration */
    guint64 link_bytes_s;
    guint64 pause_ms;       /* that all of it would take at this rate; 0: there is no rate so far */
    bool link_is_ill;       /* much slower than it was */
    FerryMemoryAction done; /* about this stall: SWITCH, PAUSE or POST_COPY, else GO_ON */
} FerryMemoryState;

/* What may be done about it. */
typedef struct {
    FerryPolicyEnd at_end;
    guint downtime_ms;   /* the order's */
    guint max_pause_ms;  /* the order's */
    bool post_copy;      /* the order's */
    gint64 time_left_us; /* until the transfer has to be over; G_MAXINT64: no limit */
} FerryMemoryMeans;

/** @window_us: for how long memory may be stalled, and how long it may still take without being
 * so. */
FerryMemoryConvergence *ferry_memory_convergence_new(gint64 window_us);
void ferry_memory_convergence_free(FerryMemoryConvergence *convergence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryMemoryConvergence, ferry_memory_convergence_free)

/** Takes one look. */
void ferry_memory_convergence_add(FerryMemoryConvergence *convergence,
                                  const FerryMemoryReading *reading);

/** The limit was changed for a moment: that the link carries less than before is no illness. */
void ferry_memory_convergence_forget_link(FerryMemoryConvergence *convergence);

/** The limit was changed by order: what was seen before counts no more, and the window begins. */
void ferry_memory_convergence_begin_anew(FerryMemoryConvergence *convergence);

/** The means were changed by order: what was done about a stall by the former ones counts no
 * more. The stall goes on. */
void ferry_memory_convergence_forget_action(FerryMemoryConvergence *convergence);

/** Returns: what the looks show. */
FerryMemoryState ferry_memory_convergence_state(const FerryMemoryConvergence *convergence);

/** Returns: what will be done about a stall as it looks now, when its time has come. GO_ON where it
 * is not stalled, or the policy waits. @ret_in_us: at the latest, as far as is known. */
FerryMemoryAction ferry_memory_convergence_prospect(const FerryMemoryConvergence *convergence,
                                                    const FerryMemoryMeans *means,
                                                    gint64 *ret_in_us);

/** Returns: what has to be done now, after the last look. Each is said once: what is said counts
 * as done. */
FerryMemoryAction ferry_memory_convergence_decide(FerryMemoryConvergence *convergence,
                                                  const FerryMemoryMeans *means);
