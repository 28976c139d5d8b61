/* preparation.h: pools and thin images on the destination, made with provenance and undone by it.
 *
 * Every directory, pool and image is journaled before it is made (journal.h, creations), so that a
 * crash at any moment leaves nothing that the journal does not know. Undoing removes what the
 * journal proves and nobody uses; anything else is reported and stays.
 *
 * Threads: any but main; one call a migration at a time (destination.h sees to it).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/instance.h"
#include "runtime/agent.h"

/**
 * ferry_preparation_make:
 * Idempotent: what this migration made before, in a run that was cut short, is taken as it is.
 * @ret_pools, @ret_volumes: (transfer full): the lists of `migrate_data`
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS, FERRY_ERROR_PATH_NOT_ALLOWED,
 *   FERRY_ERROR_MIGRATION_ERROR ...; what was made until then stays for ferry_preparation_undo()
 */
bool ferry_preparation_make(const FerryAgent *agent,
                            virConnectPtr connection,
                            const char *migration_id,
                            const FerryInstance *instance,
                            json_t **ret_pools,
                            json_t **ret_volumes,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_preparation_undo:
 * @ret_removed, @ret_kept: (transfer full): arrays of {"kind", "pool", "path"[, "why"]}
 * @error: the journal or libvirt could not be asked; call again
 * Returns: true when everything could be judged; @ret_kept may still not be empty.
 */
bool ferry_preparation_undo(const FerryAgent *agent,
                            virConnectPtr connection,
                            const char *migration_id,
                            json_t **ret_removed,
                            json_t **ret_kept,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Sees to it that the folder of @path exists and is an active pool, as for an image; what it makes is
 * undone with the rest. @pool_name: (nullable): for a new pool. */
bool ferry_preparation_ensure_folder(const FerryAgent *agent,
                                     virConnectPtr connection,
                                     const char *migration_id,
                                     const char *pool_name,
                                     const char *path,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The instance arrived: what was made belongs to it now and is never undone any more. */
bool ferry_preparation_deliver(const FerryAgent *agent,
                               const char *migration_id,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when something was written to one of @migration_id's images since @since_us (UTC). */
bool ferry_preparation_is_filling(const FerryAgent *agent,
                                  virConnectPtr connection,
                                  const char *migration_id,
                                  gint64 since_us);
