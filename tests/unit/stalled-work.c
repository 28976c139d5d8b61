#include "config.h"

#include "stalled-work.h"

#include "ferry/error.h"
#include "ferry/lock.h"

void
stalled_work_init(StalledWork *work)
{
    *work = (StalledWork){0};
    g_mutex_init(&work->lock);
    g_cond_init(&work->moved);
}

void
stalled_work_clear(StalledWork *work)
{
    g_mutex_clear(&work->lock);
    g_cond_clear(&work->moved);
}

bool
stalled_work_succeed(gpointer data, GError **error)
{
    StalledWork *work = data;

    work->answer = 42;
    return true;
}

bool
stalled_work_fail(gpointer work, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_INSTANCE_NOT_FOUND, NULL, "gone");
    return false;
}

bool
stalled_work_hang(gpointer data, GError **error)
{
    StalledWork *work = data;
    FERRY_LOCK_SCOPE(&work->lock);

    work->begun++;
    g_cond_broadcast(&work->moved);
    while (!work->open)
        g_cond_wait(&work->moved, &work->lock);
    return true;
}

void
stalled_work_free(gpointer data)
{
    StalledWork *work = data;
    FERRY_LOCK_SCOPE(&work->lock);

    work->freed++;
    g_cond_broadcast(&work->moved);
}

void
stalled_work_let_go(StalledWork *work)
{
    FERRY_LOCK_SCOPE(&work->lock);

    work->open = true;
    g_cond_broadcast(&work->moved);
}

void
stalled_work_wait_begun(StalledWork *work)
{
    FERRY_LOCK_SCOPE(&work->lock);

    while (work->begun == 0)
        g_cond_wait(&work->moved, &work->lock);
}

void
stalled_work_wait_freed(StalledWork *work)
{
    FERRY_LOCK_SCOPE(&work->lock);

    while (work->freed == 0)
        g_cond_wait(&work->moved, &work->lock);
    g_assert_cmpuint(work->freed, ==, 1);
}

void
stalled_work_assert_left_behind(StalledWork *work)
{
    g_mutex_lock(&work->lock);
    g_assert_cmpuint(work->freed, ==, 0);
    g_mutex_unlock(&work->lock);
    stalled_work_let_go(work);
    stalled_work_wait_freed(work);
}

static gpointer
cancel(gpointer cancellable)
{
    g_usleep(20 * 1000);
    g_cancellable_cancel(cancellable);
    return NULL;
}

GThread *
stalled_work_cancel_soon(GCancellable *cancellable)
{
    return g_thread_new("cancel", cancel, cancellable);
}
