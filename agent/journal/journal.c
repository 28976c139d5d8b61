#include "config.h"

#include "journal/journal.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "journal/db.h"
#include "journal/event.h"
#include "journal/story.h"

/* @documents: the columns that may be large, or as many times NULL. */
#define RECORD_COLUMNS_WITH(documents)                                                             \
    "migration_id, role, instance_name, instance_uuid, source, destination, status, "              \
    "phase, " documents                                                                            \
    ", progress, error, report, created_us, updated_us, ended_us, expires_us, seq"
#define RECORD_COLUMNS RECORD_COLUMNS_WITH("order_json, instance_info, migrate_data")
#define BRIEF_COLUMNS RECORD_COLUMNS_WITH("NULL, NULL, NULL")

#define ORDER_COLUMNS                                                                              \
    ", abort_ordered, force_ordered, CASE role WHEN 'source' THEN"                                 \
    " (SELECT parameters FROM tunings WHERE tunings.migration_id = migrations.migration_id) END"

static void
wake_outbox(FerryJournal *journal)
{
    if (journal->wakeup)
        journal->wakeup(journal->wakeup_data);
}

static const char *
event_priority(FerryStatus status)
{
    return status == FERRY_STATUS_FAILED || status == FERRY_STATUS_ERROR ? "error" : "info";
}

static bool
queue_record_event(FerryJournal *journal,
                   const FerryRecord *record,
                   const char *event_type,
                   gint64 seq,
                   GError **error)
{
    g_autoptr(FerryJson) payload = ferry_event_payload(record, seq);
    const FerryEvent event = {
        .event_type = event_type,
        .priority = event_priority(record->status),
        .migration_id = record->migration_id,
        .time_us = record->updated_us,
        .payload = payload,
    };

    return ferry_journal_db_queue_event(journal, &event, error);
}

/* --- records ---------------------------------------------------------------------------------- */

static bool
insert_record(FerryJournal *journal, const FerryRecord *record, GError **error)
{
    return ferry_journal_db_run(
        journal, error,
        "INSERT INTO migrations (" RECORD_COLUMNS ", open)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1,1)",
        "ttttttttjjjjjjiiii", record->migration_id, ferry_role_to_string(record->role),
        record->instance_name, record->instance_uuid, record->source, record->destination,
        ferry_status_to_string(record->status), ferry_phase_to_string(record->phase), record->order,
        record->instance_info, record->migrate_data, record->progress, record->error,
        record->report, record->created_us, record->updated_us, record->ended_us,
        record->expires_us);
}

static bool
has_record(FerryJournal *journal, const FerryRecord *record)
{
    bool row = false;
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, NULL, "SELECT 1 FROM migrations WHERE migration_id=? AND role=?", "tt",
        record->migration_id, ferry_role_to_string(record->role));

    return statement && ferry_journal_db_next(journal, statement, &row, NULL) && row;
}

/* Returns: (transfer full) (nullable): the migration that the instance of @record is in. */
static char *
find_other(FerryJournal *journal, const FerryRecord *record)
{
    bool row = false;
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, NULL,
        "SELECT migration_id FROM migrations WHERE instance_uuid=? AND role=? AND open=1", "tt",
        record->instance_uuid, ferry_role_to_string(record->role));

    return statement && ferry_journal_db_next(journal, statement, &row, NULL) && row
               ? ferry_journal_db_text(statement, 0)
               : NULL;
}

/* Two orders at once for one instance or one id: a unique index refused the second. The same order
 * twice breaks both rules, and SQLite names either: its sender has to hear of the id. */
static void
name_conflict(FerryJournal *journal, const FerryRecord *record, GError **error)
{
    if ((sqlite3_extended_errcode(journal->db) & 0xff) != SQLITE_CONSTRAINT)
        return;
    if (has_record(journal, record)) {
        g_autofree char *hint =
            g_strdup_printf("get_migration %s has its state", record->migration_id);

        g_clear_error(error);
        ferry_set_error(error, FERRY_ERROR_INVALID_MIGRATION_STATE, hint,
                        "The migration '%s' is there already", record->migration_id);
    } else {
        g_autofree char *other = find_other(journal, record);

        g_clear_error(error);
        ferry_set_error(error, FERRY_ERROR_INSTANCE_ALREADY_MIGRATING,
                        "Wait for that migration, or abort it; list_migrations shows it",
                        "The instance '%s' is in migration '%s' already", record->instance_name,
                        other ? other : "?");
    }
}

