#include "config.h"

#include "virt/watch.h"

#include "ferry/lock.h"
#include "virt/virt.h"

struct FerryVirtWatches {
    GMutex lock;
    GPtrArray *list; /* guarded by lock; FerryVirtWatch, not owned */
};

struct FerryVirtWatch {
    FerryVirtWatches *all; /* immutable */
    char *uuid;            /* immutable */

    GMutex lock;
    GCond changed;
    bool woken;              /* guarded by lock */
    FerryJobSummary summary; /* guarded by lock */
};

FerryVirtWatches *
ferry_virt_watches_new(void)
{
    FerryVirtWatches *self = g_new0(FerryVirtWatches, 1);

    g_mutex_init(&self->lock);
    self->list = g_ptr_array_new();
    return self;
}

void
ferry_virt_watches_free(FerryVirtWatches *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->list);
    g_mutex_clear(&self->lock);
    g_free(self);
}

FerryVirtWatch *
ferry_virt_watch_new(FerryVirtWatches *all, const char *uuid)
{
    FerryVirtWatch *watch = g_new0(FerryVirtWatch, 1);

    watch->all = all;
    watch->uuid = g_strdup(uuid);
    g_mutex_init(&watch->lock);
    g_cond_init(&watch->changed);
    g_mutex_lock(&all->lock);
    g_ptr_array_add(all->list, watch);
    g_mutex_unlock(&all->lock);
    return watch;
}

void
ferry_virt_watch_free(FerryVirtWatch *watch)
{
    if (!watch)
        return;
    g_mutex_lock(&watch->all->lock);
    g_ptr_array_remove_fast(watch->all->list, watch);
    g_mutex_unlock(&watch->all->lock);
    g_mutex_clear(&watch->lock);
    g_cond_clear(&watch->changed);
    g_free(watch->uuid);
    g_free(watch);
}

/* @summary: NULL: as it was. */
static void
tell(FerryVirtWatch *watch, const FerryJobSummary *summary)
{
    g_mutex_lock(&watch->lock);
    if (summary)
        watch->summary = *summary;
    watch->woken = true;
    g_cond_signal(&watch->changed);
    g_mutex_unlock(&watch->lock);
}

void
ferry_virt_watch_wake(FerryVirtWatch *watch)
{
    tell(watch, NULL);
}

void
ferry_virt_watch_wait(FerryVirtWatch *watch, guint timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    FERRY_LOCK_SCOPE(&watch->lock);

    while (!watch->woken && g_cond_wait_until(&watch->changed, &watch->lock, deadline))
        ;
    watch->woken = false;
}

FerryJobSummary
ferry_virt_watch_summary(FerryVirtWatch *watch)
{
    FERRY_LOCK_SCOPE(&watch->lock);

    return watch->summary;
}

void
ferry_virt_watches_notify(FerryVirtWatches *self, const char *uuid, const FerryJobSummary *summary)
{
    FERRY_LOCK_SCOPE(&self->lock);

    for (guint i = 0; i < self->list->len; i++) {
        FerryVirtWatch *watch = g_ptr_array_index(self->list, i);

        if (!uuid || g_strcmp0(watch->uuid, uuid) == 0)
            tell(watch, summary);
    }
}

bool
ferry_virt_watches_is_empty(FerryVirtWatches *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    return self->list->len == 0;
}
