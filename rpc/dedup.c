#include "config.h"

#include "dedup.h"

struct FerryDedup {
    guint capacity;
    GQueue order; /* char *, owned; oldest at the head */
    GHashTable *names;
};

FerryDedup *
ferry_dedup_new(guint capacity)
{
    FerryDedup *dedup = g_new0(FerryDedup, 1);
    dedup->capacity = MAX(capacity, 1);
    g_queue_init(&dedup->order);
    dedup->names = g_hash_table_new(g_str_hash, g_str_equal);
    return dedup;
}

void
ferry_dedup_free(FerryDedup *dedup)
{
    if (dedup == NULL)
        return;
    g_hash_table_unref(dedup->names);
    g_queue_clear_full(&dedup->order, g_free);
    g_free(dedup);
}

bool
ferry_dedup_add(FerryDedup *dedup, const char *name)
{
    if (g_hash_table_contains(dedup->names, name))
        return false;
    if (g_queue_get_length(&dedup->order) == dedup->capacity) {
        g_autofree char *oldest = g_queue_pop_head(&dedup->order);
        g_hash_table_remove(dedup->names, oldest);
    }
    char *copy = g_strdup(name);
    g_queue_push_tail(&dedup->order, copy);
    g_hash_table_add(dedup->names, copy);
    return true;
}
