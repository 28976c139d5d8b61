#include "config.h"

#include "journal-fixture.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"

#include <sqlite3.h>

/* --- records ---------------------------------------------------------------------------------- */

static void
fill(FerryRecord *record)
{
    record->phase = FERRY_PHASE_MEMORY;
    record->instance_info = json_pack("{s:s}", "name", "web-1 \xc3\xa9");
    record->migrate_data = json_pack("{s:[i,i]}", "volumes", 1, 2);
    record->progress = json_pack("{s:f}", "percent", 12.5);
    record->error = json_pack("{s:s, s:n}", "code", "MigrationError", "hint");
    record->report = json_pack("{s:I}", "moved_bytes", (json_int_t)1 << 61);
    record->expires_us = 42;
}

static void
test_record_comes_back_whole(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);

    fill(record);
    save_as(fixture, record, FERRY_STATUS_RUNNING);
    reopen(fixture);

    g_autoptr(FerryRecord) read =
        ferry_journal_get(fixture->journal, "m-1", FERRY_ROLE_SOURCE, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(read->migration_id, ==, "m-1");
    g_assert_cmpstr(read->instance_name, ==, "web-1");
    g_assert_cmpstr(read->instance_uuid, ==, UUID);
    g_assert_cmpstr(read->source, ==, "kvm01");
    g_assert_cmpstr(read->destination, ==, "kvm02");
    g_assert_cmpint(read->role, ==, FERRY_ROLE_SOURCE);
    g_assert_cmpint(read->status, ==, FERRY_STATUS_RUNNING);
    g_assert_cmpint(read->phase, ==, FERRY_PHASE_MEMORY);
    g_assert_cmpint(read->created_us, ==, record->created_us);
    g_assert_cmpint(read->updated_us, ==, record->updated_us);
    g_assert_cmpint(read->ended_us, ==, 0);
    g_assert_cmpint(read->expires_us, ==, 42);
    g_assert_cmpint(read->seq, ==, 2);
    g_assert_true(json_equal(read->order, record->order));
    g_assert_true(json_equal(read->instance_info, record->instance_info));
    g_assert_true(json_equal(read->migrate_data, record->migrate_data));
    g_assert_true(json_equal(read->progress, record->progress));
    g_assert_true(json_equal(read->error, record->error));
    g_assert_true(json_equal(read->report, record->report));
}

static void
test_unknown_record(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record G_GNUC_UNUSED =
        add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);

    g_assert_null(ferry_journal_get(fixture->journal, "m-2", FERRY_ROLE_SOURCE, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(ferry_journal_get(fixture->journal, "m-1", FERRY_ROLE_DESTINATION, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND);
}

static void
test_ended_time(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);

    save_as(fixture, record, FERRY_STATUS_FAILED);
    gint64 ended_us = record->ended_us;
    g_assert_cmpint(ended_us, ==, record->updated_us);
    g_assert_cmpint(ended_us, >=, record->created_us);

    /* What is written later about an ended record does not move its end. */
    g_assert_true(ferry_journal_save(fixture->journal, record, NULL, &error));
    g_assert_cmpint(record->ended_us, ==, ended_us);
}

static void
assert_refused(Fixture *fixture, FerryRecord *record, FerryErrorCode code)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) before = peek(fixture);
    guint wakes = fixture->wakes;
    bool added = ferry_journal_add(fixture->journal, record, &error);

    g_assert_false(added);
    g_assert_error(error, FERRY_ERROR, (gint)code);
    g_assert_nonnull(ferry_error_hint(error));
    g_assert_cmpint(record->seq, ==, 0);
    g_assert_cmpuint(fixture->wakes, ==, wakes);

    g_autoptr(GPtrArray) after = peek(fixture);

    g_assert_cmpuint(after->len, ==, before->len);
}

