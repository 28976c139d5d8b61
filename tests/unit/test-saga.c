/* The saga with steps that do nothing but tell, on a real journal. */
#include "config.h"

#include "source/saga.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "scratch-folder.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

/* How each step behaves in the test that runs; a step runs in the test's own thread. */
typedef struct {
    FerryStepEnd end;
    bool undo_fails;
    void (*meanwhile)(FerryMigration *migration); /* NULL: nothing happens while it runs */
} Behaviour;

enum { CHECK, PREPARE, TRANSFER, FINISH, STEP_COUNT };

static Behaviour behaviours[STEP_COUNT];
static GString *story;

static void
tell(const char *verb, const char *step)
{
    g_string_append_printf(story, "%s%s %s", story->len > 0 ? ", " : "", verb, step);
}

static FerryStepEnd
run_step(FerryMigration *migration, int index, const char *name, bool resumed, GError **error)
{
    const Behaviour *behaviour = &behaviours[index];

    tell(resumed ? "resume" : "run", name);
    if (behaviour->meanwhile)
        behaviour->meanwhile(migration);
    if (behaviour->end == FERRY_STEP_FAILED || behaviour->end == FERRY_STEP_ERROR)
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL, "%s went wrong", name);
    return behaviour->end;
}

static bool
undo_step(int index, const char *name, GError **error)
{
    tell("undo", name);
    if (!behaviours[index].undo_fails)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL, "%s cannot be undone", name);
    return false;
}

#define RUN(function, index, name)                                                                 \
    static FerryStepEnd function(FerryMigration *migration, bool resumed, GError **error)          \
    {                                                                                              \
        return run_step(migration, index, name, resumed, error);                                   \
    }
#define UNDO(function, index, name)                                                                \
    static bool function(FerryMigration *migration, GError **error)                                \
    {                                                                                              \
        return undo_step(index, name, error);                                                      \
    }

RUN(run_check, CHECK, "check")
RUN(run_prepare, PREPARE, "prepare")
RUN(run_transfer, TRANSFER, "transfer")
RUN(run_finish, FINISH, "finish")
UNDO(undo_prepare, PREPARE, "prepare")
UNDO(undo_transfer, TRANSFER, "transfer")

static const FerrySagaStep steps[] = {
    {.name = "check", .status = FERRY_STATUS_PREPARING, .run = run_check},
    {.name = "prepare", .status = FERRY_STATUS_PREPARING, .run = run_prepare, .undo = undo_prepare},
    {.name = "transfer",
     .status = FERRY_STATUS_RUNNING,
     .run = run_transfer,
     .undo = undo_transfer},
    {.name = "finish",
     .status = FERRY_STATUS_POST_MIGRATING,
     .run = run_finish,
     .point_of_no_return = true,
     .read_only = true},
    {0},
};

static void
limit_files(rlim_t bytes)
{
    struct rlimit limit = {0};

    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    limit.rlim_cur = MIN(bytes, limit.rlim_max);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void
report(FerryMigration *migration)
{
    limit_files(RLIM_INFINITY);
    tell("report", "it");
    ferry_migration_set_report(migration, json_pack("{s:i}", "total_ms", 1));
}

static const FerrySaga saga = {.steps = steps, .report = report};

/* --- one life of a migration ------------------------------------------------------------------ */

typedef struct {
    char *folder;
    FerryConfig *config;
    FerryAgent agent;
    FerryMigration *migration;
} Fixture;

static void
open_journal(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->agent.journal = ferry_journal_open(fixture->folder, &error);
    g_assert_no_error(error);
    ferry_journal_enable_events(fixture->agent.journal, true);
}

static void
take_up(Fixture *fixture, FerryRecord *record)
{
    g_autoptr(GError) error = NULL;
    FerryOrderOptions *options = ferry_order_options_parse(NULL, fixture->config, &error);

    g_assert_no_error(error);
    fixture->migration = ferry_migration_new(&fixture->agent, record, options);
}

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    const char *const no_files[] = {NULL};
    FerryRecord *record = ferry_record_new("m-1", FERRY_ROLE_SOURCE);

    memset(behaviours, 0, sizeof behaviours);
    story = g_string_new(NULL);
    fixture->folder = ferry_scratch_make();
    fixture->config = ferry_config_load(no_files, &error);
    g_assert_no_error(error);
    fixture->agent.config = fixture->config;
    fixture->agent.stopping = g_cancellable_new();
    open_journal(fixture);
    record->instance_name = g_strdup("web-1");
    record->instance_uuid = g_strdup("uuid-1");
    g_assert_true(ferry_journal_add(fixture->agent.journal, record, &error));
    take_up(fixture, record);
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    ferry_migration_unref(fixture->migration);
    ferry_journal_close(fixture->agent.journal);
    g_object_unref(fixture->agent.stopping);
    ferry_config_free(fixture->config);
    ferry_scratch_remove(fixture->folder);
    g_string_free(story, TRUE);
}

