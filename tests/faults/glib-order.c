/*
 * Tells ThreadSanitizer what GLib orders between threads. GLib is not built with it, and its locks
 * are futexes of its own, so without this every access under a GMutex would look like a race, and
 * silencing those would silence the real ones as well. Preloaded by tests/faults/threads.
 *
 * Each wrapper calls the real function and names the address by which it orders: what a thread did
 * before a release is seen by a thread that acquires the same address later.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <gio/gio.h>
#include <jansson.h>
#include <sys/auxv.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

/* The address for everything that goes through a main context. */
static char turns;

#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (!real)                                                                                     \
    real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* --- locks ------------------------------------------------------------------------------------ */

void
g_mutex_lock(GMutex *mutex)
{
    REAL(g_mutex_lock);
    real(mutex);
    __tsan_acquire(mutex);
}

void
g_mutex_unlock(GMutex *mutex)
{
    REAL(g_mutex_unlock);
    __tsan_release(mutex);
    real(mutex);
}

void
g_cond_wait(GCond *cond, GMutex *mutex)
{
    REAL(g_cond_wait);
    __tsan_release(mutex);
    real(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean
g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    REAL(g_cond_wait_until);
    __tsan_release(mutex);
    gboolean signalled = real(cond, mutex, end_time);
    __tsan_acquire(mutex);
    return signalled;
}

/* --- references ------------------------------------------------------------------------------- */

static _Thread_local GDestroyNotify clear_last;

static void
clear_after_all(gpointer box)
{
    GDestroyNotify clear = clear_last;

    __tsan_acquire(box);
    clear(box);
}

void
g_atomic_rc_box_release_full(gpointer box, GDestroyNotify clear)
{
    REAL(g_atomic_rc_box_release_full);
    __tsan_release(box);
    clear_last = clear;
    real(box, clear_after_all);
}

/* jansson counts down with release order and deletes without acquiring. */
void
json_delete(json_t *json)
{
    REAL(json_delete);
    __tsan_acquire((void *)&json->refcount);
    real(json);
}

/* --- sources ---------------------------------------------------------------------------------- */

typedef struct {
    GSourceFunc func;
    gpointer data;
    GDestroyNotify notify;
} Callback;

static gboolean
run_callback(gpointer data)
{
    Callback *callback = data;

    __tsan_acquire(&turns);
    return callback->func(callback->data);
}

static void
end_callback(gpointer data)
{
    Callback *callback = data;

    __tsan_acquire(&turns);
    if (callback->notify)
        callback->notify(callback->data);
    g_free(callback);
}

/* Libraries have sources whose functions take other arguments. */
static gboolean
is_our_code(void *address)
{
    Dl_info caller;
    Dl_info program;

    return dladdr(address, &caller) && dladdr((void *)getauxval(AT_PHDR), &program) &&
           caller.dli_fbase == program.dli_fbase;
}

void
g_source_set_callback(GSource *source, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
    REAL(g_source_set_callback);
    if (!is_our_code(__builtin_return_address(0))) {
        real(source, func, data, notify);
        return;
    }

    Callback *callback = g_new0(Callback, 1);

    *callback = (Callback){func, data, notify};
    __tsan_release(&turns);
    real(source, run_callback, callback, end_callback);
}

guint
g_source_attach(GSource *source, GMainContext *context)
{
    REAL(g_source_attach);
    __tsan_release(&turns);
    return real(source, context);
}

/* libvirt's own sources: GLib frees here, under its lock, what it has made in another thread. */
static void
call_for_library(void (*function)(GSource *source), GSource *source)
{
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    function(source);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

void
g_source_destroy(GSource *source)
{
    REAL(g_source_destroy);
    if (!is_our_code(__builtin_return_address(0))) {
        call_for_library(real, source);
        return;
    }
    __tsan_release(&turns);
    real(source);
}

void
g_source_unref(GSource *source)
{
    REAL(g_source_unref);
    if (!is_our_code(__builtin_return_address(0))) {
        call_for_library(real, source);
        return;
    }
    __tsan_release(&turns);
    real(source);
}

void
g_main_context_invoke(GMainContext *context, GSourceFunc func, gpointer data)
{
    REAL(g_main_context_invoke_full);
    Callback *callback = g_new0(Callback, 1);

    *callback = (Callback){func, data, NULL};
    __tsan_release(&turns);
    real(context, G_PRIORITY_DEFAULT, run_callback, callback, end_callback);
}

void
g_main_context_wakeup(GMainContext *context)
{
    REAL(g_main_context_wakeup);
    __tsan_release(&turns);
    real(context);
}

gboolean
g_main_context_iteration(GMainContext *context, gboolean may_block)
{
    REAL(g_main_context_iteration);
    gboolean dispatched = real(context, may_block);

    __tsan_acquire(&turns);
    return dispatched;
}

/* --- pools ------------------------------------------------------------------------------------ */

typedef struct {
    GFunc func;
    gpointer data;
} Work;

static void
run_work(gpointer item, gpointer data)
{
    Work *work = data;

    __tsan_acquire(work);
    work->func(item, work->data);
    __tsan_release(work);
}

GThreadPool *
g_thread_pool_new(GFunc func, gpointer data, gint max, gboolean exclusive, GError **error)
{
    REAL(g_thread_pool_new);
    /* As long as the process: the pool's threads may use it to the end. */
    Work *work = g_new0(Work, 1);

    *work = (Work){func, data};
    return real(run_work, work, max, exclusive, error);
}

gboolean
g_thread_pool_push(GThreadPool *pool, gpointer item, GError **error)
{
    REAL(g_thread_pool_push);
    __tsan_release(pool->user_data);
    return real(pool, item, error);
}

guint
g_thread_pool_get_num_threads(GThreadPool *pool)
{
    REAL(g_thread_pool_get_num_threads);
    guint threads = real(pool);

    __tsan_acquire(pool->user_data);
    return threads;
}

/* --- cancellables ----------------------------------------------------------------------------- */

void
g_cancellable_cancel(GCancellable *cancellable)
{
    REAL(g_cancellable_cancel);
    __tsan_acquire(cancellable);
    __tsan_release(cancellable);
    real(cancellable);
    __tsan_release(cancellable);
}

gboolean
g_cancellable_is_cancelled(GCancellable *cancellable)
{
    REAL(g_cancellable_is_cancelled);
    gboolean cancelled = real(cancellable);

    if (cancellable)
        __tsan_acquire(cancellable);
    return cancelled;
}

gulong
g_cancellable_connect(GCancellable *cancellable,
                      GCallback callback,
                      gpointer data,
                      GDestroyNotify end)
{
    REAL(g_cancellable_connect);
    __tsan_acquire(cancellable);
    __tsan_release(cancellable);
    return real(cancellable, callback, data, end);
}

void
g_cancellable_disconnect(GCancellable *cancellable, gulong handler)
{
    REAL(g_cancellable_disconnect);
    real(cancellable, handler);
    if (cancellable)
        __tsan_acquire(cancellable);
}