static void
test_same_id_twice(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryRecord) first = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);
    g_autoptr(FerryRecord) same = make_record("m-1", FERRY_ROLE_SOURCE, UUID);
    g_autoptr(FerryRecord) other = make_record("m-1", FERRY_ROLE_SOURCE, OTHER_UUID);

    /* Both rules are broken by the first of these; the sender has to hear of its id. */
    assert_refused(fixture, same, FERRY_ERROR_INVALID_MIGRATION_STATE);
    assert_refused(fixture, other, FERRY_ERROR_INVALID_MIGRATION_STATE);

    save_as(fixture, first, FERRY_STATUS_FAILED);
    assert_refused(fixture, same, FERRY_ERROR_INVALID_MIGRATION_STATE);
}

static void
test_one_migration_an_instance(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryRecord) first = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);
    g_autoptr(FerryRecord) second = make_record("m-2", FERRY_ROLE_SOURCE, UUID);

    assert_refused(fixture, second, FERRY_ERROR_INSTANCE_ALREADY_MIGRATING);

    g_autoptr(GError) error = NULL;

    g_assert_false(ferry_journal_add(fixture->journal, second, &error));
    g_assert_nonnull(strstr(error->message, "in migration 'm-1'"));

    /* Another instance, and the other role of the same migration (both agents on one host). */
    g_autoptr(FerryRecord) other G_GNUC_UNUSED =
        add_record(fixture, "m-3", FERRY_ROLE_SOURCE, OTHER_UUID);
    g_autoptr(FerryRecord) role G_GNUC_UNUSED =
        add_record(fixture, "m-1", FERRY_ROLE_DESTINATION, UUID);

    save_as(fixture, first, FERRY_STATUS_CANCELLED);

    g_autoptr(FerryRecord) later = add_record(fixture, "m-2", FERRY_ROLE_SOURCE, UUID);

    g_assert_cmpint(later->seq, ==, 1);
}

typedef struct {
    FerryJournal *journal;
    guint number;
    guint won;
} Racer;

static gpointer
race(gpointer data)
{
    Racer *self = data;

    for (guint i = 0; i < 20; i++) {
        g_autofree char *id = g_strdup_printf("m-%u-%u", self->number, i);
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryRecord) record = make_record(id, FERRY_ROLE_SOURCE, UUID);

        if (ferry_journal_add(self->journal, record, &error))
            self->won++;
        else
            g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INSTANCE_ALREADY_MIGRATING);
    }
    return NULL;
}

static void
test_one_of_many_wins(Fixture *fixture, gconstpointer user_data)
{
    Racer racers[4] = {0};
    GThread *threads[G_N_ELEMENTS(racers)] = {NULL};
    guint won = 0;

    ferry_journal_set_wakeup(fixture->journal, NULL, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(racers); i++) {
        racers[i] = (Racer){.journal = fixture->journal, .number = i};
        threads[i] = g_thread_new("racer", race, &racers[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(racers); i++) {
        g_thread_join(threads[i]);
        won += racers[i].won;
    }
    g_assert_cmpuint(won, ==, 1);
}

/* An order is noted by another thread than the one that saves what it has of the record. */
static void
test_noted_orders(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);
    g_autoptr(FerryRecord) other = add_record(fixture, "m-2", FERRY_ROLE_SOURCE, OTHER_UUID);

    g_assert_true(
        ferry_journal_note_action(fixture->journal, "m-1", FERRY_MIGRATION_ACTION_ABORT, &error));
    g_assert_true(ferry_journal_note_action(fixture->journal, "m-2",
                                            FERRY_MIGRATION_ACTION_FORCE_COMPLETE, &error));
    save_as(fixture, record, FERRY_STATUS_PREPARING);
    save_as(fixture, other, FERRY_STATUS_PREPARING);
    reopen(fixture);

    g_autoptr(FerryRecord) first =
        ferry_journal_get(fixture->journal, "m-1", FERRY_ROLE_SOURCE, &error);
    g_autoptr(FerryRecord) second =
        ferry_journal_get(fixture->journal, "m-2", FERRY_ROLE_SOURCE, &error);

    g_assert_no_error(error);
    g_assert_true(first->abort_ordered);
    g_assert_false(first->force_ordered);
    g_assert_false(second->abort_ordered);
    g_assert_true(second->force_ordered);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void
write_to_journal(Fixture *fixture, const char *sql)
{
    g_autofree char *path = g_build_filename(fixture->folder, "journal.db", NULL);
    sqlite3 *db = NULL;

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
}

static void
assert_listed(Fixture *fixture, FerryJournalFilter filter, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) records = ferry_journal_list(fixture->journal, &filter, &error);
    g_autoptr(GString) found = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < records->len; i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);

        g_string_append_printf(found, "%s%s", i > 0 ? " " : "", record->migration_id);
    }
    g_assert_cmpstr(found->str, ==, expected);
}

