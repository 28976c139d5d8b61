#include "config.h"

#include "files/copy-call.h"

typedef struct {
    FerryFileCopyRequest request; /* immutable; the strings are ours */
    FerryFileCopyCounter counter; /* guards itself */
} Copy;

static Copy *
copy_new(const FerryFileCopyRequest *request)
{
    Copy *self = g_new0(Copy, 1);

    self->request = *request;
    self->request.to_uri = g_strdup(request->to_uri);
    self->request.from_path = g_strdup(request->from_path);
    self->request.to_path = g_strdup(request->to_path);
    self->request.rate = ferry_rate_ref(request->rate);
    self->request.cancellable = g_object_ref(request->cancellable);
    g_mutex_init(&self->counter.lock);
    return self;
}

static void
copy_free(gpointer data)
{
    Copy *self = data;

    g_free((char *)self->request.to_uri);
    g_free((char *)self->request.from_path);
    g_free((char *)self->request.to_path);
    ferry_rate_unref(self->request.rate);
    g_clear_object(&self->request.cancellable);
    g_mutex_clear(&self->counter.lock);
    g_free(self);
}

static bool
run_copy(gpointer data, GError **error)
{
    Copy *self = data;

    return ferry_file_copy_run(&self->request, &self->counter, error);
}

FerryDetachedCall *
ferry_file_copy_call_start(const FerryFileCopyRequest *request)
{
    FerryDetachedWork work = {.thread = "vf-file-copy",
                              .func = run_copy,
                              .data = copy_new(request),
                              .free_data = copy_free};

    return ferry_detached_call_start(&work);
}

void
ferry_file_copy_call_count(FerryDetachedCall *call,
                           guint64 *ret_position_bytes,
                           guint64 *ret_sent_bytes)
{
    Copy *self = ferry_detached_call_data(call);

    ferry_file_copy_count(&self->counter, ret_position_bytes, ret_sent_bytes);
}
