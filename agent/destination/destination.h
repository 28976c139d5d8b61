/* destination.h: the orders that a destination serves: check, prepare, finish, roll back, expire.
 *
 * Each call is idempotent and keyed by the migration's id: a repetition finishes what was begun, or
 * answers what the first one answered. Calls for one migration run one after the other, calls for
 * different migrations side by side.
 *
 * Threads: any but main; each call blocks until it is done (libvirt, journal).
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "model/check.h"
#include "model/outcome.h"
#include "runtime/agent.h"

typedef struct FerryDestination FerryDestination;

FerryDestination *ferry_destination_new(const FerryAgent *agent);

/** Called once, before orders are taken: what an earlier life of the agent left is made ready. */
void ferry_destination_recover(FerryDestination *destination);

void ferry_destination_free(FerryDestination *destination);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDestination, ferry_destination_free)

/** Returns: (transfer full): {"compatible", "checks", "dest_check_data"}; NULL with
 * FERRY_ERROR_INVALID_REQUEST or FERRY_ERROR_HYPERVISOR_UNAVAILABLE when they could not be run. */
json_t *ferry_destination_check(FerryDestination *destination,
                                const json_t *instance_info,
                                const json_t *options,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_destination_prepare:
 * @order: (transfer none): {"method", "args"} as it came; told from a repetition by equality
 * @accepted: called once the journal has the record, before the work: the moment to acknowledge
 * Returns: (transfer full): `migrate_data`. On failure what was made is undone again, the record
 * ends as rolled-back, and @error says why.
 */
json_t *ferry_destination_prepare(FerryDestination *destination,
                                  const char *migration_id,
                                  json_t *order,
                                  void (*accepted)(gpointer data),
                                  gpointer data,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the attempt that follows begins with. */
typedef struct {
    guint attempt;            /* its number, from 2 on; 0: a source of before, which has none */
    const char *const *seeds; /* targets of disks that are seeded from now on; NULL: none */
} FerryRenewal;

/**
 * ferry_destination_renew_images:
 * An attempt of the transfer was given up, and another one follows: the images that it filled in
 * part are removed and made anew, empty; of a disk that is a seed from now on all of them. For the
 * last attempt once more nothing is removed: images that are new still are answered as before, and
 * a seed that arrives as well. Prolongs the lease.
 * @error: FERRY_ERROR_INVALID_MIGRATION_STATE unless the migration is prepared, and its instance
 *   not here and never came, with "retry" in its details where only what arrives has to go; also
 *   for an attempt before the last one, and for the last one where an image that is mirrored was
 *   written to since; FERRY_ERROR_MIGRATION_ERROR: one of them is not proved to be what was made
 * Returns: (transfer full): {"renewed", "migrate_data"}: their paths, and what is prepared now.
 */
json_t *ferry_destination_renew_images(FerryDestination *destination,
                                       const char *migration_id,
                                       const FerryRenewal *renewal,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** How much room is left for what the migration still brings; see room.h. */
json_t *ferry_destination_get_room(FerryDestination *destination,
                                   const char *migration_id,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** A file that is brought byte for byte; see import.h. Prolongs the lease. */
json_t *ferry_destination_prepare_file(FerryDestination *destination,
                                       const char *migration_id,
                                       const json_t *file,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
json_t *ferry_destination_publish_file(FerryDestination *destination,
                                       const char *migration_id,
                                       const char *path,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The source says that the transfer is over, and with @autostart that its host started the
 * instance at boot, if it has not told before. Returns: (transfer full): {"status",
 * "instance_state", "disks", "downtime_ms"}; @error: FERRY_ERROR_INVALID_MIGRATION_STATE when the
 * instance is not alive here. */
json_t *ferry_destination_finish(FerryDestination *destination,
                                 const char *migration_id,
                                 bool autostart,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): {"status", "removed", "kept"}; @error:
 * FERRY_ERROR_INVALID_MIGRATION_STATE when the instance is alive or arriving here. */
json_t *ferry_destination_roll_back(FerryDestination *destination,
                                    const char *migration_id,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The same for who only wants an end of it: @error is FERRY_ERROR_OUTCOME_UNKNOWN, too, where the
 * instance may have been here, its source has not said what became of it, and an image may be the
 * only one that is up to date. */
json_t *ferry_destination_resolve(FerryDestination *destination,
                                  const char *migration_id,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends preparations whose lease is over and whose instance is not here: rolls them back where it
 * never was (arrival-watch.h); otherwise they end in error, and all stays. A FerryExpiryFunc, of a
 * FerryDestination: returns when to call again, in microseconds of UTC; 0 when no lease is open. */
gint64 ferry_destination_expire(gpointer destination);
