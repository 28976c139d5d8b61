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
 * @name: for a new pool; NULL: as the folder. Another one where it is taken
 * @error: FERRY_ERROR_MIGRATION_ERROR
 */
virStoragePoolPtr ferry_pool_ensure(const FerryPreparation *preparation,
                                    const char *name,
                                    const char *folder,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true for what ferry_pool_ensure() makes. */
bool ferry_pool_made(FerryCreationKind kind);

/** Undoes one of the deeds. A pool that is gone counts as undone; one that has the name of ours and
 * another UUID, and a folder that is not the one that was made, are errors. */
bool ferry_pool_undo(const FerryAgent *agent,
                     virConnectPtr connection,
                     const FerryCreation *creation,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