/* m-1 ended, m-2 open, m-3 open on another instance; made in this order. */
static void
add_three(Fixture *fixture)
{
    const char *const ids[] = {"m-1", "m-2", "m-3"};

    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryRecord) record =
            make_record(ids[i], FERRY_ROLE_SOURCE, i < 2 ? UUID : OTHER_UUID);

        record->created_us = 1000 + i;
        if (i == 2) {
            g_free(record->instance_name);
            record->instance_name = g_strdup("db-1");
        }
        g_assert_true(ferry_journal_add(fixture->journal, record, &error));
        if (i == 0)
            save_as(fixture, record, FERRY_STATUS_COMPLETED);
    }
}

/* Each page begins where the one before ended, whatever is filtered; unknown marker, no page. */
static void
test_pages(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    add_three(fixture);
    assert_listed(fixture, (FerryJournalFilter){.marker = "m-3"}, "m-2 m-1");
    assert_listed(fixture, (FerryJournalFilter){.marker = "m-3", .limit = 1}, "m-2");
    assert_listed(fixture, (FerryJournalFilter){.marker = "m-1"}, "");
    assert_listed(fixture, (FerryJournalFilter){.marker = "m-9"}, "");
    assert_listed(fixture, (FerryJournalFilter){.marker = "m-2", .status = "completed"}, "m-1");

    FerryJournalFilter all = {0};
    g_autoptr(GPtrArray) brief = ferry_journal_list_brief(fixture->journal, &all, &error);
    const FerryRecord *newest = g_ptr_array_index(brief, 0);

    g_assert_cmpuint(brief->len, ==, 3);
    g_assert_cmpstr(newest->migration_id, ==, "m-3");
    g_assert_cmpint(newest->created_us, ==, 1002);
    g_assert_null(newest->order);
    g_assert_null(newest->instance_info);
}

/* What must miss nothing sees the oldest, too: of errors, which stay, there may be many. */
static void
test_list_has_no_end(Fixture *fixture, gconstpointer user_data)
{
    FerryJournalFilter all = {0};
    FerryJournalFilter page = {.limit = 1000};
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) oldest = add_record(fixture, "m-0", FERRY_ROLE_SOURCE, UUID);

    save_as(fixture, oldest, FERRY_STATUS_ERROR);
    write_to_journal(fixture,
                     "INSERT INTO migrations WITH RECURSIVE n(i) AS"
                     " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
                     " SELECT 'n-' || i, role, instance_name, instance_uuid, source, destination,"
                     " status, phase, open, order_json, instance_info, migrate_data, progress,"
                     " error, report, created_us + i, updated_us, ended_us, expires_us, seq, 0, 0"
                     " FROM migrations, n WHERE migration_id = 'm-0'");

    g_autoptr(GPtrArray) records = ferry_journal_list_brief(fixture->journal, &all, &error);
    g_autoptr(GPtrArray) newest = ferry_journal_list_brief(fixture->journal, &page, &error);
    const FerryRecord *last = g_ptr_array_index(records, records->len - 1);

    g_assert_cmpuint(records->len, ==, 1501);
    g_assert_cmpstr(last->migration_id, ==, "m-0");
    g_assert_cmpuint(newest->len, ==, 1000);
}

