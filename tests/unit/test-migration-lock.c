#include "config.h"

#include "destination/migration-lock.h"

/* What a thread waits for before it releases its lock, and what it has got so far. */
typedef struct {
    FerryMigrationLocks *locks;
    const char *migration_id;
    gint taken; /* atomic */
} Caller;

static gpointer
call(gpointer data)
{
    Caller *caller = data;
    FERRY_MIGRATION_LOCK_SCOPE(caller->locks, caller->migration_id);

    g_atomic_int_set(&caller->taken, 1);
    return NULL;
}

/* Long enough for a thread that is not held up. */
static void
pause_shortly(void)
{
    g_usleep(50 * 1000);
}

static void
test_one_follows_the_other(void)
{
    g_autoptr(FerryMigrationLocks) locks = ferry_migration_locks_new();
    Caller caller = {.locks = locks, .migration_id = "m-1"};
    FerryMigrationLock first = ferry_migration_lock_take(locks, "m-1");
    GThread *thread = g_thread_new("caller", call, &caller);

    pause_shortly();
    g_assert_cmpint(g_atomic_int_get(&caller.taken), ==, 0);
    ferry_migration_lock_release(&first);
    g_thread_join(thread);
    g_assert_cmpint(g_atomic_int_get(&caller.taken), ==, 1);
}

static void
test_others_run_beside_it(void)
{
    g_autoptr(FerryMigrationLocks) locks = ferry_migration_locks_new();
    Caller caller = {.locks = locks, .migration_id = "m-2"};
    FERRY_MIGRATION_LOCK_SCOPE(locks, "m-1");

    g_thread_join(g_thread_new("caller", call, &caller));
    g_assert_cmpint(g_atomic_int_get(&caller.taken), ==, 1);
}

static void
test_scope_releases(void)
{
    g_autoptr(FerryMigrationLocks) locks = ferry_migration_locks_new();

    for (guint i = 0; i < 3; i++) {
        FERRY_MIGRATION_LOCK_SCOPE(locks, "m-1");
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migration-lock/one-follows-the-other", test_one_follows_the_other);
    g_test_add_func("/migration-lock/others-run-beside-it", test_others_run_beside_it);
    g_test_add_func("/migration-lock/scope-releases", test_scope_releases);
    return g_test_run();
}
