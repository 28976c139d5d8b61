/* agent.h: what every part of the agent works with. Immutable pointers, set once by the daemon and
 * valid until all threads ended; each of the things behind them says which threads may use it.
 */
#pragma once

#include "ferry/bus.h"
#include "ferry/config.h"
#include "journal.h"
#include "virt.h"

typedef struct {
    const FerryConfig *config;
    FerryJournal *journal;
    FerryVirt *virt;
    FerryBus *bus;
} FerryAgent;
