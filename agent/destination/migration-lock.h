/* migration-lock.h: calls for one migration follow each other, calls for different ones run side by
 * side. Threads: any.
 */
#pragma once

#include <glib.h>

typedef struct FerryMigrationLocks FerryMigrationLocks;

FerryMigrationLocks *ferry_migration_locks_new(void);
/** Nobody holds or waits for one any more. */
void ferry_migration_locks_free(FerryMigrationLocks *locks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryMigrationLocks, ferry_migration_locks_free)

/* Held as long as it lives; the id is the caller's and outlives it. */
typedef struct {
    FerryMigrationLocks *locks;
    const char *migration_id;
} FerryMigrationLock;

/** Waits until nobody else holds @migration_id's lock. */
FerryMigrationLock ferry_migration_lock_take(FerryMigrationLocks *locks, const char *migration_id);
/** Does not wait. Returns: without locks where somebody else holds it. */
FerryMigrationLock ferry_migration_lock_try(FerryMigrationLocks *locks, const char *migration_id);
/** Of one without locks: nothing. */
void ferry_migration_lock_release(FerryMigrationLock *lock);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryMigrationLock, ferry_migration_lock_release)

/** Takes the lock of @migration_id here and releases it where the scope ends; a declaration. */
#define FERRY_MIGRATION_LOCK_SCOPE(locks, migration_id)                                            \
    g_auto(FerryMigrationLock) G_PASTE(ferry_migration_lock_, __COUNTER__) G_GNUC_UNUSED =         \
        ferry_migration_lock_take(locks, migration_id)