static void
test_list(Fixture *fixture, gconstpointer user_data)
{
    add_three(fixture);
    assert_listed(fixture, (FerryJournalFilter){0}, "m-3 m-2 m-1");
    assert_listed(fixture, (FerryJournalFilter){.limit = 2}, "m-3 m-2");
    assert_listed(fixture, (FerryJournalFilter){.open_only = true}, "m-3 m-2");
    assert_listed(fixture, (FerryJournalFilter){.status = "completed"}, "m-1");
    assert_listed(fixture, (FerryJournalFilter){.status = "failed"}, "");
    assert_listed(fixture, (FerryJournalFilter){.instance = "web-1"}, "m-2 m-1");
    assert_listed(fixture, (FerryJournalFilter){.instance = OTHER_UUID}, "m-3");
    assert_listed(fixture, (FerryJournalFilter){.migration_id = "m-2"}, "m-2");
    assert_listed(fixture, (FerryJournalFilter){.instance = "web-1", .open_only = true, .limit = 1},
                  "m-2");
    assert_listed(fixture, (FerryJournalFilter){.instance = "' OR 1=1 --"}, "");
    assert_listed(fixture, (FerryJournalFilter){.incoming_only = true}, "");

    g_autoptr(FerryRecord) incoming G_GNUC_UNUSED =
        add_record(fixture, "m-4", FERRY_ROLE_DESTINATION, OTHER_UUID);

    assert_listed(fixture, (FerryJournalFilter){.incoming_only = true, .open_only = true}, "m-4");
}

/* --- steps ------------------------------------------------------------------------------------ */

static void
begin_step(Fixture *fixture, const FerryRecord *record, const char *step)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_journal_step_begin(fixture->journal, record, step, &error));
    g_assert_no_error(error);
}

static void
end_step(Fixture *fixture, const FerryRecord *record, const char *step, const char *state)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_journal_step_end(fixture->journal, record, step, state, &error));
    g_assert_no_error(error);
}

static const json_t *
step_at(const json_t *steps, size_t index, const char *name, const char *state)
{
    const json_t *step = json_array_get(steps, index);

    g_assert_cmpstr(ferry_json_get_string(step, "name"), ==, name);
    g_assert_cmpstr(ferry_json_get_string(step, "state"), ==, state);
    return step;
}

static void
test_steps(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryRecord) record = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);
    g_autoptr(FerryRecord) other = add_record(fixture, "m-1", FERRY_ROLE_DESTINATION, UUID);

    begin_step(fixture, record, "prepare");
    end_step(fixture, record, "prepare", "done");
    begin_step(fixture, record, "check");
    begin_step(fixture, other, "images");
    reopen(fixture);

    g_autoptr(FerryJson) steps = ferry_journal_steps(fixture->journal, "m-1", FERRY_ROLE_SOURCE);

    /* As they began, not by name. */
    g_assert_cmpuint(json_array_size(steps), ==, 2);
    g_assert_true(
        json_is_integer(json_object_get(step_at(steps, 0, "prepare", "done"), "duration_ms")));
    g_assert_true(json_is_null(json_object_get(step_at(steps, 1, "check", "begun"), "ended_at")));

    g_autoptr(FerryJson) theirs =
        ferry_journal_steps(fixture->journal, "m-1", FERRY_ROLE_DESTINATION);

    g_assert_cmpuint(json_array_size(theirs), ==, 1);
}

