#include "config.h"

#include "virt/domain-cache.h"

#include "ferry/lock.h"

struct FerryDomainCache {
    GMutex lock;
    GHashTable *names; /* guarded by lock; UUID to name, both owned */
    GHashTable *uuids; /* guarded by lock; the same the other way round, borrowed */
    guint generation;  /* guarded by lock; rises when one is struck off */
};

FerryDomainCache *
ferry_domain_cache_new(void)
{
    FerryDomainCache *self = g_new0(FerryDomainCache, 1);

    g_mutex_init(&self->lock);
    self->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->uuids = g_hash_table_new(g_str_hash, g_str_equal);
    return self;
}

void
ferry_domain_cache_free(FerryDomainCache *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->uuids);
    g_hash_table_unref(self->names);
    g_mutex_clear(&self->lock);
    g_free(self);
}

guint
ferry_domain_cache_generation(FerryDomainCache *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return self->generation;
}

/* Under the lock. */
static void
strike(FerryDomainCache *self, const char *uuid)
{
    const char *name = g_hash_table_lookup(self->names, uuid);

    if (!name)
        return;
    g_hash_table_remove(self->uuids, name);
    g_hash_table_remove(self->names, uuid);
}

void
ferry_domain_cache_put(FerryDomainCache *self, guint generation, const char *name, const char *uuid)
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (generation != self->generation)
        return;
    /* A name that another had is this one's now. */
    const char *former = g_hash_table_lookup(self->uuids, name);

    if (former)
        strike(self, former);
    strike(self, uuid);

    char *key = g_strdup(uuid);
    char *value = g_strdup(name);

    g_hash_table_insert(self->names, key, value);
    g_hash_table_insert(self->uuids, value, key);
}

void
ferry_domain_cache_remove(FerryDomainCache *self, const char *uuid)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->generation++;
    strike(self, uuid);
}

void
ferry_domain_cache_clear(FerryDomainCache *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->generation++;
    g_hash_table_remove_all(self->uuids);
    g_hash_table_remove_all(self->names);
}

bool
ferry_domain_cache_find(FerryDomainCache *self,
                        const char *name_or_uuid,
                        char **ret_name,
                        char **ret_uuid)
{
    FERRY_LOCK_SCOPE(&self->lock);
    const char *uuid = g_hash_table_lookup(self->uuids, name_or_uuid);
    const char *name = g_hash_table_lookup(self->names, uuid ? uuid : name_or_uuid);

    if (!name)
        return false;
    *ret_uuid = g_strdup(uuid ? uuid : name_or_uuid);
    *ret_name = g_strdup(name);
    return true;
}
