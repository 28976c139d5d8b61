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
    FerryDedup *self = g_new0(FerryDedup, 1);

    self->capacity = MAX(capacity, 1);
    g_queue_init(&self->order);
    self->names = g_hash_table_new(g_str_hash, g_str_equal);
    return self;
}

void
ferry_dedup_free(FerryDedup *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->names);
    g_queue_clear_full(&self->order, g_free);
    g_free(self);
}

bool
ferry_dedup_add(FerryDedup *self, const char *name)
{
    if (g_hash_table_contains(self->names, name))
        return false;
    if (g_queue_get_length(&self->order) == self->capacity) {
        g_autofree char *oldest = g_queue_pop_head(&self->order);

        g_hash_table_remove(self->names, oldest);
    }
    char *copy = g_strdup(name);
    g_queue_push_tail(&self->order, copy);
    g_hash_table_add(self->names, copy);
    return true;
}
