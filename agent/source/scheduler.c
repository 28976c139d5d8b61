#include "config.h"

#include "source/scheduler.h"

#include "ferry/lock.h"
#include "runtime/fault-point.h"

struct FerryScheduler {
    const FerryAgent *agent;    /* immutable */
    const FerrySaga *saga;      /* immutable */
    void (*in_error)(gpointer); /* immutable */
    gpointer in_error_data;     /* immutable */

    GMutex lock;
    GCond changed;
    GHashTable *live; /* guarded by lock; id to FerryMigration: running and queued */
    GQueue queue;     /* guarded by lock; FerryMigration, borrowed from `live`, next one first */
    guint running;    /* guarded by lock */
    bool stopping;    /* guarded by lock */
};

typedef struct {
    FerryScheduler *scheduler;
    FerryMigration *migration;
} Life;

static void start_next(FerryScheduler *self);

FerryScheduler *
ferry_scheduler_new(const FerryAgent *agent,
                    const FerrySaga *saga,
                    void (*in_error)(gpointer data),
                    gpointer data)
{
    FerryScheduler *self = g_new0(FerryScheduler, 1);

    self->agent = agent;
    self->saga = saga;
    self->in_error = in_error;
    self->in_error_data = data;
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    self->live =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)ferry_migration_unref);
    return self;
}

void
ferry_scheduler_free(FerryScheduler *self)
{
    if (!self)
        return;
    g_queue_clear(&self->queue);
    g_hash_table_unref(self->live);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free(self);
}

static gpointer
live_a_life(gpointer data)
{
    g_autofree Life *life = data;
    FerryScheduler *self = life->scheduler;

    ferry_saga_run(life->migration, self->saga);
    if (ferry_migration_record(life->migration)->status == FERRY_STATUS_ERROR)
        self->in_error(self->in_error_data);

    g_autoptr(FerryMigration) migration = life->migration;

    g_mutex_lock(&self->lock);
    self->running--;
    g_hash_table_remove(self->live, ferry_migration_id(migration));
    start_next(self);
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    return NULL;
}

/* Under the lock. */
static void
keep(FerryScheduler *self, FerryMigration *migration)
{
    g_hash_table_insert(self->live, (gpointer)ferry_migration_id(migration),
                        ferry_migration_ref(migration));
}

/* It has its slot, whatever the limit is now. No thread may run it yet. */
static bool
is_under_way(FerryMigration *migration)
{
    FerryStatus status = ferry_migration_record(migration)->status;

    return status != FERRY_STATUS_ACCEPTED && status != FERRY_STATUS_QUEUED;
}

static bool
has_free_slot(FerryScheduler *self)
{
    guint limit = self->agent->config->max_concurrent_live_migrations;

    return !self->stopping && (limit == 0 || self->running < limit);
}

/* Its slot is taken already. */
static void
start(FerryScheduler *self, FerryMigration *migration)
{
    Life *life = g_new0(Life, 1);

    life->scheduler = self;
    life->migration = ferry_migration_ref(migration);
    g_thread_unref(g_thread_new("vf-saga", live_a_life, life));
}

/* Under the lock. */
static void
start_next(FerryScheduler *self)
{
    while (has_free_slot(self) && !g_queue_is_empty(&self->queue)) {
        self->running++;
        start(self, g_queue_pop_head(&self->queue));
    }
}

/* One that waits in the queue is run by nobody: it ends here. */
static void
end_if_queued(FerryScheduler *self, FerryMigration *migration)
{
    g_mutex_lock(&self->lock);
    bool waited = g_queue_remove(&self->queue, migration);
    g_mutex_unlock(&self->lock);

    if (!waited)
        return;
    ferry_migration_must_enter(migration, FERRY_STATUS_CANCELLED);
    g_mutex_lock(&self->lock);
    g_hash_table_remove(self->live, ferry_migration_id(migration));
    g_mutex_unlock(&self->lock);
}

/* The earliest place behind those that go first. Under the lock. */
static void
insert_by_priority(FerryScheduler *self, FerryMigration *migration)
{
    FerryPriority priority = ferry_migration_options(migration)->priority;
    GList *before = self->queue.tail;

    while (before && ferry_migration_options(before->data)->priority < priority)
        before = before->prev;
    g_queue_insert_after(&self->queue, before, migration);
}

