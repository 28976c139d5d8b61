#include "config.h"

#include "files/copy-call.h"

#include "ferry/lock.h"

struct FerryFileCopyCall {
    FerryFileCopyRequest request; /* immutable; the strings are ours */
    FerryFileCopyCounter counter;

    GMutex lock;
    GCond ended;
    bool over;     /* guarded by lock */
    GError *error; /* guarded by lock */
};

static void
call_clear(gpointer data)
{
    FerryFileCopyCall *self = data;

    g_free((char *)self->request.to_uri);
    g_free((char *)self->request.from_path);
    g_free((char *)self->request.to_path);
    g_clear_object(&self->request.cancellable);
    g_clear_error(&self->error);
    g_mutex_clear(&self->counter.lock);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->ended);
}

static gpointer
run_call(gpointer data)
{
    FerryFileCopyCall *self = data;
    g_autoptr(GError) error = NULL;
    bool ok = ferry_file_copy_run(&self->request, &self->counter, &error);

    g_mutex_lock(&self->lock);
    self->over = true;
    self->error = ok ? NULL : g_steal_pointer(&error);
    g_cond_broadcast(&self->ended);
    g_mutex_unlock(&self->lock);
    g_atomic_rc_box_release_full(self, call_clear);
    return NULL;
}

FerryFileCopyCall *
ferry_file_copy_call_start(const FerryFileCopyRequest *request)
{
    FerryFileCopyCall *self = g_atomic_rc_box_new0(FerryFileCopyCall);

    self->request = *request;
    self->request.to_uri = g_strdup(request->to_uri);
    self->request.from_path = g_strdup(request->from_path);
    self->request.to_path = g_strdup(request->to_path);
    self->request.cancellable = g_object_ref(request->cancellable);
    g_mutex_init(&self->counter.lock);
    g_mutex_init(&self->lock);
    g_cond_init(&self->ended);
    g_thread_unref(g_thread_new("vf-file-copy", run_call, g_atomic_rc_box_acquire(self)));
    return self;
}

bool
ferry_file_copy_call_wait(FerryFileCopyCall *self, guint timeout_ms)
{
    gint64 until = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    FERRY_LOCK_SCOPE(&self->lock);

    while (!self->over)
        if (!g_cond_wait_until(&self->ended, &self->lock, until))
            break;
    return self->over;
}

void
ferry_file_copy_call_count(FerryFileCopyCall *self,
                           guint64 *ret_position_bytes,
                           guint64 *ret_sent_bytes)
{
    ferry_file_copy_count(&self->counter, ret_position_bytes, ret_sent_bytes);
}

bool
ferry_file_copy_call_result(FerryFileCopyCall *self, GError **error)
{
    FERRY_LOCK_SCOPE(&self->lock);

    if (self->error)
        g_propagate_error(error, g_error_copy(self->error));
    return self->over && !self->error;
}

void
ferry_file_copy_call_unref(FerryFileCopyCall *self)
{
    if (self)
        g_atomic_rc_box_release_full(self, call_clear);
}
