/* agent.h: what every part of the agent works with. Immutable pointers, set once by the daemon and
 * valid until all threads ended; each of the things behind them says which threads may use it.
 */
#pragma once

#include "digests.h"
#include "ferry/bus.h"
#include "ferry/config.h"
#include "journal.h"
#include "virt.h"

typedef struct FerryQuarantine FerryQuarantine;

typedef struct {
    const FerryConfig *config;
    FerryJournal *journal;
    FerryVirt *virt;
    FerryDigests *digests;
    FerryBus *bus;
    FerryQuarantine *quarantine;
    GCancellable *stopping; /* ended when the agent stops; long waits end by it */
} FerryAgent;

/** Waits @milliseconds, or until @cancellable (nullable: the agent's own) is ended. Not on main. */
void ferry_agent_pause(const FerryAgent *agent, guint milliseconds, GCancellable *cancellable);
