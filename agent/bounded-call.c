#include "config.h"

#include "bounded-call.h"

#include "ferry/error.h"

typedef struct {
    FerryBoundedFunc func;    /* immutable */
    GDestroyNotify free_data; /* immutable */

    GMutex lock;
    GCond ended;
    bool over;      /* guarded by lock */
    gpointer data;  /* the thread's until over; NULL once the caller has it */
    GError *error;  /* the thread's until over */
    bool succeeded; /* the thread's until over */
} Call;

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
    return NULL;
}

static gpointer
take_end(Call *self, guint limit_s, const char *what, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)limit_s * G_USEC_PER_SEC;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

    while (!self->over && g_cond_wait_until(&self->ended, &self->lock, deadline))
        ;
    if (!self->over)
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
                   GError **error)
{
    Call *self = g_atomic_rc_box_new0(Call);

    self->func = func;
    self->free_data = free_data;
    self->data = data;
    g_mutex_init(&self->lock);
    g_cond_init(&self->ended);
    g_thread_unref(g_thread_new("bounded", run_call, g_atomic_rc_box_acquire(self)));

    gpointer result = take_end(self, limit_s, what, error);

    g_atomic_rc_box_release_full(self, call_clear);
    return result;
}