/* The agent is another one now: it knows what the journal knows. */
static void
restart(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    ferry_migration_unref(fixture->migration);
    ferry_journal_close(fixture->agent.journal);
    open_journal(fixture);

    FerryRecord *record =
        ferry_journal_get(fixture->agent.journal, "m-1", FERRY_ROLE_SOURCE, &error);

    g_assert_no_error(error);
    take_up(fixture, record);
    g_string_truncate(story, 0);
}

static void
run(Fixture *fixture)
{
    ferry_saga_run(fixture->migration, &saga);
}

static void
assert_ended(Fixture *fixture, FerryStatus status, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record =
        ferry_journal_get(fixture->agent.journal, "m-1", FERRY_ROLE_SOURCE, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_status_to_string(record->status), ==, ferry_status_to_string(status));
    g_assert_cmpstr(ferry_json_get_string(record->error, "message"), ==, message);
    g_assert_cmpint(record->ended_us != 0, ==, ferry_status_is_terminal(status));
}

/* The events that wait, without "migration.". */
static void
assert_events(Fixture *fixture, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries =
        ferry_journal_outbox_peek(fixture->agent.journal, 0, 100, &error);
    g_autoptr(GString) found = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < entries->len; i++) {
        const FerryOutboxEntry *entry = g_ptr_array_index(entries, i);

        g_string_append_printf(found, "%s%s", i > 0 ? " " : "",
                               entry->event_type + strlen("migration."));
        g_assert_cmpint(ferry_json_get_int(entry->payload, "seq", 0), ==, i + 1);
    }
    g_assert_cmpstr(found->str, ==, expected);
}

static void
assert_steps(Fixture *fixture, const char *expected)
{
    g_autoptr(FerryJson) journaled =
        ferry_journal_steps(fixture->agent.journal, "m-1", FERRY_ROLE_SOURCE);
    g_autoptr(GString) found = g_string_new(NULL);
    json_t *step = NULL;
    gsize index = 0;

    json_array_foreach(journaled, index, step)
        g_string_append_printf(found, "%s%s %s", index > 0 ? ", " : "",
                               ferry_json_get_string(step, "name"),
                               ferry_json_get_string(step, "state"));
    g_assert_cmpstr(found->str, ==, expected);
}

/* --- the ways through ------------------------------------------------------------------------- */

static void
test_completes(Fixture *fixture, gconstpointer user_data)
{
    run(fixture);
    g_assert_cmpstr(story->str, ==, "run check, run prepare, run transfer, run finish, report it");
    assert_ended(fixture, FERRY_STATUS_COMPLETED, NULL);
    assert_events(fixture, "accepted preparing running post_migrating completed");
    assert_steps(fixture, "check done, prepare done, transfer done, finish done");
}

static void
test_fails(Fixture *fixture, gconstpointer user_data)
{
    behaviours[TRANSFER].end = FERRY_STEP_FAILED;
    run(fixture);
    g_assert_cmpstr(story->str, ==,
                    "run check, run prepare, run transfer, undo transfer, undo prepare, report it");
    assert_ended(fixture, FERRY_STATUS_FAILED, "transfer went wrong");
    assert_events(fixture, "accepted preparing running failed");
    assert_steps(fixture, "check done, prepare undone, transfer undone");
}

static void
test_fails_at_first(Fixture *fixture, gconstpointer user_data)
{
    behaviours[CHECK].end = FERRY_STEP_FAILED;
    run(fixture);
    g_assert_cmpstr(story->str, ==, "run check, report it");
    assert_ended(fixture, FERRY_STATUS_FAILED, "check went wrong");
    assert_events(fixture, "accepted preparing failed");
}

