/* source.h: the orders that a source serves: start a journey, abort it, force it, tell of it.
 *
 * Threads: any but main; each call blocks for libvirt's look-ups and the journal only.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "model/check.h"
#include "model/migration-request.h"
#include "runtime/agent.h"
#include "source/resolver.h"
#include "source/scheduler.h"

typedef struct FerrySource FerrySource;

/** @resolver: (transfer none): told of migrations that end in `error`. */
FerrySource *
ferry_source_new(const FerryAgent *agent, const FerrySaga *saga, FerryResolver *resolver);
void ferry_source_free(FerrySource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerrySource, ferry_source_free)

FerryScheduler *ferry_source_scheduler(FerrySource *source);

/**
 * ferry_source_check:
 * @host: (nullable): a destination that is asked too, and the way to which is looked at
 * Returns: (transfer full): {"compatible", "checks", "instance_info"}, and with @host
 *   "destination": {"compatible", "checks"}, or in its place "destination_error", which is a failed
 *   check as well; "compatible" is that of both.
 */
json_t *ferry_source_check(FerrySource *source,
                           const char *instance,
                           const char *host,
                           const json_t *options,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_source_order:
 * live_migrate_instance or live_migration.
 * @answer: called once, unless the call fails: with the status of a new order when the journal has
 *   it, before anything is done; with the present one of an order that came before
 * @error: FERRY_ERROR_INVALID_REQUEST, FERRY_ERROR_INSTANCE_NOT_FOUND,
 *   FERRY_ERROR_INSTANCE_INVALID_STATE, FERRY_ERROR_INSTANCE_ALREADY_MIGRATING,
 *   FERRY_ERROR_DESTINATION_NOT_ALLOWED, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
 *   FERRY_ERROR_JOURNAL_UNAVAILABLE: nothing was begun
 * Returns: true when the order stands.
 */
bool ferry_source_order(FerrySource *source,
                        const FerryMigrationRequest *request,
                        FerryAdmittedFunc answer,
                        gpointer data,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): {"migration_id", "status"}. */
json_t *ferry_source_abort(FerrySource *source,
                           const char *migration_id,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): {"migration_id", "status", "action"}. */
json_t *ferry_source_force_complete(FerrySource *source,
                                    const char *migration_id,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_source_tune:
 * @changes: an object with what is to change, as ferry_tuning_change() takes it
 * Returns: (transfer full): {"migration_id", "status", "parameters", "deferred"}: what holds now,
 *   and the names of those that hold in a later phase only.
 */
json_t *ferry_source_tune(FerrySource *source,
                          const char *migration_id,
                          const json_t *changes,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Takes up again what an earlier life of the agent left open. */
bool ferry_source_recover(FerrySource *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;
