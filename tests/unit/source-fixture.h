/* source-fixture.h: a migration on its source, "kvm01", on its way to "kvm02" (agent-fixture.h). */
#pragma once

#include "agent-fixture.h"
#include "source/migration.h"
#include "source/saga.h"

typedef struct {
    AgentFixture agent;
    char *path;                /* of the disk of "web-1"; exists, in an active pool "images" */
    FerryMigration *migration; /* journaled, once source_migration() made it */
} SourceFixture;

/** "web-1" runs here, with a qcow2 image of 8 MiB. */
void source_set_up(SourceFixture *fixture, gconstpointer user_data);
void source_tear_down(SourceFixture *fixture, gconstpointer user_data);

/**
 * source_migration:
 * @status: of its record: accepted, or what an earlier life of the agent left
 * @options: (transfer full) (nullable): the order's
 * Makes the migration, described and with a prepared destination in every status after accepted.
 */
void source_migration(SourceFixture *fixture, FerryStatus status, json_t *options);

/** What this host's libvirt shows once the instance has left. */
void source_leave(SourceFixture *fixture);

/** Returns: (transfer none): the step of the source's saga; fails the test when there is none. */
const FerrySagaStep *source_step(const char *name);

/** Returns: (transfer full): what kvm02 answers to pre_live_migration. */
json_t *source_migrate_data(const SourceFixture *fixture);

#define SOURCE_ADD(path, func)                                                                     \
    g_test_add(path, SourceFixture, NULL, source_set_up, func, source_tear_down)
