/* destination-fixture.h: a destination, "kvm02", that is asked to prepare for one instance of
 * "kvm01" (agent-fixture.h). */
#pragma once

#include "agent-fixture.h"
#include "destination/destination.h"

typedef struct {
    AgentFixture agent;
    FerryDestination *destination;
    char *path;   /* of its disk, raw; nothing is there yet */
    json_t *info; /* instance_info, for the test to change before it prepares */
} DestinationFixture;

/** @disk: its path below the images. */
void destination_set_up(DestinationFixture *fixture, const char *disk);
void destination_tear_down(DestinationFixture *fixture, gconstpointer user_data);

/** Returns: (transfer full): the answer to pre_live_migration. */
json_t *destination_prepare(DestinationFixture *fixture, GError **error);

/** The same; fails the test on an error. */
json_t *destination_prepare_well(DestinationFixture *fixture);

/** Returns: (transfer full): the answer; fails the test on an error. */
json_t *destination_roll_back(DestinationFixture *fixture);
