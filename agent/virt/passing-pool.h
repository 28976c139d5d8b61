/* passing-pool.h: a folder that no storage pool has is one for the time that somebody needs it.
 *
 * libvirt, which is root, makes, reads and deletes files in pools only. Such a pool is transient:
 * it has no definition, nothing of it stays. Its name holds its UUID, which nobody else's does.
 *
 * Threads: any but main; every call may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/** Returns: (transfer full): a name for a passing pool, with @uuid in it. */
char *ferry_passing_pool_name(const char *uuid);

/** Returns: true when @pool is one of those, of this agent or of an earlier life of it. */
bool ferry_passing_pool_is(virStoragePoolPtr pool);

/** Returns: true when a passing pool with @uuid may be called @name. */
bool ferry_passing_pool_is_name(const char *name, const char *uuid);

/** From now on the caller ends @pool, which it found, whoever made it. */
void ferry_passing_pool_adopt(virStoragePoolPtr pool);

/* A folder while it is used. A plain value. */
typedef struct {
    virStoragePoolPtr pool; /* NULL: the folder needs none, it has one of its own */
    char *folder;
} FerryPassingPool;

/**
 * ferry_passing_pool_enter:
 * @folder: resolved
 * From now on, until ferry_passing_pool_leave(), the folder is a pool, if no other pool has it.
 * Several may be in one folder at a time.
 * @error: FERRY_ERROR_MIGRATION_ERROR
 */
bool ferry_passing_pool_enter(virConnectPtr connection,
                              const char *folder,
                              FerryPassingPool *ret,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ferry_passing_pool_leave(FerryPassingPool *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryPassingPool, ferry_passing_pool_leave)

/** Removes the empty @folder by libvirtd, which may where the agent's user may not; its pool, if it
 * has one, must not be active. @error: FERRY_ERROR_MIGRATION_ERROR */
bool ferry_passing_pool_delete_folder(virConnectPtr connection,
                                      const char *folder,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
