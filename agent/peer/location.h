/* location.h: where an instance that left this host is now, as far as the agents know.
 *
 * Threads: any but main; blocks while others are asked.
 */
#pragma once

#include "model/outcome.h"
#include "runtime/agent.h"

typedef struct {
    char *host; /* the last one that was asked */
    FerryObservedState observed;
} FerryLocation;

void ferry_location_clear(FerryLocation *location);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryLocation, ferry_location_clear)

/**
 * ferry_location_find:
 * Asks @host, where the instance went from here, and follows the journeys that it made since,
 * also one that led back here. Whatever is not certain is FERRY_OBSERVED_UNREACHABLE: a host
 * that does not answer, an instance that libvirt sent away without us. So it is never
 * FERRY_OBSERVED_MIGRATED.
 */
FerryLocation
ferry_location_find(const FerryAgent *agent, const char *host, const char *instance_uuid);
