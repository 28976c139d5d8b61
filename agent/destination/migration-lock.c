#include "config.h"

#include "destination/migration-lock.h"

#include "ferry/lock.h"

struct FerryMigrationLocks {
    GMutex lock;
    GCond released;
    GHashTable *held; /* guarded by lock; ids */
};

FerryMigrationLocks *
ferry_migration_locks_new(void)
{
    FerryMigrationLocks *self = g_new0(FerryMigrationLocks, 1);

    self->held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&self->lock);
    g_cond_init(&self->released);
    return self;
}

void
ferry_migration_locks_free(FerryMigrationLocks *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->held);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->released);
    g_free(self);
}

FerryMigrationLock
ferry_migration_lock_take(FerryMigrationLocks *self, const char *migration_id)
{
    FERRY_LOCK_SCOPE(&self->lock);

    while (g_hash_table_contains(self->held, migration_id))
        g_cond_wait(&self->released, &self->lock);
    g_hash_table_add(self->held, g_strdup(migration_id));
    return (FerryMigrationLock){self, migration_id};
}

FerryMigrationLock
ferry_migration_lock_try(FerryMigrationLocks *self, const char *migration_id)
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (g_hash_table_contains(self->held, migration_id))
        return (FerryMigrationLock){0};
    g_hash_table_add(self->held, g_strdup(migration_id));
    return (FerryMigrationLock){self, migration_id};
}

void
ferry_migration_lock_release(FerryMigrationLock *lock)
{
    FerryMigrationLocks *self = lock->locks;

    if (!self)
        return;
    FERRY_LOCK_SCOPE(&self->lock);

    g_hash_table_remove(self->held, lock->migration_id);
    g_cond_broadcast(&self->released);
}
