#include "config.h"

#include "runtime/bounded-call.h"

#include "ferry/error.h"
#include "ferry/lock.h"

typedef struct {
    FerryBoundedFunc func;    /* immutable */
    GDestroyNotify free_data; /* immutable */

    GMutex lock;
    GCond ended;
    bool over;      /* guarded by lock */
    bool left;      /* guarded by lock: nobody waits for it any more */
    gpointer data;  /* the thread's until over; NULL once the caller has it */
    GError *error;  /* the thread's until over */
    bool succeeded; /* the thread's until over */
} Call;

static gint running; /* atomic: threads that have not ended */

static void
call_clear(gpointer data)
{
    Call *self = data;

    if (self->data)
        self->free_data(self->data);
    g_clear_error(&self->error);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->ended);
}

static gpointer
run_call(gpointer data)
{
    Call *self = data;

    self->succeeded = self->func(self->data, &self->error);
    g_mutex_lock(&self->lock);
    self->over = true;
    g_cond_signal(&self->ended);
    g_mutex_unlock(&self->lock);
    g_atomic_rc_box_release_full(self, call_clear);
    g_atomic_int_add(&running, -1);
    return NULL;
}

static void
on_cancelled(GCancellable *cancellable, gpointer data)
{
    Call *self = data;

    g_mutex_lock(&self->lock);
    self->left = true;
    g_cond_signal(&self->ended);
    g_mutex_unlock(&self->lock);
}

static gpointer
take_end(Call *self, guint limit_s, const char *what, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)limit_s * G_USEC_PER_SEC;
    FERRY_LOCK_SCOPE(&self->lock);

    while (!self->over && !self->left && g_cond_wait_until(&self->ended, &self->lock, deadline))
        ;
    if (!self->over && self->left)
        ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "%s was not waited for", what);
    else if (!self->over)
        ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                        "Look whether libvirtd and the instance's QEMU answer (virsh domstats)",
                        "%s did not come to an end in %u s; libvirt or QEMU may hang", what,
                        limit_s);
    else if (!self->succeeded)
        g_propagate_error(error, g_steal_pointer(&self->error));
    return self->over && self->succeeded ? g_steal_pointer(&self->data) : NULL;
}

gpointer
ferry_bounded_call(FerryBoundedFunc func,
                   gpointer data,
                   GDestroyNotify free_data,
                   guint limit_s,
                   const char *what,
                   GCancellable *cancellable,
                   GError **error)
{
    Call *self = g_atomic_rc_box_new0(Call);

    self->func = func;
    self->free_data = free_data;
    self->data = data;
    g_mutex_init(&self->lock);
    g_cond_init(&self->ended);
    g_atomic_int_inc(&running);
    g_thread_unref(g_thread_new("vf-call", run_call, g_atomic_rc_box_acquire(self)));

    gulong handler =
        cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), self, NULL) : 0;
    gpointer result = take_end(self, limit_s, what, error);

    g_cancellable_disconnect(cancellable, handler);
    g_atomic_rc_box_release_full(self, call_clear);
    return result;
}

bool
ferry_bounded_call_runs(void)
{
    return g_atomic_int_get(&running) > 0;
}