static void
test_error_undoes_nothing(Fixture *fixture, gconstpointer user_data)
{
    behaviours[TRANSFER].end = FERRY_STEP_ERROR;
    run(fixture);
    g_assert_cmpstr(story->str, ==, "run check, run prepare, run transfer, report it");
    assert_ended(fixture, FERRY_STATUS_ERROR, "transfer went wrong");
    assert_events(fixture, "accepted preparing running error");
    assert_steps(fixture, "check done, prepare done, transfer failed");
}

static void
test_undo_fails(Fixture *fixture, gconstpointer user_data)
{
    behaviours[TRANSFER].end = FERRY_STEP_FAILED;
    behaviours[TRANSFER].undo_fails = true;
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*transfer*cannot be undone*");
    run(fixture);
    g_test_assert_expected_messages();
    /* The rest is undone all the same. */
    g_assert_cmpstr(story->str, ==,
                    "run check, run prepare, run transfer, undo transfer, undo prepare, report it");
    assert_ended(fixture, FERRY_STATUS_ERROR, "transfer cannot be undone");
    assert_events(fixture, "accepted preparing running error");
    assert_steps(fixture, "check done, prepare undone, transfer failed");
}

/* --- orders to abort -------------------------------------------------------------------------- */

static void
abort_it(FerryMigration *migration)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_migration_request_abort(migration, &error));
    g_assert_no_error(error);
}

static void
test_aborted_before(Fixture *fixture, gconstpointer user_data)
{
    abort_it(fixture->migration);
    run(fixture);
    g_assert_cmpstr(story->str, ==, "report it");
    assert_ended(fixture, FERRY_STATUS_CANCELLED, NULL);
    assert_events(fixture, "accepted cancelled");
}

static void
test_aborted_between(Fixture *fixture, gconstpointer user_data)
{
    behaviours[PREPARE].meanwhile = abort_it;
    run(fixture);
    g_assert_cmpstr(story->str, ==,
                    "run check, run prepare, undo transfer, undo prepare, report it");
    assert_ended(fixture, FERRY_STATUS_CANCELLED, NULL);
    assert_events(fixture, "accepted preparing cancelled");
}

static void
test_aborted_within(Fixture *fixture, gconstpointer user_data)
{
    behaviours[TRANSFER] = (Behaviour){.end = FERRY_STEP_FAILED, .meanwhile = abort_it};
    run(fixture);
    assert_ended(fixture, FERRY_STATUS_CANCELLED, NULL);
    assert_events(fixture, "accepted preparing running cancelled");
}

static void
abort_in_vain(FerryMigration *migration)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(ferry_migration_request_abort(migration, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_MIGRATION_STATE);
}

static void
test_aborted_too_late(Fixture *fixture, gconstpointer user_data)
{
    behaviours[FINISH].meanwhile = abort_in_vain;
    run(fixture);
    assert_ended(fixture, FERRY_STATUS_COMPLETED, NULL);
    abort_in_vain(fixture->migration);
}

/* Asked for while the last step with a way back succeeded: the instance has moved. */
static void
test_aborted_in_vain(Fixture *fixture, gconstpointer user_data)
{
    behaviours[TRANSFER].meanwhile = abort_it;
    run(fixture);
    assert_ended(fixture, FERRY_STATUS_COMPLETED, NULL);
}

/* --- other lives ------------------------------------------------------------------------------ */

static void
test_detached(Fixture *fixture, gconstpointer user_data)
{
    behaviours[TRANSFER] =
        (Behaviour){.end = FERRY_STEP_DETACHED, .meanwhile = ferry_migration_detach};
    run(fixture);
    g_assert_cmpstr(story->str, ==, "run check, run prepare, run transfer");
    assert_ended(fixture, FERRY_STATUS_RUNNING, NULL);
    assert_events(fixture, "accepted preparing running");

    restart(fixture);
    behaviours[TRANSFER] = (Behaviour){0};
    run(fixture);
    g_assert_cmpstr(story->str, ==, "resume transfer, run finish, report it");
    assert_ended(fixture, FERRY_STATUS_COMPLETED, NULL);
    assert_events(fixture, "accepted preparing running post_migrating completed");
}

/* Acknowledged, then the agent died: the next one knows of the order. */
static void
test_abort_outlives(Fixture *fixture, gconstpointer user_data)
{
    behaviours[PREPARE] = (Behaviour){.end = FERRY_STEP_DETACHED, .meanwhile = abort_it};
    run(fixture);
    restart(fixture);
    g_assert_true(ferry_migration_abort_requested(fixture->migration));
    behaviours[PREPARE] = (Behaviour){0};
    run(fixture);
    g_assert_cmpstr(story->str, ==, "resume prepare, undo transfer, undo prepare, report it");
    assert_ended(fixture, FERRY_STATUS_CANCELLED, NULL);
    assert_events(fixture, "accepted preparing cancelled");
}