static void
test_step_begun_again(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryRecord) record = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);

    begin_step(fixture, record, "transfer");

    g_autoptr(FerryJson) first = ferry_journal_steps(fixture->journal, "m-1", FERRY_ROLE_SOURCE);

    end_step(fixture, record, "transfer", "failed");
    begin_step(fixture, record, "transfer");

    g_autoptr(FerryJson) again = ferry_journal_steps(fixture->journal, "m-1", FERRY_ROLE_SOURCE);

    g_assert_cmpuint(json_array_size(again), ==, 1);
    g_assert_true(json_equal(first, again));
}

/* --- pruning ---------------------------------------------------------------------------------- */

static void
prune(Fixture *fixture, gint64 before_us)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_journal_prune(fixture->journal, before_us, &error));
    g_assert_no_error(error);
}

static void
end_with_history(Fixture *fixture, const char *id, FerryStatus status)
{
    g_autoptr(FerryRecord) record = add_record(fixture, id, FERRY_ROLE_SOURCE, UUID);

    begin_step(fixture, record, "check");
    (void)create(fixture, id, FERRY_CREATION_VOLUME, "a", "/images/a/x");
    save_as(fixture, record, status);
}

static void
assert_history(Fixture *fixture, const char *id, guint count)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) steps = ferry_journal_steps(fixture->journal, id, FERRY_ROLE_SOURCE);
    g_autoptr(GPtrArray) creations = ferry_journal_creations(fixture->journal, id, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(steps), ==, count);
    g_assert_cmpuint(creations->len, ==, count);
}

static void
test_prune(Fixture *fixture, gconstpointer user_data)
{
    gint64 before = ferry_clock_now_us() - 1;

    end_with_history(fixture, "m-done", FERRY_STATUS_COMPLETED);
    end_with_history(fixture, "m-error", FERRY_STATUS_ERROR);
    end_with_history(fixture, "m-open", FERRY_STATUS_RUNNING);

    g_autoptr(GPtrArray) waiting = peek(fixture);

    prune(fixture, before);
    assert_listed(fixture, (FerryJournalFilter){.status = "completed"}, "m-done");
    prune(fixture, ferry_clock_now_us() + 1);
    assert_listed(fixture, (FerryJournalFilter){.status = "completed"}, "");
    /* What still waits for a person, or goes on, is not history. */
    assert_listed(fixture, (FerryJournalFilter){.status = "error"}, "m-error");
    assert_listed(fixture, (FerryJournalFilter){.open_only = true}, "m-open");
    assert_history(fixture, "m-done", 0);
    assert_history(fixture, "m-error", 1);
    assert_history(fixture, "m-open", 1);

    g_autoptr(GPtrArray) after = peek(fixture);

    g_assert_cmpuint(after->len, ==, waiting->len);
}

/* --- the outbox ------------------------------------------------------------------------------- */

static void
assert_entry(const FerryOutboxEntry *entry, const char *type, const char *priority, gint64 seq)
{
    g_assert_cmpstr(entry->event_type, ==, type);
    g_assert_cmpstr(entry->priority, ==, priority);
    g_assert_true(g_uuid_string_is_valid(entry->message_id));
    g_assert_cmpint(ferry_json_get_int(entry->payload, "seq", 0), ==, seq);
}

static void
test_events_in_order(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryRecord) record = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);

    save_as(fixture, record, FERRY_STATUS_PREPARING);
    save_as(fixture, record, FERRY_STATUS_RUNNING);
    save_as(fixture, record, FERRY_STATUS_FAILED);
    g_assert_cmpint(record->seq, ==, 4);
    g_assert_cmpuint(fixture->wakes, ==, 4);
    reopen(fixture);

    g_autoptr(GPtrArray) entries = peek(fixture);

    g_assert_cmpuint(entries->len, ==, 4);
    assert_entry(g_ptr_array_index(entries, 0), "migration.accepted", "info", 1);
    assert_entry(g_ptr_array_index(entries, 1), "migration.preparing", "info", 2);
    assert_entry(g_ptr_array_index(entries, 2), "migration.running", "info", 3);
    assert_entry(g_ptr_array_index(entries, 3), "migration.failed", "error", 4);

    const FerryOutboxEntry *last = g_ptr_array_index(entries, 3);

    g_assert_cmpstr(ferry_json_get_string(last->payload, "status"), ==, "failed");
    g_assert_cmpint(last->time_us, ==, record->updated_us);
}