/* Before it enters the queue: once there, another thread may start it. */
static void
journal_as_queued(FerryMigration *migration)
{
    g_autoptr(GError) error = NULL;

    if (!ferry_migration_enter(migration, FERRY_STATUS_QUEUED, &error))
        g_warning("Migration '%s' waits without being journaled as queued: %s",
                  ferry_migration_id(migration), error->message);
}

static void
queue_up(FerryScheduler *self, FerryMigration *migration)
{
    journal_as_queued(migration);
    g_mutex_lock(&self->lock);
    insert_by_priority(self, migration);
    start_next(self);
    g_mutex_unlock(&self->lock);
    /* An abort that came between the two saw no queue to take it from. */
    if (ferry_migration_abort_requested(migration))
        end_if_queued(self, migration);
}

void
ferry_scheduler_add(FerryScheduler *self,
                    FerryMigration *migration,
                    FerryAdmittedFunc admitted,
                    gpointer data)
{
    g_mutex_lock(&self->lock);
    bool now = has_free_slot(self) && g_queue_is_empty(&self->queue);

    keep(self, migration);
    if (now)
        self->running++;
    g_mutex_unlock(&self->lock);

    admitted(ferry_migration_id(migration), now ? FERRY_STATUS_ACCEPTED : FERRY_STATUS_QUEUED,
             data);
    ferry_fault_point("order", "end");
    if (now)
        start(self, migration);
    else
        queue_up(self, migration);
}

/* Its thread may run from here on, and changes its status. */
static void
give_place(FerryScheduler *self, FerryMigration *migration)
{
    keep(self, migration);
    if (!is_under_way(migration)) {
        insert_by_priority(self, migration);
        return;
    }
    self->running++;
    start(self, migration);
}

void
ferry_scheduler_take_up(FerryScheduler *self, const GPtrArray *migrations)
{
    for (guint i = 0; i < migrations->len; i++)
        if (!is_under_way(g_ptr_array_index(migrations, i)))
            journal_as_queued(g_ptr_array_index(migrations, i));

    g_mutex_lock(&self->lock);
    for (guint i = 0; i < migrations->len; i++)
        give_place(self, g_ptr_array_index(migrations, i));
    g_mutex_unlock(&self->lock);

    /* Aborted in the queue of an earlier life, which did not come to end it. */
    for (guint i = 0; i < migrations->len; i++)
        if (ferry_migration_abort_requested(g_ptr_array_index(migrations, i)))
            end_if_queued(self, g_ptr_array_index(migrations, i));

    g_mutex_lock(&self->lock);
    start_next(self);
    g_mutex_unlock(&self->lock);
}

FerryMigration *
ferry_scheduler_find(FerryScheduler *self, const char *migration_id)
{
    FERRY_LOCK_SCOPE(&self->lock);
    FerryMigration *migration = g_hash_table_lookup(self->live, migration_id);

    return migration ? ferry_migration_ref(migration) : NULL;
}

bool
ferry_scheduler_abort(FerryScheduler *self, FerryMigration *migration, GError **error)
{
    if (!ferry_migration_request_abort(migration, error))
        return false;
    end_if_queued(self, migration);
    return true;
}

void
ferry_scheduler_count(FerryScheduler *self, guint *ret_used, guint *ret_queued)
{
    FERRY_LOCK_SCOPE(&self->lock);

    *ret_used = self->running;
    *ret_queued = g_queue_get_length(&self->queue);
}

bool
ferry_scheduler_detach(FerryScheduler *self, guint timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    GHashTableIter iter;
    gpointer migration = NULL;
    g_autoptr(GPtrArray) all =
        g_ptr_array_new_with_free_func((GDestroyNotify)ferry_migration_unref);

    g_mutex_lock(&self->lock);
    self->stopping = true;
    g_hash_table_iter_init(&iter, self->live);
    while (g_hash_table_iter_next(&iter, NULL, &migration))
        g_ptr_array_add(all, ferry_migration_ref(migration));
    g_mutex_unlock(&self->lock);

    for (guint i = 0; i < all->len; i++)
        ferry_migration_detach(g_ptr_array_index(all, i));

    g_mutex_lock(&self->lock);
    while (self->running > 0 && g_cond_wait_until(&self->changed, &self->lock, deadline))
        ;
    bool ended = self->running == 0;
    g_mutex_unlock(&self->lock);
    return ended;
}
