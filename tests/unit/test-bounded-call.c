/* Calls that are waited for no longer than a limit. */
#include "config.h"

#include "ferry/error.h"
#include "runtime/bounded-call.h"

typedef struct {
    GMutex gate;
    GCond moved;
    bool open;  /* guarded by gate; a call that waits may end */
    bool freed; /* guarded by gate */
    guint answer;
} Work;

static void
work_init(Work *work)
{
    *work = (Work){0};
    g_mutex_init(&work->gate);
    g_cond_init(&work->moved);
}

static void
work_clear(Work *work)
{
    g_mutex_clear(&work->gate);
    g_cond_clear(&work->moved);
}

static void
note_freed(gpointer data)
{
    Work *work = data;

    g_mutex_lock(&work->gate);
    work->freed = true;
    g_cond_signal(&work->moved);
    g_mutex_unlock(&work->gate);
}

static bool
succeed(gpointer data, GError **error)
{
    ((Work *)data)->answer = 42;
    return true;
}

static bool
fail(gpointer data, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_INSTANCE_NOT_FOUND, NULL, "gone");
    return false;
}

static bool
hang(gpointer data, GError **error)
{
    Work *work = data;

    g_mutex_lock(&work->gate);
    while (!work->open)
        g_cond_wait(&work->moved, &work->gate);
    g_mutex_unlock(&work->gate);
    return true;
}

static void
test_success(void)
{
    g_autoptr(GError) error = NULL;
    Work work;

    work_init(&work);
    g_assert_true(ferry_bounded_call(succeed, &work, note_freed, 10, "It", NULL, &error) == &work);
    g_assert_no_error(error);
    g_assert_cmpuint(work.answer, ==, 42);
    g_assert_false(work.freed);
    work_clear(&work);
}

static void
wait_freed(Work *work)
{
    g_mutex_lock(&work->gate);
    while (!work->freed)
        g_cond_wait(&work->moved, &work->gate);
    g_mutex_unlock(&work->gate);
}

static void
test_failure(void)
{
    g_autoptr(GError) error = NULL;
    Work work;

    work_init(&work);
    g_assert_null(ferry_bounded_call(fail, &work, note_freed, 10, "It", NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND);
    wait_freed(&work);
    work_clear(&work);
}

/* The caller goes on; what hung frees its data when it ends at last. */
static void
assert_left_behind(Work *work)
{
    g_assert_true(ferry_bounded_call_runs());
    g_mutex_lock(&work->gate);
    g_assert_false(work->freed);
    work->open = true;
    g_cond_signal(&work->moved);
    g_mutex_unlock(&work->gate);
    wait_freed(work);
    work_clear(work);
}

static void
test_hanging(void)
{
    g_autoptr(GError) error = NULL;
    Work work;

    work_init(&work);
    g_assert_null(ferry_bounded_call(hang, &work, note_freed, 0, "Looking", NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
    g_assert_nonnull(strstr(error->message, "Looking"));
    assert_left_behind(&work);
}

static gpointer
cancel(gpointer cancellable)
{
    g_usleep(20 * 1000);
    g_cancellable_cancel(cancellable);
    return NULL;
}

/* An order to stop waiting is obeyed while the call hangs, and when it came before. */
static void
test_cancelled(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    GThread *thread = g_thread_new("cancel", cancel, cancellable);

    for (guint i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        Work work;

        work_init(&work);
        g_assert_null(ferry_bounded_call(hang, &work, note_freed, 600, "It", cancellable, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CANCELLED);
        assert_left_behind(&work);
    }
    g_thread_join(thread);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bounded-call/success", test_success);
    g_test_add_func("/bounded-call/failure", test_failure);
    g_test_add_func("/bounded-call/hanging", test_hanging);
    g_test_add_func("/bounded-call/cancelled", test_cancelled);
    return g_test_run();
}
