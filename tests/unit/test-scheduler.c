/* The scheduler with a saga of one step that waits until the test lets it go. */
#include "config.h"

#include "source/scheduler.h"

#include "ferry/error.h"
#include "journal/journal.h"
#include "scratch-folder.h"

#define DETACH_MS 5000

/* What the threads of the migrations and the test tell each other. */
static GMutex lock;
static GCond changed;
static GString *order; /* the migrations in the order in which they began */
static guint began;
static guint released;
static guint in_errors;
static FerryStepEnd outcome;

static FerryStepEnd
wait_for_release(FerryMigration *migration, bool resumed, GError **error)
{
    g_mutex_lock(&lock);
    g_string_append_printf(order, "%s ", ferry_migration_id(migration));
    began++;
    g_cond_broadcast(&changed);
    while (released == 0 && !ferry_migration_is_detached(migration))
        g_cond_wait_until(&changed, &lock, g_get_monotonic_time() + G_TIME_SPAN_MILLISECOND);
    if (!ferry_migration_is_detached(migration))
        released--;
    FerryStepEnd end = ferry_migration_is_detached(migration) ? FERRY_STEP_DETACHED : outcome;
    g_mutex_unlock(&lock);
    if (end == FERRY_STEP_ERROR)
        ferry_set_error(error, FERRY_ERROR_OUTCOME_UNKNOWN, NULL, "Nobody knows");
    return end;
}

static void
report(FerryMigration *migration)
{
}

static const FerrySagaStep steps[] = {
    {.name = "wait", .status = FERRY_STATUS_RUNNING, .run = wait_for_release},
    {.name = "finish",
     .status = FERRY_STATUS_POST_MIGRATING,
     .run = wait_for_release,
     .point_of_no_return = true,
     .read_only = true},
    {0},
};

static const FerrySaga waiting_saga = {.steps = steps, .report = report};

