#include "config.h"

#include "dispatch.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/story.h"
#include "methods/table.h"
#include "runtime/libvirt-daemons.h"
#include "virt/time-limits.h"

/* More than nova's clients ask at once of one host; beyond it requests wait their turn. */
#define MAX_THREADS 32
#define FREE_WAIT_US (3 * G_USEC_PER_SEC)

struct FerryDispatch {
    FerryMethodContext methods; /* immutable */
    char *started_at;           /* immutable; methods has it */
    GMainContext *context;      /* immutable */
    GThreadPool *pool;
};

/* One request under way; the pool's thread and the deadline's timer share it. */
typedef struct {
    FerryRequest *request;
    const FerryMethodRow *method;
    GSource *deadline;
} Job;

static void
job_free(Job *job)
{
    g_source_destroy(job->deadline);
    g_source_unref(job->deadline);
    ferry_request_unref(job->request);
    g_free(job);
}

static void
log_failure(FerryRequest *request, const FerryMethodRow *method, const GError *error)
{
    const json_t *args = ferry_request_args(request);

    if ((method->served.flags & FERRY_METHOD_ORDER) != 0)
        ferry_story_tell_refusal(ferry_request_method(request),
                                 ferry_json_get_string(args, "migration_id"),
                                 ferry_json_get_string(args, "instance"), error);
    else
        g_info("Request '%s' (%s) is answered with %s: %s", ferry_request_method(request),
               ferry_request_log_id(request), ferry_error_name(error), error->message);
}

/* Runs the method: it has answered when it comes back, or is answered here with its error. */
static void
run_method(const FerryMethodContext *methods, const FerryMethodRow *method, FerryRequest *request)
{
    FerryMethodCall call = ferry_method_call_of(methods, request);
    g_autoptr(GError) error = NULL;

    if (method->run(&call, &error)) {
        g_assert(call.answered);
        return;
    }
    g_assert(error && !call.answered);
    log_failure(request, method, error);
    ferry_request_fail(request, error);
}

static void
run_job(gpointer data, gpointer user_data)
{
    Job *job = data;
    FerryDispatch *self = user_data;

    run_method(&self->methods, job->method, job->request);
    job_free(job);
}

static gboolean
on_deadline(gpointer data)
{
    FerryRequest *request = data;
    const FerryMethodRow *method = ferry_method_find(ferry_request_method(request));
    g_autoptr(GError) error = ferry_error_new(
        FERRY_ERROR_HYPERVISOR_UNAVAILABLE, ferry_libvirt_hint(FERRY_LIBVIRT_IS_SILENT),
        "'%s' did not come to an end in %d s; libvirt may hang", ferry_request_method(request),
        FERRY_REQUEST_LIMIT_S);

    log_failure(request, method, error);
    ferry_request_fail(request, error);
    return G_SOURCE_REMOVE;
}

static void
push(FerryDispatch *self, const FerryMethodRow *method, FerryRequest *request)
{
    Job *job = g_new0(Job, 1);

    job->request = ferry_request_ref(request);
    job->method = method;
    job->deadline = g_timeout_source_new_seconds(FERRY_REQUEST_LIMIT_S);
    g_source_set_callback(job->deadline, on_deadline, ferry_request_ref(request),
                          (GDestroyNotify)ferry_request_unref);
    g_source_attach(job->deadline, self->context);
    g_thread_pool_push(self->pool, job, NULL);
}

void
ferry_dispatch_handle(FerryRequest *request, gpointer dispatch)
{
    FerryDispatch *self = dispatch;
    const FerryMethodRow *method = ferry_method_find(ferry_request_method(request));

    /* The bus hands over what is in the table. */
    g_return_if_fail(method);
    /* On main: it must not block. */
    if ((method->served.flags & FERRY_METHOD_AT_ONCE) != 0)
        run_method(&self->methods, method, request);
    else
        push(self, method, request);
}

FerryDispatch *
ferry_dispatch_new(const FerryMethodContext *methods, GMainContext *context)
{
    FerryDispatch *self = g_new0(FerryDispatch, 1);

    self->methods = *methods;
    self->context = g_main_context_ref(context);
    self->started_at = g_strdup(methods->started_at);
    self->methods.started_at = self->started_at;
    self->pool = g_thread_pool_new(run_job, self, MAX_THREADS, FALSE, NULL);
    return self;
}

void
ferry_dispatch_free(FerryDispatch *self)
{
    gint64 deadline = g_get_monotonic_time() + FREE_WAIT_US;

    if (!self)
        return;
    while (g_thread_pool_get_num_threads(self->pool) > 0 && g_get_monotonic_time() < deadline) {
        g_thread_pool_stop_unused_threads();
        g_usleep(10 * 1000);
    }
    /* A thread that hangs still uses us; the process ends anyway. */
    if (g_thread_pool_get_num_threads(self->pool) > 0)
        return;
    g_thread_pool_free(self->pool, TRUE, FALSE);
    g_main_context_unref(self->context);
    g_free(self->started_at);
    g_free(self);
}
