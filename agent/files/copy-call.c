#include "config.h"

#include "files/copy-call.h"

typedef struct {
    FerryFileCopyOrder order;     /* immutable; the strings are ours */
    FerryFileCopyCounter counter; /* guards itself */
} Copy;

static Copy *
copy_new(const FerryFileCopyOrder *order)
{
    Copy *self = g_new0(Copy, 1);

    self->order = *order;
    self->order.to_uri = g_strdup(order->to_uri);
    self->order.from_path = g_strdup(order->from_path);
    self->order.to_path = g_strdup(order->to_path);
    self->order.cancellable = g_object_ref(order->cancellable);
    g_mutex_init(&self->counter.lock);
    return self;
}

static void
copy_free(gpointer data)
{
    Copy *self = data;

    g_free((char *)self->order.to_uri);
    g_free((char *)self->order.from_path);
    g_free((char *)self->order.to_path);
    g_clear_object(&self->order.cancellable);
    g_mutex_clear(&self->counter.lock);
    g_free(self);
}

static bool
run_copy(gpointer data, GError **error)
{
    Copy *self = data;

    return ferry_file_copy_run(&self->order, &self->counter, error);
}

FerryDetachedCall *
ferry_file_copy_call_start(const FerryFileCopyOrder *order)
{
    FerryDetachedWork work = {.thread = "vf-file-copy",
                              .func = run_copy,
                              .data = copy_new(order),
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