static void
test_resumed_and_failed(Fixture *fixture, gconstpointer user_data)
{
    behaviours[TRANSFER].end = FERRY_STEP_DETACHED;
    run(fixture);
    restart(fixture);
    behaviours[TRANSFER].end = FERRY_STEP_FAILED;
    run(fixture);
    /* What an earlier life did is undone too. */
    g_assert_cmpstr(story->str, ==, "resume transfer, undo transfer, undo prepare, report it");
    assert_ended(fixture, FERRY_STATUS_FAILED, "transfer went wrong");
    assert_steps(fixture, "check done, prepare undone, transfer undone");
}

/* What the journal holds when the agent died in the first undo, or after it. */
static void
die_while_undoing(Fixture *fixture, FerryErrorCode cause, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) why = ferry_error_new(cause, NULL, "the cause");
    FerryJournal *journal = fixture->agent.journal;

    behaviours[TRANSFER].end = FERRY_STEP_DETACHED;
    run(fixture);

    ferry_migration_set_error(fixture->migration, why);
    ferry_migration_save(fixture->migration);
    g_assert_true(ferry_journal_step_end(journal, ferry_migration_record(fixture->migration),
                                         "transfer", state, &error));
    restart(fixture);
    behaviours[TRANSFER].end = FERRY_STEP_DONE;
    run(fixture);
    g_assert_cmpstr(story->str, ==, "undo transfer, undo prepare, report it");
    assert_steps(fixture, "check done, prepare undone, transfer undone");
}

static void
test_killed_while_undoing(Fixture *fixture, gconstpointer user_data)
{
    die_while_undoing(fixture, FERRY_ERROR_MIGRATION_ERROR, "undone");
    assert_ended(fixture, FERRY_STATUS_FAILED, "the cause");
    assert_events(fixture, "accepted preparing running failed");
}

/* What is half undone is not built on. */
static void
test_killed_in_an_undo(Fixture *fixture, gconstpointer user_data)
{
    die_while_undoing(fixture, FERRY_ERROR_MIGRATION_ERROR, "undoing");
    assert_ended(fixture, FERRY_STATUS_FAILED, "the cause");
}

static void
test_killed_while_cancelling(Fixture *fixture, gconstpointer user_data)
{
    die_while_undoing(fixture, FERRY_ERROR_CANCELLED, "undone");
    assert_ended(fixture, FERRY_STATUS_CANCELLED, NULL);
    assert_events(fixture, "accepted preparing running cancelled");
}

static void
look_at_cause(FerryMigration *migration)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = ferry_journal_get(ferry_migration_agent(migration)->journal,
                                                      "m-1", FERRY_ROLE_SOURCE, &error);

    g_assert_no_error(error);
    tell("journaled", ferry_json_get_string(record->error, "code"));
}

static bool
undo_and_look(FerryMigration *migration, GError **error)
{
    look_at_cause(migration);
    return true;
}

/* The cause is on disk before anything is undone: test_killed_* build on it. */
static void
test_cause_is_journaled(Fixture *fixture, gconstpointer user_data)
{
    static const FerrySagaStep looking[] = {
        {.name = "transfer",
         .status = FERRY_STATUS_RUNNING,
         .run = run_transfer,
         .undo = undo_and_look},
        {0},
    };
    static const FerrySaga looking_saga = {looking, report};

    behaviours[TRANSFER] = (Behaviour){.end = FERRY_STEP_FAILED, .meanwhile = abort_it};
    ferry_saga_run(fixture->migration, &looking_saga);
    g_assert_cmpstr(story->str, ==, "run transfer, journaled Cancelled, report it");
    assert_ended(fixture, FERRY_STATUS_CANCELLED, NULL);
}

/* --- a journal of another agent --------------------------------------------------------------- */

/* A row of the table of steps: "NAME STATE". */
static void
journal_step(Fixture *fixture, const char *row)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = g_strsplit(row, " ", 2);
    FerryJournal *journal = fixture->agent.journal;
    const FerryRecord *record = ferry_migration_record(fixture->migration);

    g_assert_true(ferry_journal_step_begin(journal, record, words[0], &error));
    g_assert_true(strcmp(words[1], "begun") == 0 ||
                  ferry_journal_step_end(journal, record, words[0], words[1], &error));
}

