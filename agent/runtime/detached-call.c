#include "config.h"

#include "runtime/detached-call.h"

#include "ferry/lock.h"

#include <string.h>

/* What Linux takes. */
#define THREAD_NAME_BYTES 15

struct FerryDetachedCall {
    FerryDetachedWork work; /* immutable, but for the data that are taken when it is over */

    GMutex lock;
    GCond changed;  /* it is over, or a waiter's cancellable ended */
    guint holders;  /* guarded by lock; without the thread */
    bool over;      /* guarded by lock */
    GError *error;  /* the thread's until over, then immutable */
    bool succeeded; /* likewise */
};

static struct {
    GMutex lock;
    GCond changed;
    guint count; /* guarded by lock */
} running;

static void
call_clear(gpointer data)
{
    FerryDetachedCall *self = data;

    if (self->work.data && self->work.free_data)
        self->work.free_data(self->work.data);
    g_clear_error(&self->error);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
}

/* --- the thread ------------------------------------------------------------------------------- */

static void
count_running(int change)
{
    FERRY_LOCK_SCOPE(&running.lock);

    running.count += (guint)change;
    g_cond_broadcast(&running.changed);
}

static void
tell_end(FerryDetachedCall *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->over = true;
    g_cond_broadcast(&self->changed);
    if (self->work.ended && self->holders > 0)
        self->work.ended(self->work.ended_data);
}

static gpointer
run_call(gpointer data)
{
    FerryDetachedCall *self = data;

    self->succeeded = self->work.func(self->work.data, &self->error);
    tell_end(self);
    g_atomic_rc_box_release_full(self, call_clear);
    count_running(-1);
    return NULL;
}

FerryDetachedCall *
ferry_detached_call_start(const FerryDetachedWork *work)
{
    FerryDetachedCall *self = g_atomic_rc_box_new0(FerryDetachedCall);

    g_assert(g_str_has_prefix(work->thread, "vf-") && strlen(work->thread) <= THREAD_NAME_BYTES);
    self->work = *work;
    self->holders = 1;
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    count_running(1);
    g_thread_unref(g_thread_new(work->thread, run_call, g_atomic_rc_box_acquire(self)));
    return self;
}

/* --- holders ---------------------------------------------------------------------------------- */

static void
on_cancelled(GCancellable *cancellable, gpointer data)
{
    FerryDetachedCall *self = data;
    FERRY_LOCK_SCOPE(&self->lock);

    g_cond_broadcast(&self->changed);
}

static FerryCallState
wait_until(FerryDetachedCall *self, gint64 deadline_us, GCancellable *cancellable)
{
    FERRY_LOCK_SCOPE(&self->lock);

    while (!self->over && !g_cancellable_is_cancelled(cancellable))
        if (!g_cond_wait_until(&self->changed, &self->lock, deadline_us))
            break;
    if (self->over)
        return FERRY_CALL_OVER;
    return g_cancellable_is_cancelled(cancellable) ? FERRY_CALL_CANCELLED : FERRY_CALL_LATE;
}

FerryCallState
ferry_detached_call_wait(FerryDetachedCall *self, guint timeout_ms, GCancellable *cancellable)
{
    gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    gulong handler =
        cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), self, NULL) : 0;
    FerryCallState state = wait_until(self, deadline_us, cancellable);

    g_cancellable_disconnect(cancellable, handler);
    return state;
}

bool
ferry_detached_call_result(FerryDetachedCall *self, GError **error)
{
    FERRY_LOCK_SCOPE(&self->lock);

    g_return_val_if_fail(self->over, false);
    if (self->error)
        g_propagate_error(error, g_error_copy(self->error));
    return self->succeeded;
}

gpointer
ferry_detached_call_data(FerryDetachedCall *self)
{
    return self->work.data;
}

gpointer
ferry_detached_call_take_data(FerryDetachedCall *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    g_return_val_if_fail(self->over, NULL);
    return g_steal_pointer(&self->work.data);
}

FerryDetachedCall *
ferry_detached_call_ref(FerryDetachedCall *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    self->holders++;
    return g_atomic_rc_box_acquire(self);
}

void
ferry_detached_call_abandon(FerryDetachedCall *self)
{
    if (!self)
        return;
    g_mutex_lock(&self->lock);
    self->holders--;
    g_mutex_unlock(&self->lock);
    g_atomic_rc_box_release_full(self, call_clear);
}

bool
ferry_detached_calls_await_none(guint timeout_ms)
{
    gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    FERRY_LOCK_SCOPE(&running.lock);

    while (running.count > 0 && g_cond_wait_until(&running.changed, &running.lock, deadline_us))
        ;
    return running.count == 0;
}