static void
test_save_without_event(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);

    ferry_record_take(&record->progress, json_pack("{s:i}", "percent", 3));
    g_assert_true(ferry_journal_save(fixture->journal, record, NULL, &error));
    g_assert_cmpint(record->seq, ==, 1);
    g_assert_cmpuint(fixture->wakes, ==, 1);

    g_autoptr(GPtrArray) entries = peek(fixture);

    g_assert_cmpuint(entries->len, ==, 1);
}

static void
test_message_ids_stay(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(FerryRecord) record G_GNUC_UNUSED =
        add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);
    g_autoptr(GPtrArray) before = peek(fixture);

    reopen(fixture);

    g_autoptr(GPtrArray) after = peek(fixture);
    const FerryOutboxEntry *first = g_ptr_array_index(before, 0);
    const FerryOutboxEntry *again = g_ptr_array_index(after, 0);

    g_assert_cmpstr(first->message_id, ==, again->message_id);
}

static void
drop(Fixture *fixture, gint64 id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));

    g_array_append_val(ids, id);
    g_assert_true(ferry_journal_outbox_drop(fixture->journal, ids, &error));
    g_assert_no_error(error);
}

static void
test_peek_and_drop(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) payload = json_pack("{s:s}", "host", "kvm01");

    for (guint i = 0; i < 5; i++)
        g_assert_true(ferry_journal_outbox_add(fixture->journal, "agent.started", payload, &error));

    g_autoptr(GPtrArray) all = peek(fixture);
    const FerryOutboxEntry *second = g_ptr_array_index(all, 1);

    g_autoptr(GPtrArray) two =
        ferry_journal_outbox_peek(fixture->journal, second->id, /* limit= */ 2, &error);
    const FerryOutboxEntry *third = g_ptr_array_index(two, 0);

    g_assert_cmpuint(two->len, ==, 2);
    g_assert_cmpint(third->id, >, second->id);
    g_assert_true(json_equal(third->payload, payload));

    drop(fixture, third->id);
    drop(fixture, third->id);
    reopen(fixture);

    g_autoptr(GPtrArray) left = peek(fixture);

    g_assert_cmpuint(left->len, ==, 4);

    /* The number of a dropped entry is not given again: a late confirm would drop a new event. */
    const FerryOutboxEntry *last = g_ptr_array_index(all, 4);

    drop(fixture, last->id);
    g_assert_true(ferry_journal_outbox_add(fixture->journal, "agent.stopped", payload, &error));

    g_autoptr(GPtrArray) end = peek(fixture);
    const FerryOutboxEntry *newest = g_ptr_array_index(end, end->len - 1);

    g_assert_cmpint(newest->id, >, last->id);
}

static void
test_events_off(Fixture *fixture, gconstpointer user_data)
{
    ferry_journal_enable_events(fixture->journal, false);

    g_autoptr(FerryRecord) record = add_record(fixture, "m-1", FERRY_ROLE_SOURCE, UUID);

    save_as(fixture, record, FERRY_STATUS_PREPARING);
    g_assert_cmpint(record->seq, ==, 2);

    g_autoptr(GPtrArray) entries = peek(fixture);

    g_assert_cmpuint(entries->len, ==, 0);
}

/* --- records that make no sense --------------------------------------------------------------- */

static void
assert_ended(Fixture *fixture, const char *migration_id, const char *status, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record =
        ferry_journal_get(fixture->journal, migration_id, FERRY_ROLE_SOURCE, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ferry_status_to_string(record->status), ==, status);
    g_assert_cmpstr(ferry_json_get_string(record->error, "message"), ==, message);
}