static void
let_go(guint steps_count)
{
    g_mutex_lock(&lock);
    released += steps_count;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

static void
wait_until_began(guint count)
{
    g_mutex_lock(&lock);
    while (began < count)
        g_cond_wait(&changed, &lock);
    g_mutex_unlock(&lock);
}

static void
count_error(gpointer data)
{
    g_mutex_lock(&lock);
    in_errors++;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

typedef struct {
    char *folder;
    FerryConfig *config;
    FerryAgent agent;
    FerryScheduler *scheduler;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const char *const no_files[] = {NULL};

    order = g_string_new(NULL);
    began = released = in_errors = 0;
    outcome = FERRY_STEP_DONE;
    fixture->folder = ferry_scratch_make();
    fixture->config = ferry_config_load(no_files, &error);
    g_assert_no_error(error);
    fixture->config->max_concurrent_live_migrations = 1;
    fixture->agent.config = fixture->config;
    fixture->agent.stopping = g_cancellable_new();
    fixture->agent.journal = ferry_journal_open(fixture->folder, &error);
    g_assert_no_error(error);
    fixture->scheduler = ferry_scheduler_new(&fixture->agent, &waiting_saga, count_error, NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    g_assert_true(ferry_scheduler_detach(fixture->scheduler, DETACH_MS));
    ferry_scheduler_free(fixture->scheduler);
    ferry_journal_close(fixture->agent.journal);
    g_object_unref(fixture->agent.stopping);
    ferry_config_free(fixture->config);
    ferry_scratch_remove(fixture->folder);
    g_string_free(order, TRUE);
}

static FerryMigration *
make_migration(Fixture *fixture, const char *id, FerryStatus status, FerryPriority priority)
{
    g_autoptr(GError) error = NULL;
    FerryRecord *record = ferry_record_new(id, FERRY_ROLE_SOURCE);
    FerryOrderOptions *options = ferry_order_options_parse(NULL, fixture->config, &error);

    g_assert_no_error(error);
    options->priority = priority;
    record->instance_name = g_strdup(id);
    record->instance_uuid = g_strdup(id);
    record->status = status;
    g_assert_true(ferry_journal_add(fixture->agent.journal, record, &error));
    /* No agent leaves a record that runs, and no step of it. */
    if (status == FERRY_STATUS_RUNNING)
        g_assert_true(
            ferry_journal_step_begin(fixture->agent.journal, record, steps[0].name, &error));
    return ferry_migration_new(&fixture->agent, record, options);
}

static void
note_status(const char *id, FerryStatus status, gpointer data)
{
    *(FerryStatus *)data = status;
}

static FerryStatus
add_with(Fixture *fixture, const char *id, FerryStatus status, FerryPriority priority)
{
    FerryStatus admitted = FERRY_STATUS_ERROR;
    g_autoptr(FerryMigration) migration = make_migration(fixture, id, status, priority);

    ferry_scheduler_add(fixture->scheduler, migration, note_status, &admitted);
    return admitted;
}

static FerryStatus
add(Fixture *fixture, const char *id, FerryStatus status)
{
    return add_with(fixture, id, status, FERRY_PRIORITY_NORMAL);
}

static void
assert_count(Fixture *fixture, guint used, guint queued)
{
    guint used_now = 0;
    guint queued_now = 0;

    ferry_scheduler_count(fixture->scheduler, &used_now, &queued_now);
    g_assert_cmpuint(used_now, ==, used);
    g_assert_cmpuint(queued_now, ==, queued);
}

static void
assert_journaled(Fixture *fixture, const char *id, FerryStatus status)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record =
        ferry_journal_get(fixture->agent.journal, id, FERRY_ROLE_SOURCE, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_status_to_string(record->status), ==, ferry_status_to_string(status));
}

static void
wait_until_gone(Fixture *fixture, const char *id)
{
    for (;;) {
        g_autoptr(FerryMigration) migration = ferry_scheduler_find(fixture->scheduler, id);

        if (!migration)
            return;
        g_usleep(1000);
    }
}

/* --- the queue -------------------------------------------------------------------------------- */

static void
test_one_after_the_other(Fixture *fixture, gconstpointer user_data)
{
    g_assert_cmpint(add(fixture, "m-1", FERRY_STATUS_ACCEPTED), ==, FERRY_STATUS_ACCEPTED);
    g_assert_cmpint(add(fixture, "m-2", FERRY_STATUS_ACCEPTED), ==, FERRY_STATUS_QUEUED);
    g_assert_cmpint(add(fixture, "m-3", FERRY_STATUS_ACCEPTED), ==, FERRY_STATUS_QUEUED);
    wait_until_began(1);
    assert_count(fixture, 1, 2);
    assert_journaled(fixture, "m-1", FERRY_STATUS_RUNNING);
    assert_journaled(fixture, "m-2", FERRY_STATUS_QUEUED);
    let_go(2);
    wait_until_began(3);
    assert_count(fixture, 1, 1);
    assert_journaled(fixture, "m-1", FERRY_STATUS_COMPLETED);
    let_go(4);
    wait_until_gone(fixture, "m-2");
    wait_until_gone(fixture, "m-3");
    assert_count(fixture, 0, 0);
    g_assert_cmpstr(order->str, ==, "m-1 m-1 m-2 m-2 m-3 m-3 ");
}

static void
test_by_priority(Fixture *fixture, gconstpointer user_data)
{
    (void)add(fixture, "run", FERRY_STATUS_ACCEPTED);
    wait_until_began(1);
    (void)add_with(fixture, "low", FERRY_STATUS_ACCEPTED, FERRY_PRIORITY_LOW);
    (void)add(fixture, "n-1", FERRY_STATUS_ACCEPTED);
    (void)add_with(fixture, "h-1", FERRY_STATUS_ACCEPTED, FERRY_PRIORITY_HIGH);
    (void)add(fixture, "n-2", FERRY_STATUS_ACCEPTED);
    (void)add_with(fixture, "h-2", FERRY_STATUS_ACCEPTED, FERRY_PRIORITY_HIGH);
    assert_count(fixture, 1, 5);
    let_go(12);
    wait_until_gone(fixture, "low");
    g_assert_cmpstr(order->str, ==, "run run h-1 h-1 h-2 h-2 n-1 n-1 n-2 n-2 low low ");
}

static void
test_limits(Fixture *fixture, gconstpointer user_data)
{
    fixture->config->max_concurrent_live_migrations = 2;
    (void)add(fixture, "m-1", FERRY_STATUS_ACCEPTED);
    (void)add(fixture, "m-2", FERRY_STATUS_ACCEPTED);
    (void)add(fixture, "m-3", FERRY_STATUS_ACCEPTED);
    wait_until_began(2);
    assert_count(fixture, 2, 1);
    /* 0 is no limit. */
    fixture->config->max_concurrent_live_migrations = 0;
    /* But nobody overtakes those who wait. */
    g_assert_cmpint(add(fixture, "m-4", FERRY_STATUS_ACCEPTED), ==, FERRY_STATUS_QUEUED);
    wait_until_began(4);
    assert_count(fixture, 4, 0);
}

/* --- after a restart -------------------------------------------------------------------------- */

typedef struct {
    const char *id;
    FerryStatus status;
    FerryPriority priority;
} Left;

static void
take_up(Fixture *fixture, const Left *left, guint count)
{
    g_autoptr(GPtrArray) migrations =
        g_ptr_array_new_with_free_func((GDestroyNotify)ferry_migration_unref);

    for (guint i = 0; i < count; i++)
        g_ptr_array_add(migrations,
                        make_migration(fixture, left[i].id, left[i].status, left[i].priority));
    ferry_scheduler_take_up(fixture->scheduler, migrations);
}

/* What was under way has its slot, whatever the limit is now. */
static void
test_taken_up(Fixture *fixture, gconstpointer user_data)
{
    static const Left left[] = {
        {"m-1", FERRY_STATUS_RUNNING, FERRY_PRIORITY_NORMAL},
        {"m-2", FERRY_STATUS_RUNNING, FERRY_PRIORITY_NORMAL},
        {"m-3", FERRY_STATUS_QUEUED, FERRY_PRIORITY_NORMAL},
    };

    take_up(fixture, left, G_N_ELEMENTS(left));
    wait_until_began(2);
    assert_count(fixture, 2, 1);
}

/* Older ones that waited find no slot before a newer one that runs is counted. */
static void
test_taken_up_within_the_limit(Fixture *fixture, gconstpointer user_data)
{
    static const Left left[] = {
        {"old-low", FERRY_STATUS_QUEUED, FERRY_PRIORITY_LOW},
        {"old", FERRY_STATUS_ACCEPTED, FERRY_PRIORITY_NORMAL},
        {"new-high", FERRY_STATUS_RUNNING, FERRY_PRIORITY_HIGH},
    };

    take_up(fixture, left, G_N_ELEMENTS(left));
    wait_until_began(1);
    assert_count(fixture, 1, 2);
    assert_journaled(fixture, "old", FERRY_STATUS_QUEUED);
    let_go(6);
    wait_until_gone(fixture, "old-low");
    g_assert_cmpstr(order->str, ==, "new-high new-high old old old-low old-low ");
}

/* Nothing runs: the slot is not that of the oldest, but of the first by priority and age. */
static void
test_taken_up_by_priority(Fixture *fixture, gconstpointer user_data)
{
    static const Left left[] = {
        {"low", FERRY_STATUS_QUEUED, FERRY_PRIORITY_LOW},
        {"n-1", FERRY_STATUS_QUEUED, FERRY_PRIORITY_NORMAL},
        {"h-1", FERRY_STATUS_ACCEPTED, FERRY_PRIORITY_HIGH},
        {"h-2", FERRY_STATUS_QUEUED, FERRY_PRIORITY_HIGH},
    };

    take_up(fixture, left, G_N_ELEMENTS(left));
    wait_until_began(1);
    assert_count(fixture, 1, 3);
    let_go(8);
    wait_until_gone(fixture, "low");
    g_assert_cmpstr(order->str, ==, "h-1 h-1 h-2 h-2 n-1 n-1 low low ");
}

/* The agent died between the order to abort and the end of what waited. */
static void
test_taken_up_to_be_aborted(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) migrations =
        g_ptr_array_new_with_free_func((GDestroyNotify)ferry_migration_unref);
    FerryMigration *aborted =
        make_migration(fixture, "m-1", FERRY_STATUS_QUEUED, FERRY_PRIORITY_NORMAL);

    g_ptr_array_add(migrations, aborted);
    g_ptr_array_add(migrations,
                    make_migration(fixture, "m-2", FERRY_STATUS_QUEUED, FERRY_PRIORITY_NORMAL));
    g_assert_true(ferry_migration_request_abort(aborted, &error));
    ferry_scheduler_take_up(fixture->scheduler, migrations);
    assert_journaled(fixture, "m-1", FERRY_STATUS_CANCELLED);
    wait_until_began(1);
    assert_count(fixture, 1, 0);
    g_assert_cmpstr(order->str, ==, "m-2 ");
}

static void
test_find(Fixture *fixture, gconstpointer user_data)
{
    (void)add(fixture, "m-1", FERRY_STATUS_ACCEPTED);
    (void)add(fixture, "m-2", FERRY_STATUS_ACCEPTED);

    g_autoptr(FerryMigration) running = ferry_scheduler_find(fixture->scheduler, "m-1");
    g_autoptr(FerryMigration) waiting = ferry_scheduler_find(fixture->scheduler, "m-2");

    g_assert_cmpstr(ferry_migration_id(running), ==, "m-1");
    g_assert_cmpstr(ferry_migration_id(waiting), ==, "m-2");
    g_assert_null(ferry_scheduler_find(fixture->scheduler, "m-3"));
}

/* --- orders and ends -------------------------------------------------------------------------- */

static void
test_abort_in_the_queue(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    (void)add(fixture, "m-1", FERRY_STATUS_ACCEPTED);
    (void)add(fixture, "m-2", FERRY_STATUS_ACCEPTED);
    (void)add(fixture, "m-3", FERRY_STATUS_ACCEPTED);

    g_autoptr(FerryMigration) waiting = ferry_scheduler_find(fixture->scheduler, "m-2");

    g_assert_true(ferry_scheduler_abort(fixture->scheduler, waiting, &error));
    g_assert_no_error(error);
    assert_journaled(fixture, "m-2", FERRY_STATUS_CANCELLED);
    wait_until_began(1);
    assert_count(fixture, 1, 1);
    g_assert_null(ferry_scheduler_find(fixture->scheduler, "m-2"));
    g_assert_false(ferry_scheduler_abort(fixture->scheduler, waiting, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
    let_go(4);
    wait_until_gone(fixture, "m-3");
    g_assert_cmpstr(order->str, ==, "m-1 m-1 m-3 m-3 ");
}

static void
test_error_is_told(Fixture *fixture, gconstpointer user_data)
{
    outcome = FERRY_STEP_ERROR;
    (void)add(fixture, "m-1", FERRY_STATUS_ACCEPTED);
    let_go(1);
    wait_until_gone(fixture, "m-1");
    assert_journaled(fixture, "m-1", FERRY_STATUS_ERROR);
    g_assert_cmpuint(in_errors, ==, 1);

    outcome = FERRY_STEP_DONE;
    (void)add(fixture, "m-2", FERRY_STATUS_ACCEPTED);
    let_go(2);
    wait_until_gone(fixture, "m-2");
    assert_journaled(fixture, "m-2", FERRY_STATUS_COMPLETED);
    g_assert_cmpuint(in_errors, ==, 1);
}

static void
test_detach(Fixture *fixture, gconstpointer user_data)
{
    (void)add(fixture, "m-1", FERRY_STATUS_ACCEPTED);
    (void)add(fixture, "m-2", FERRY_STATUS_ACCEPTED);
    wait_until_began(1);
    g_assert_true(ferry_scheduler_detach(fixture->scheduler, DETACH_MS));
    /* The next start takes both up; the free slot tempts nobody. */
    assert_journaled(fixture, "m-1", FERRY_STATUS_RUNNING);
    assert_journaled(fixture, "m-2", FERRY_STATUS_QUEUED);
    g_assert_cmpstr(order->str, ==, "m-1 ");
    g_assert_cmpint(add(fixture, "m-3", FERRY_STATUS_ACCEPTED), ==, FERRY_STATUS_QUEUED);
    assert_count(fixture, 0, 2);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("/scheduler/one-after-the-other", test_one_after_the_other);
    ADD("/scheduler/by-priority", test_by_priority);
    ADD("/scheduler/limits", test_limits);
    ADD("/scheduler/taken-up/all-that-ran", test_taken_up);
    ADD("/scheduler/taken-up/within-the-limit", test_taken_up_within_the_limit);
    ADD("/scheduler/taken-up/by-priority", test_taken_up_by_priority);
    ADD("/scheduler/taken-up/to-be-aborted", test_taken_up_to_be_aborted);
    ADD("/scheduler/find", test_find);
    ADD("/scheduler/abort-in-the-queue", test_abort_in_the_queue);
    ADD("/scheduler/error-is-told", test_error_is_told);
    ADD("/scheduler/detach", test_detach);
    return g_test_run();
}