static bool
add_record(FerryJournal *journal, FerryRecord *record, GError **error)
{
    g_autoptr(GError) local_error = NULL;
    FERRY_LOCK_SCOPE(&journal->lock);

    if (!ferry_journal_db_begin(journal, error))
        return false;

    bool ok = insert_record(journal, record, &local_error);

    if (!ok)
        name_conflict(journal, record, &local_error);
    else
        ok = queue_record_event(journal, record,
                                ferry_status_event_type(record->role, record->status), 1,
                                &local_error);
    if (!ferry_journal_db_end(journal, ok, ok ? &local_error : NULL)) {
        g_propagate_error(error, g_steal_pointer(&local_error));
        return false;
    }
    record->seq = 1;
    wake_outbox(journal);
    return true;
}

bool
ferry_journal_add(FerryJournal *journal, FerryRecord *record, GError **error)
{
    if (!add_record(journal, record, error))
        return false;
    ferry_story_tell(record, ferry_status_event_type(record->role, record->status));
    return true;
}

static bool
update_record(FerryJournal *journal, const FerryRecord *record, gint64 seq, GError **error)
{
    return ferry_journal_db_run(
        journal, error,
        "UPDATE migrations SET instance_name=?, instance_uuid=?, source=?,"
        " destination=?, status=?, phase=?, open=?, instance_info=?,"
        " migrate_data=?, progress=?, error=?, report=?, updated_us=?,"
        " ended_us=?, expires_us=?, seq=?"
        " WHERE migration_id=? AND role=?",
        "ttttttijjjjjiiiitt", record->instance_name, record->instance_uuid, record->source,
        record->destination, ferry_status_to_string(record->status),
        ferry_phase_to_string(record->phase), (gint64)!ferry_status_is_terminal(record->status),
        record->instance_info, record->migrate_data, record->progress, record->error,
        record->report, record->updated_us, record->ended_us, record->expires_us, seq,
        record->migration_id, ferry_role_to_string(record->role));
}

/* After an update: an event about a record that the journal lacks must not go out. */
static bool
is_there(FerryJournal *journal, const FerryRecord *record, GError **error)
{
    if (sqlite3_changes(journal->db) == 1)
        return true;
    ferry_set_error(error, FERRY_ERROR_INTERNAL, NULL, "The journal has no migration '%s' to save",
                    record->migration_id);
    return false;
}

static bool
save_record(FerryJournal *journal, FerryRecord *record, const char *event_type, GError **error)
{
    gint64 seq = record->seq + (event_type ? 1 : 0);
    FERRY_LOCK_SCOPE(&journal->lock);

    record->updated_us = ferry_clock_now_us();
    if (ferry_status_is_terminal(record->status) && record->ended_us == 0)
        record->ended_us = record->updated_us;
    if (!ferry_journal_db_begin(journal, error))
        return false;

    bool ok = update_record(journal, record, seq, error) && is_there(journal, record, error) &&
              (!event_type || queue_record_event(journal, record, event_type, seq, error));

    if (!ferry_journal_db_end(journal, ok, ok ? error : NULL))
        return false;
    record->seq = seq;
    if (event_type)
        wake_outbox(journal);
    return true;
}

/* The log is written without the lock: it may wait for whoever reads it. */
bool
ferry_journal_save(FerryJournal *journal,
                   FerryRecord *record,
                   const char *event_type,
                   GError **error)
{
    if (!save_record(journal, record, event_type, error))
        return false;
    if (event_type)
        ferry_story_tell(record, event_type);
    return true;
}

bool
ferry_journal_note_action(FerryJournal *journal,
                          const char *migration_id,
                          FerryMigrationAction action,
                          GError **error)
{
    const char *sql = action == FERRY_MIGRATION_ACTION_ABORT
                          ? "UPDATE migrations SET abort_ordered = 1"
                            " WHERE migration_id = ? AND role = 'source'"
                          : "UPDATE migrations SET force_ordered = 1"
                            " WHERE migration_id = ? AND role = 'source'";
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error, sql, "t", migration_id);
}

bool
ferry_journal_note_tuning(FerryJournal *journal,
                          const char *migration_id,
                          const json_t *parameters,
                          GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(
        journal, error, "INSERT OR REPLACE INTO tunings (migration_id, parameters) VALUES (?,?)",
        "tj", migration_id, parameters);
}

/* A word of a newer agent: nobody here knows what is under way. */
static void
read_status(FerryStatement *row, FerryRecord *record)
{
    const char *word = (const char *)sqlite3_column_text(row, 6);

    if (ferry_status_from_string(word, &record->status))
        return;

    g_autofree char *shown = g_strescape(word ? word : "", NULL);
    g_autofree char *why = g_strdup_printf("no agent of this version knows the status '%s'", shown);
    g_autoptr(GError) error = ferry_record_unsound_error(record, why);

    record->status = FERRY_STATUS_ERROR;
    ferry_record_take(&record->error, ferry_error_to_json(error));
}