/* Of a newer agent, or written by somebody: they end, with the reason, and the others go on. */
static void
test_unsound_records_end(Fixture *fixture, gconstpointer user_data)
{
    static const char *const ids[] = {"m-1", "m-2", "m-3", "m-4", "m-5"};
    FerryJournalFilter open = {.open_only = true};
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *uuid = g_uuid_string_random();
        g_autoptr(FerryRecord) record = add_record(fixture, ids[i], FERRY_ROLE_SOURCE, uuid);
    }
    write_to_journal(fixture,
                     "UPDATE migrations SET status = 'polishing' WHERE migration_id = 'm-1';"
                     "UPDATE migrations SET instance_uuid = NULL WHERE migration_id = 'm-2';"
                     "UPDATE migrations SET order_json = 'x' WHERE migration_id = 'm-3';"
                     "UPDATE migrations SET status = 'completed' WHERE migration_id = 'm-4';"
                     "INSERT INTO migrations SELECT 'm-6', 'witness', instance_name, 'u', source,"
                     " destination, status, phase, open, order_json, instance_info, migrate_data,"
                     " progress, error, report, created_us, updated_us, ended_us, expires_us, seq,"
                     " 0, 0 FROM migrations WHERE migration_id = 'm-5';");
    for (guint i = 0; i < 4; i++)
        g_test_expect_message("ferry", G_LOG_LEVEL_WARNING, "*makes no sense*");
    g_assert_true(ferry_journal_end_unsound(fixture->journal, &error));
    g_test_assert_expected_messages();

    g_autoptr(GPtrArray) left = ferry_journal_list(fixture->journal, &open, &error);

    g_assert_cmpuint(left->len, ==, 1);
    g_assert_cmpstr(((FerryRecord *)g_ptr_array_index(left, 0))->migration_id, ==, "m-5");
    assert_ended(fixture, "m-1", "error",
                 "The journal's record of the migration 'm-1' makes no sense: no agent of this "
                 "version knows the status 'polishing'");
    assert_ended(fixture, "m-2", "error",
                 "The journal's record of the migration 'm-2' makes no sense: it does not say "
                 "whose it is");
    assert_ended(fixture, "m-3", "error",
                 "The journal's record of the migration 'm-3' makes no sense: it does not say "
                 "what was ordered");
    assert_ended(fixture, "m-4", "completed", NULL);

    /* Five that were accepted, and three that ended in error. */
    g_autoptr(GPtrArray) events = peek(fixture);

    g_assert_cmpuint(events->len, ==, 8);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("/journal/record/comes-back-whole", test_record_comes_back_whole);
    ADD("/journal/record/unknown", test_unknown_record);
    ADD("/journal/record/ended-time", test_ended_time);
    ADD("/journal/record/same-id-twice", test_same_id_twice);
    ADD("/journal/record/one-migration-an-instance", test_one_migration_an_instance);
    ADD("/journal/record/one-of-many-wins", test_one_of_many_wins);
    ADD("/journal/record/noted-orders", test_noted_orders);
    ADD("/journal/unsound-records-end", test_unsound_records_end);
    ADD("/journal/list", test_list);
    ADD("/journal/list/has-no-end", test_list_has_no_end);
    ADD("/journal/pages", test_pages);
    ADD("/journal/steps", test_steps);
    ADD("/journal/steps/begun-again", test_step_begun_again);
    ADD("/journal/prune", test_prune);
    ADD("/journal/outbox/events-in-order", test_events_in_order);
    ADD("/journal/outbox/save-without-event", test_save_without_event);
    ADD("/journal/outbox/message-ids-stay", test_message_ids_stay);
    ADD("/journal/outbox/peek-and-drop", test_peek_and_drop);
    ADD("/journal/outbox/events-off", test_events_off);
    return g_test_run();
}
