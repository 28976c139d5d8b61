/* Calls that may never come back: who waits, who is told, who frees. */
#include "config.h"

#include "ferry/error.h"
#include "runtime/detached-call.h"
#include "stalled-work.h"

#include <pthread.h>

static FerryDetachedCall *
start(StalledWork *work, FerryDetachedFunc func)
{
    FerryDetachedWork detached = {
        .thread = "vf-test", .func = func, .data = work, .free_data = stalled_work_free};

    return ferry_detached_call_start(&detached);
}

/* Also the thread has let go of it then. */
static void
finish(StalledWork *work)
{
    g_assert_true(ferry_detached_calls_await_none(10000));
    stalled_work_clear(work);
}

static void
assert_over(FerryDetachedCall *call)
{
    g_assert_cmpint(ferry_detached_call_wait(call, 10000, NULL), ==, FERRY_CALL_OVER);
}

/* It is over before anybody waits: its data are there until the holder lets go. */
static void
test_over_before_the_wait(void)
{
    g_autoptr(GError) error = NULL;
    StalledWork work;

    stalled_work_init(&work);
    FerryDetachedCall *call = start(&work, stalled_work_succeed);

    g_assert_true(ferry_detached_calls_await_none(10000));
    g_assert_cmpint(ferry_detached_call_wait(call, 0, NULL), ==, FERRY_CALL_OVER);
    g_assert_true(ferry_detached_call_result(call, &error));
    g_assert_no_error(error);
    g_assert_true(ferry_detached_call_data(call) == &work);
    g_assert_cmpuint(work.answer, ==, 42);
    g_assert_cmpuint(work.freed, ==, 0);
    ferry_detached_call_abandon(call);
    g_assert_cmpuint(work.freed, ==, 1);
    finish(&work);
}

/* Each who asks gets the error. */
static void
test_failure(void)
{
    StalledWork work;

    stalled_work_init(&work);
    FerryDetachedCall *call = start(&work, stalled_work_fail);

    assert_over(call);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(ferry_detached_call_result(call, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND);
    }
    ferry_detached_call_abandon(call);
    finish(&work);
    g_assert_cmpuint(work.freed, ==, 1);
}

/* Data that were taken are not freed by the call. */
static void
test_data_are_taken(void)
{
    StalledWork work;

    stalled_work_init(&work);
    FerryDetachedCall *call = start(&work, stalled_work_succeed);

    assert_over(call);
    g_assert_true(ferry_detached_call_take_data(call) == &work);
    g_assert_null(ferry_detached_call_take_data(call));
    ferry_detached_call_abandon(call);
    finish(&work);
    g_assert_cmpuint(work.freed, ==, 0);
}

/* The time is up, twice; then the call ends after all. */
static void
test_late(void)
{
    StalledWork work;

    stalled_work_init(&work);
    FerryDetachedCall *call = start(&work, stalled_work_hang);

    g_assert_cmpint(ferry_detached_call_wait(call, 0, NULL), ==, FERRY_CALL_LATE);
    g_assert_cmpint(ferry_detached_call_wait(call, 20, NULL), ==, FERRY_CALL_LATE);
    stalled_work_let_go(&work);
    assert_over(call);
    g_assert_true(ferry_detached_call_result(call, NULL));
    g_assert_cmpuint(work.freed, ==, 0);
    ferry_detached_call_abandon(call);
    stalled_work_wait_freed(&work);
    finish(&work);
}

/* The time is up and nobody waits any more: the thread is the last and frees, once. */
static void
test_abandoned(void)
{
    StalledWork work;

    stalled_work_init(&work);
    FerryDetachedCall *call = start(&work, stalled_work_hang);

    stalled_work_wait_begun(&work);
    ferry_detached_call_abandon(call);
    stalled_work_assert_left_behind(&work);
    finish(&work);
    g_assert_cmpuint(work.freed, ==, 1);
}

/* The waiting ends with its cancellable, while it lasts and when that ended before; the call goes
 * on. */