static FerryRecord *
read_record(FerryStatement *row)
{
    FerryRecord *record = g_new0(FerryRecord, 1);

    record->migration_id = ferry_journal_db_text(row, 0);
    ferry_role_from_string((const char *)sqlite3_column_text(row, 1), &record->role);
    record->instance_name = ferry_journal_db_text(row, 2);
    record->instance_uuid = ferry_journal_db_text(row, 3);
    record->source = ferry_journal_db_text(row, 4);
    record->destination = ferry_journal_db_text(row, 5);
    ferry_phase_from_string((const char *)sqlite3_column_text(row, 7), &record->phase);
    record->order = ferry_journal_db_json(row, 8);
    record->instance_info = ferry_journal_db_json(row, 9);
    record->migrate_data = ferry_journal_db_json(row, 10);
    record->progress = ferry_journal_db_json(row, 11);
    record->error = ferry_journal_db_json(row, 12);
    read_status(row, record);
    record->report = ferry_journal_db_json(row, 13);
    record->created_us = ferry_journal_db_time(row, 14);
    record->updated_us = ferry_journal_db_time(row, 15);
    record->ended_us = ferry_journal_db_time(row, 16);
    record->expires_us = ferry_journal_db_time(row, 17);
    record->seq = sqlite3_column_int64(row, 18);
    record->abort_ordered = sqlite3_column_int(row, 19);
    record->force_ordered = sqlite3_column_int(row, 20);
    record->parameters = ferry_journal_db_json(row, 21);
    return record;
}

FerryRecord *
ferry_journal_get(FerryJournal *journal, const char *migration_id, FerryRole role, GError **error)
{
    bool row = false;
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error,
        "SELECT " RECORD_COLUMNS ORDER_COLUMNS " FROM migrations WHERE migration_id=? AND role=?",
        "tt", migration_id, ferry_role_to_string(role));

    if (!statement || !ferry_journal_db_next(journal, statement, &row, error))
        return NULL;
    if (!row) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_NOT_FOUND,
                        "list_migrations on the source and the destination names those they know",
                        "No migration '%s' in the journal of this host", migration_id);
        return NULL;
    }
    return read_record(statement);
}

/* What follows a marker compares as the list is sorted. */
#define LIST_FROM                                                                                  \
    " FROM migrations WHERE role IN ('source', 'destination') AND (?1 IS NULL OR status = ?1)"     \
    " AND (?2 IS NULL OR instance_name = ?2 OR instance_uuid = ?2)"                                \
    " AND (?3 IS NULL OR migration_id = ?3) AND (?4 = 0 OR open = 1)"                              \
    " AND (?5 = 0 OR role = 'destination') AND (?6 IS NULL OR"                                     \
    " (-created_us, role, migration_id) > (SELECT -created_us, role, migration_id FROM migrations" \
    " WHERE migration_id = ?6 ORDER BY created_us, role DESC LIMIT 1))"                            \
    " ORDER BY created_us DESC, role, migration_id LIMIT ?7"

static GPtrArray *
list_records(FerryJournal *journal,
             const char *sql,
             const FerryJournalFilter *filter,
             GError **error)
{
    gint64 limit = filter->limit > 0 ? (gint64)filter->limit : -1; /* which is none */
    g_autoptr(GPtrArray) records =
        g_ptr_array_new_with_free_func((GDestroyNotify)ferry_record_free);
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error, sql, "tttiiti", filter->status, filter->instance, filter->migration_id,
        (gint64)filter->open_only, (gint64)filter->incoming_only, filter->marker, limit);

    for (bool row = statement; row;) {
        if (!ferry_journal_db_next(journal, statement, &row, error))
            return NULL;
        if (row)
            g_ptr_array_add(records, read_record(statement));
    }
    return statement ? g_steal_pointer(&records) : NULL;
}

GPtrArray *
ferry_journal_list(FerryJournal *journal, const FerryJournalFilter *filter, GError **error)
{
    return list_records(journal, "SELECT " RECORD_COLUMNS ORDER_COLUMNS LIST_FROM, filter, error);
}

GPtrArray *
ferry_journal_list_brief(FerryJournal *journal, const FerryJournalFilter *filter, GError **error)
{
    return list_records(journal, "SELECT " BRIEF_COLUMNS ORDER_COLUMNS LIST_FROM, filter, error);
}

GPtrArray *
ferry_journal_list_incoming(FerryJournal *journal, GError **error)
{
    FerryJournalFilter filter = {.open_only = true, .incoming_only = true};

    return ferry_journal_list(journal, &filter, error);
}

/* The journal shows it as open, and nobody can go on with it. One that has ended is only closed:
 * its event was sent. */
