#include "config.h"

#include "journal-fixture.h"

#include "journal/journal.h"
#include "scratch-folder.h"

static void
wake(gpointer data)
{
    (*(guint *)data)++;
}

static void
open_journal(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->journal = ferry_journal_open(fixture->folder, &error);
    g_assert_no_error(error);
    g_assert_nonnull(fixture->journal);
    ferry_journal_enable_events(fixture->journal, true);
    ferry_journal_set_wakeup(fixture->journal, wake, &fixture->wakes);
}

void
reopen(Fixture *fixture)
{
    ferry_journal_close(fixture->journal);
    open_journal(fixture);
}

void
set_up(Fixture *fixture, gconstpointer user_data)
{
    fixture->folder = ferry_scratch_make();
    open_journal(fixture);
}

void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    ferry_journal_close(fixture->journal);
    ferry_scratch_remove(fixture->folder);
}

FerryRecord *
make_record(const char *migration_id, FerryRole role, const char *uuid)
{
    FerryRecord *record = ferry_record_new(migration_id, role);

    record->instance_name = g_strdup("web-1");
    record->instance_uuid = g_strdup(uuid);
    record->source = g_strdup("kvm01");
    record->destination = g_strdup("kvm02");
    record->order =
        json_pack("{s:s, s:{s:s}}", "method", "live_migration", "args", "instance", "x");
    return record;
}

FerryRecord *
add_record(Fixture *fixture, const char *migration_id, FerryRole role, const char *uuid)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = make_record(migration_id, role, uuid);
    bool added = ferry_journal_add(fixture->journal, record, &error);

    g_assert_no_error(error);
    g_assert_true(added);
    return g_steal_pointer(&record);
}

void
save_as(Fixture *fixture, FerryRecord *record, FerryStatus status)
{
    g_autoptr(GError) error = NULL;

    record->status = status;
    bool saved = ferry_journal_save(fixture->journal, record,
                                    ferry_status_event_type(record->role, status), &error);
    g_assert_no_error(error);
    g_assert_true(saved);
}

GPtrArray *
peek(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *entries =
        ferry_journal_outbox_peek(fixture->journal, /* after= */ 0, /* limit= */ 1000, &error);

    g_assert_no_error(error);
    return entries;
}

gint64
create(Fixture *fixture, const char *id, FerryCreationKind kind, const char *pool, const char *path)
{
    g_autoptr(GError) error = NULL;
    gint64 row = 0;

    g_assert_true(ferry_journal_creation_add(
        fixture->journal,
        &(FerryIntention){.migration_id = id, .kind = kind, .pool = pool, .path = path}, &row,
        &error));
    g_assert_no_error(error);
    g_assert_cmpint(row, >, 0);
    return row;
}