static void
test_cancelled(void)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    StalledWork work;

    stalled_work_init(&work);
    GThread *thread = stalled_work_cancel_soon(cancellable);
    FerryDetachedCall *call = start(&work, stalled_work_hang);

    for (guint i = 0; i < 2; i++)
        g_assert_cmpint(ferry_detached_call_wait(call, 600000, cancellable), ==,
                        FERRY_CALL_CANCELLED);
    stalled_work_let_go(&work);
    assert_over(call);
    /* What is over is over, wanted or not. */
    g_assert_cmpint(ferry_detached_call_wait(call, 0, cancellable), ==, FERRY_CALL_OVER);
    ferry_detached_call_abandon(call);
    g_thread_join(thread);
    finish(&work);
    g_assert_cmpuint(work.freed, ==, 1);
}

/* Several hold it; each lets go by itself. */
static void
test_several_holders(void)
{
    StalledWork work;

    stalled_work_init(&work);
    FerryDetachedCall *call = start(&work, stalled_work_hang);
    FerryDetachedCall *other = ferry_detached_call_ref(call);

    ferry_detached_call_abandon(call);
    stalled_work_let_go(&work);
    assert_over(other);
    g_assert_true(ferry_detached_calls_await_none(10000));
    g_assert_cmpuint(work.freed, ==, 0);
    ferry_detached_call_abandon(other);
    g_assert_cmpuint(work.freed, ==, 1);
    finish(&work);
}

static void
note_end(gpointer told)
{
    g_atomic_int_inc((gint *)told);
}

/* Whoever holds the call is told of its end; whoever let go is not. */
static void
test_end_is_told(void)
{
    for (guint abandoned = 0; abandoned < 2; abandoned++) {
        gint told = 0;
        StalledWork work;
        FerryDetachedWork detached = {.thread = "vf-test",
                                      .func = stalled_work_hang,
                                      .data = &work,
                                      .free_data = stalled_work_free,
                                      .ended = note_end,
                                      .ended_data = &told};

        stalled_work_init(&work);
        FerryDetachedCall *call = ferry_detached_call_start(&detached);

        if (abandoned)
            ferry_detached_call_abandon(call);
        stalled_work_let_go(&work);
        g_assert_true(ferry_detached_calls_await_none(10000));
        g_assert_cmpint(g_atomic_int_get(&told), ==, abandoned ? 0 : 1);
        if (!abandoned)
            ferry_detached_call_abandon(call);
        g_assert_cmpuint(work.freed, ==, 1);
        finish(&work);
    }
}

/* Calls count as long as they run, held or left behind. */
static void
test_running_are_counted(void)
{
    StalledWork work[2];

    g_assert_true(ferry_detached_calls_await_none(0));
    for (guint i = 0; i < G_N_ELEMENTS(work); i++) {
        stalled_work_init(&work[i]);
        ferry_detached_call_abandon(start(&work[i], stalled_work_hang));
    }
    for (guint i = 0; i < G_N_ELEMENTS(work); i++) {
        g_assert_false(ferry_detached_calls_await_none(5));
        stalled_work_let_go(&work[i]);
        stalled_work_wait_freed(&work[i]);
    }
    g_assert_true(ferry_detached_calls_await_none(10000));
    for (guint i = 0; i < G_N_ELEMENTS(work); i++)
        stalled_work_clear(&work[i]);
}

static bool
read_name(gpointer data, GError **error)
{
    return pthread_getname_np(pthread_self(), data, 16) == 0;
}

static void
test_thread_has_its_name(void)
{
    char name[16] = "";
    FerryDetachedWork work = {.thread = "vf-fifteen-byte", .func = read_name, .data = name};
    g_autoptr(FerryDetachedCall) call = ferry_detached_call_start(&work);

    assert_over(call);
    g_assert_cmpstr(name, ==, "vf-fifteen-byte");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/detached-call/over-before-the-wait", test_over_before_the_wait);
    g_test_add_func("/detached-call/failure", test_failure);
    g_test_add_func("/detached-call/data-are-taken", test_data_are_taken);
    g_test_add_func("/detached-call/late", test_late);
    g_test_add_func("/detached-call/abandoned", test_abandoned);
    g_test_add_func("/detached-call/cancelled", test_cancelled);
    g_test_add_func("/detached-call/several-holders", test_several_holders);
    g_test_add_func("/detached-call/end-is-told", test_end_is_told);
    g_test_add_func("/detached-call/running-are-counted", test_running_are_counted);
    g_test_add_func("/detached-call/thread-has-its-name", test_thread_has_its_name);
    return g_test_run();
}