static bool
end_unsound(FerryJournal *journal, FerryRecord *record, const GError *why, GError **error)
{
    bool ended = ferry_status_is_terminal(record->status) && record->status != FERRY_STATUS_ERROR;

    g_warning("%s", why->message);
    if (ended)
        return ferry_journal_save(journal, record, /* event_type= */ NULL, error);
    record->status = FERRY_STATUS_ERROR;
    record->phase = FERRY_PHASE_NONE;
    if (!record->error)
        ferry_record_take(&record->error, ferry_error_to_json(why));
    return ferry_journal_save(journal, record,
                              ferry_status_event_type(record->role, FERRY_STATUS_ERROR), error);
}

bool
ferry_journal_end_unsound(FerryJournal *journal, GError **error)
{
    FerryJournalFilter filter = {.open_only = true};
    g_autoptr(GPtrArray) records = ferry_journal_list(journal, &filter, error);

    for (guint i = 0; records && i < records->len; i++) {
        FerryRecord *record = g_ptr_array_index(records, i);
        g_autoptr(GError) why = NULL;

        if (!ferry_record_check(record, &why) && !end_unsound(journal, record, why, error))
            return false;
    }
    return records != NULL;
}

bool
ferry_journal_prune(FerryJournal *journal, gint64 before_us, GError **error)
{
    static const char *const tables[] = {"steps", "creations", "imports", "tunings", "arrivals"};
    FERRY_LOCK_SCOPE(&journal->lock);

    if (!ferry_journal_db_begin(journal, error))
        return false;

    /* `error` is terminal but waits to be resolved: its history is evidence and stays. */
    bool ok =
        ferry_journal_db_run(journal, error,
                             "DELETE FROM migrations WHERE open = 0 AND ended_us > 0"
                             " AND ended_us < ? AND status <> 'error'",
                             "i", before_us) &&
        ferry_journal_db_run(journal, error,
                             "DELETE FROM quarantine WHERE ended_us > 0 AND ended_us < ?", "i",
                             before_us) &&
        ferry_journal_db_run(journal, error, "DELETE FROM digests WHERE at_us < ?", "i", before_us);

    for (guint i = 0; ok && i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql = g_strdup_printf("DELETE FROM %s WHERE migration_id NOT IN"
                                               " (SELECT migration_id FROM migrations)",
                                               tables[i]);

        ok = ferry_journal_db_run(journal, error, sql, "");
    }
    /* What is in quarantine, was left behind or set aside outlives its migration. */
    ok = ok && ferry_journal_db_run(journal, error,
                                    "DELETE FROM identities WHERE migration_id NOT IN"
                                    " (SELECT migration_id FROM migrations"
                                    " UNION SELECT migration_id FROM quarantine"
                                    " UNION SELECT migration_id FROM leftovers"
                                    " UNION SELECT migration_id FROM asides)",
                                    "");
    return ferry_journal_db_end(journal, ok, ok ? error : NULL);
}

/* --- steps ------------------------------------------------------------------------------------ */

bool
ferry_journal_step_begin(FerryJournal *journal,
                         const FerryRecord *record,
                         const char *step,
                         GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT INTO steps VALUES (?, ?, ?, 'begun', ?, 0)"
                                " ON CONFLICT DO UPDATE SET state = 'begun', ended_us = 0",
                                "ttti", record->migration_id, ferry_role_to_string(record->role),
                                step, ferry_clock_now_us());
}

bool
ferry_journal_step_end(FerryJournal *journal,
                       const FerryRecord *record,
                       const char *step,
                       const char *state,
                       GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "UPDATE steps SET state = ?, ended_us = ?"
                                " WHERE migration_id = ? AND role = ? AND name = ?",
                                "tittt", state, ferry_clock_now_us(), record->migration_id,
                                ferry_role_to_string(record->role), step);
}

static json_t *
read_step(FerryStatement *row)
{
    gint64 begun = ferry_journal_db_time(row, 2);
    gint64 ended = ferry_journal_db_time(row, 3);
    g_autofree char *begun_at = ferry_clock_format_iso(begun);
    g_autofree char *ended_at = ended ? ferry_clock_format_iso(ended) : NULL;

    return json_pack("{s:s, s:s, s:s, s:s?, s:o}", "name", sqlite3_column_text(row, 0), "state",
                     sqlite3_column_text(row, 1), "started_at", begun_at, "ended_at", ended_at,
                     "duration_ms", ended ? json_integer((ended - begun) / 1000) : json_null());
}

json_t *
ferry_journal_steps(FerryJournal *journal, const char *migration_id, FerryRole role)
{
    json_t *steps = json_array();
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement =
        ferry_journal_db_prepare(journal, NULL,
                                 "SELECT name, state, begun_us, ended_us FROM steps"
                                 " WHERE migration_id=? AND role=? ORDER BY begun_us, rowid",
                                 "tt", migration_id, ferry_role_to_string(role));

    for (bool row = statement; row;) {
        row = ferry_journal_db_next(journal, statement, &row, NULL) && row;
        if (row)
            json_array_append_new(steps, read_step(statement));
    }
    return steps;
}