/* @rows: with commas between them. */
static void
take_up_journal(Fixture *fixture, FerryStatus status, const char *rows)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = ferry_migration_snapshot(fixture->migration);
    g_auto(GStrv) list = g_strsplit(rows, ", ", -1);

    record->status = status;
    g_assert_true(ferry_journal_save(fixture->agent.journal, record, NULL, &error));
    for (guint i = 0; list[i]; i++)
        journal_step(fixture, list[i]);
    restart(fixture);
    run(fixture);
}

/* An agent of before had fewer steps. Going back to one that it did not have, in the middle of the
 * transfer, would leave the record's status behind. */
static void
test_steps_that_an_older_agent_lacked(Fixture *fixture, gconstpointer user_data)
{
    take_up_journal(fixture, FERRY_STATUS_RUNNING, "check done, transfer begun");
    g_assert_cmpstr(story->str, ==, "resume transfer, run finish, report it");
    assert_ended(fixture, FERRY_STATUS_COMPLETED, NULL);
}

/* The note of its end did not reach the disk, that of the next step's begin did. */
static void
test_step_whose_end_was_not_noted(Fixture *fixture, gconstpointer user_data)
{
    take_up_journal(fixture, FERRY_STATUS_RUNNING, "check done, prepare begun, transfer begun");
    g_assert_cmpstr(story->str, ==, "resume transfer, run finish, report it");
    assert_ended(fixture, FERRY_STATUS_COMPLETED, NULL);
}

/* The record was in the next status already when the agent died. */
static void
test_status_ahead_of_the_steps(Fixture *fixture, gconstpointer user_data)
{
    take_up_journal(fixture, FERRY_STATUS_RUNNING, "check done, prepare begun");
    g_assert_cmpstr(story->str, ==, "run transfer, run finish, report it");
    assert_ended(fixture, FERRY_STATUS_COMPLETED, NULL);
}

static void
test_all_done_but_the_end(Fixture *fixture, gconstpointer user_data)
{
    take_up_journal(fixture, FERRY_STATUS_POST_MIGRATING,
                    "check done, prepare done, transfer done, finish done");
    g_assert_cmpstr(story->str, ==, "report it");
    assert_ended(fixture, FERRY_STATUS_COMPLETED, NULL);
}

