/* agent.h: what every part of the agent works with. Immutable pointers, set once by the daemon and
 * valid until all threads ended; each of the things behind them says which threads may use it.
 */
#pragma once

#include <gio/gio.h>

#include "ferry/bus.h"
#include "ferry/config.h"

/* Their headers are above this one; who uses one of them includes its own. */
typedef struct FerryDigests FerryDigests;
typedef struct FerryJournal FerryJournal;
typedef struct FerryQuarantine FerryQuarantine;
typedef struct FerryVirt FerryVirt;

typedef struct {
    const FerryConfig *config;
    FerryJournal *journal;
    FerryVirt *virt;
    FerryDigests *digests;
    FerryBus *bus;
    FerryQuarantine *quarantine;
    GCancellable *stopping; /* ended when the agent stops; long waits end by it */
    guint silence_ms;       /* for how long libvirt may be silent about a transfer */
} FerryAgent;

/** Waits @milliseconds, or until @cancellable (nullable: the agent's own) is ended. Not on main. */
void ferry_agent_pause(const FerryAgent *agent, guint milliseconds, GCancellable *cancellable);
