/* Calls that are waited for no longer than a limit. */
#include "config.h"

#include "ferry/error.h"
#include "runtime/bounded-call.h"
#include "stalled-work.h"

static gpointer
call(StalledWork *work,
     FerryDetachedFunc func,
     guint limit_s,
     GCancellable *cancellable,
     GError **error)
{
    FerryDetachedWork detached = {
        .thread = "vf-test", .func = func, .data = work, .free_data = stalled_work_free};

    return ferry_bounded_call(&detached, limit_s, "Looking", cancellable, error);
}

/* Also the thread has let go of it then. */
static void
finish(StalledWork *work)
{
    g_assert_true(ferry_detached_calls_await_none(10000));
    stalled_work_clear(work);
}

static void
test_success(void)
{
    g_autoptr(GError) error = NULL;
    StalledWork work;

    stalled_work_init(&work);
    g_assert_true(call(&work, stalled_work_succeed, 10, NULL, &error) == &work);
    g_assert_no_error(error);
    g_assert_cmpuint(work.answer, ==, 42);
    g_assert_true(ferry_detached_calls_await_none(10000));
    g_assert_cmpuint(work.freed, ==, 0);
    finish(&work);
}

static void
test_failure(void)
{
    g_autoptr(GError) error = NULL;
    StalledWork work;

    stalled_work_init(&work);
    g_assert_null(call(&work, stalled_work_fail, 10, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND);
    stalled_work_wait_freed(&work);
    finish(&work);
}

/* The caller goes on; what hung frees its data when it ends at last. */
static void
test_hanging(void)
{
    g_autoptr(GError) error = NULL;
    StalledWork work;

    stalled_work_init(&work);
    g_assert_null(call(&work, stalled_work_hang, 0, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE);
    g_assert_nonnull(strstr(error->message, "Looking"));
    stalled_work_assert_left_behind(&work);
    finish(&work);
}

/* An order to stop waiting is obeyed while the call hangs, and when it came before. */
static void
test_cancelled(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    GThread *thread = stalled_work_cancel_soon(cancellable);

    for (guint i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        StalledWork work;

        stalled_work_init(&work);
        g_assert_null(call(&work, stalled_work_hang, 600, cancellable, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CANCELLED);
        stalled_work_assert_left_behind(&work);
        finish(&work);
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
