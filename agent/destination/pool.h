/* pool.h: the pool of a folder on the destination: made with provenance (preparation.h), and
 * undone.
 * Threads: any but main; blocks as long as libvirtd does.
 */
#pragma once

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "destination/preparation.h"

/**
 * ferry_pool_ensure:
 * Sees to it that the folder exists and is an active pool, refreshed; what is missing is made: the
 * pool defined, its folder built, started, set to start with the host. A pool that is there is
 * taken as it is.
 * @name: for a new pool, another one where it is taken; NULL: a pool that is to be made is there
 *   for the time of the migration only (virt/passing-pool.h)
 * @owner: (nullable): who gets the folder, where it is made
 * @error: FERRY_ERROR_MIGRATION_ERROR
 */
virStoragePoolPtr ferry_pool_ensure(const FerryPreparation *preparation,
                                    const char *name,
                                    const char *folder,
                                    const FerryFileOwner *owner,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The instance has come: the pools that were there for the time of its migration end, if no other
 * one needs them. A pool that cannot be ended stays, and the log says so. @error: the journal's */
bool ferry_pool_end_passing(const FerryAgent *agent,
                            virConnectPtr connection,
                            const char *migration_id,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true for a pool that was made for the time of a migration: it ends with the last one
 * that needs it. */
bool ferry_pool_is_passing(const FerryCreation *creation);

/** Returns: true for what ferry_pool_ensure() makes. */
bool ferry_pool_made(FerryCreationKind kind);

/** Undoes one of the deeds. A pool that is gone counts as undone; one that has the name of ours and
 * another UUID, and a folder that is not the one that was made, are errors. */
bool ferry_pool_undo(const FerryAgent *agent,
                     virConnectPtr connection,
                     const FerryCreation *creation,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