/* What no agent can have written ends in error, with the reason, and nothing is done. */
static void
test_nonsense(Fixture *fixture, gconstpointer rows)
{
    static const struct {
        const char *rows;
        FerryStatus status;
        const char *why;
    } cases[] = {
        {"check done", FERRY_STATUS_POST_MIGRATING,
         "it is post-migrating, and the last step that has begun is 'check'"},
        {"check done, finish begun", FERRY_STATUS_PREPARING,
         "it is preparing, and the last step that has begun is 'finish'"},
        {"check done, finish done", FERRY_STATUS_RUNNING,
         "it is running, and the last step that has begun is 'finish'"},
        {"finish undone", FERRY_STATUS_POST_MIGRATING,
         "it was undone after the instance had arrived"},
        {"check done, polish begun", FERRY_STATUS_PREPARING,
         "no agent of this version knows the step 'polish'"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (strcmp(cases[i].rows, rows) != 0)
            continue;

        g_autofree char *message = g_strdup_printf(
            "The journal's record of the migration 'm-1' makes no sense: %s", cases[i].why);

        take_up_journal(fixture, cases[i].status, rows);
        g_assert_cmpstr(story->str, ==, "report it");
        assert_ended(fixture, FERRY_STATUS_ERROR, message);
        return;
    }
    g_assert_not_reached();
}

/* The other columns may be missing, too. */
static void
test_nothing_of_the_instance(Fixture *fixture, gconstpointer user_data)
{
    static const FerrySagaStep needing[] = {
        {.name = "check", .status = FERRY_STATUS_PREPARING, .run = run_check},
        {.name = "transfer",
         .status = FERRY_STATUS_RUNNING,
         .run = run_transfer,
         .undo = undo_transfer,
         .needs_instance = true},
        {0},
    };
    static const FerrySaga needing_saga = {needing, report};

    ferry_saga_run(fixture->migration, &needing_saga);
    g_assert_cmpstr(story->str, ==, "run check, report it");
    assert_ended(fixture, FERRY_STATUS_ERROR,
                 "The journal does not say what the instance is in the migration 'm-1'");
}

/* --- a journal that refuses ------------------------------------------------------------------- */

static void
fill_disk(FerryMigration *migration)
{
    limit_files(1024);
}

/* A step that would make something is not begun when nobody could know of it later. */
static void
test_nothing_new_without_journal(Fixture *fixture, gconstpointer user_data)
{
    behaviours[PREPARE].meanwhile = fill_disk;
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*'prepare'*Cannot write*");
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*Cannot write*");
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*'prepare'*Cannot write*");
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*'prepare'*Cannot write*");
    run(fixture);
    g_test_assert_expected_messages();
    g_assert_cmpstr(story->str, ==,
                    "run check, run prepare, undo transfer, undo prepare, report it");
    assert_events(fixture, "accepted preparing failed");
}

static void
make_room(FerryMigration *migration)
{
    limit_files(RLIM_INFINITY);
}

/* What only looks at what has happened does not turn a transfer that succeeded into a failure. */
static void
test_looking_without_journal(Fixture *fixture, gconstpointer user_data)
{
    static const FerrySagaStep looking[] = {
        {.name = "transfer",
         .status = FERRY_STATUS_RUNNING,
         .run = run_transfer,
         .undo = undo_transfer},
        {.name = "confirm", .status = FERRY_STATUS_RUNNING, .run = run_check, .read_only = true},
        {.name = "finish",
         .status = FERRY_STATUS_POST_MIGRATING,
         .run = run_finish,
         .point_of_no_return = true,
         .read_only = true},
        {0},
    };
    static const FerrySaga looking_saga = {looking, report};

    behaviours[TRANSFER].meanwhile = fill_disk;
    behaviours[CHECK].meanwhile = make_room;
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*'transfer'*Cannot write*");
    g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*'confirm'*Cannot write*");
    ferry_saga_run(fixture->migration, &looking_saga);
    g_test_assert_expected_messages();
    g_assert_cmpstr(story->str, ==, "run transfer, run check, run finish, report it");
    assert_ended(fixture, FERRY_STATUS_COMPLETED, NULL);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)
#define ADD_NONSENSE(path, rows)                                                                   \
    g_test_add("/saga/nonsense/" path, Fixture, rows, set_up, test_nonsense, tear_down)

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("/saga/completes", test_completes);
    ADD("/saga/fails", test_fails);
    ADD("/saga/fails-at-first", test_fails_at_first);
    ADD("/saga/error-undoes-nothing", test_error_undoes_nothing);
    ADD("/saga/undo-fails", test_undo_fails);
    ADD("/saga/aborted/before", test_aborted_before);
    ADD("/saga/aborted/between", test_aborted_between);
    ADD("/saga/aborted/within", test_aborted_within);
    ADD("/saga/aborted/too-late", test_aborted_too_late);
    ADD("/saga/aborted/in-vain", test_aborted_in_vain);
    ADD("/saga/abort-outlives", test_abort_outlives);
    ADD("/saga/detached", test_detached);
    ADD("/saga/resumed-and-failed", test_resumed_and_failed);
    ADD("/saga/killed/while-undoing", test_killed_while_undoing);
    ADD("/saga/killed/in-an-undo", test_killed_in_an_undo);
    ADD("/saga/killed/while-cancelling", test_killed_while_cancelling);
    ADD("/saga/cause-is-journaled", test_cause_is_journaled);
    ADD("/saga/older/steps-that-it-lacked", test_steps_that_an_older_agent_lacked);
    ADD("/saga/older/end-not-noted", test_step_whose_end_was_not_noted);
    ADD("/saga/older/status-ahead", test_status_ahead_of_the_steps);
    ADD("/saga/older/all-done", test_all_done_but_the_end);
    ADD_NONSENSE("arrived-without-transfer", "check done");
    ADD_NONSENSE("status-behind", "check done, finish begun");
    ADD_NONSENSE("status-behind-the-end", "check done, finish done");
    ADD_NONSENSE("undone-after-arrival", "finish undone");
    ADD_NONSENSE("unknown-step", "check done, polish begun");
    ADD("/saga/nonsense/no-instance", test_nothing_of_the_instance);
    ADD("/saga/nothing-new-without-journal", test_nothing_new_without_journal);
    ADD("/saga/looking-without-journal", test_looking_without_journal);
    return g_test_run();
}
