/* Rows of the agent's journal, with any value in any column: a journal of another build, or one
 * that somebody wrote to. The input is orders: a table, and a value for each of its columns. All
 * that is kept is then read as the agent reads it after a start. */
#include "config.h"

#include "input.h"
#include "target.h"

#include "journal/db.h"
#include "journal/event.h"
#include "journal/identities.h"
#include "journal/imports.h"
#include "journal/leftovers.h"
#include "journal/quarantine.h"
#include "model/import.h"
#include "model/instance.h"
#include "model/migrate-data.h"
#include "model/migration-request.h"
#include "model/order-options.h"
#include "source/completion.h"
#include "source/report.h"

#include "ferry/config.h"
#include "ferry/error.h"
#include "ferry/json.h"

#include <glib/gstdio.h>

#define MAX_ROWS 8

/* --- filling the tables ----------------------------------------------------------------------- */

static const char *const words[] = {
    "m-1",     "source",       "destination", "accepted",  "preparing",
    "running", "completed",    "error",       "disk",      "memory",
    "begun",   "done",         "intended",    "made",      "kept",
    "volume",  "directory",    "held",        "published", "delivered",
    "copying", "/images/disk", "web-1",       "{}",        "{\"disks\":[]}",
};

static void
bind(sqlite3_stmt *statement, int column, FerryFuzzInput *orders)
{
    const guint8 kind = ferry_fuzz_take_byte(orders);
    gint64 number = 0;
    size_t length = 0;

    switch (kind % 6) {
    case 0:
        break; /* NULL */
    case 1:
        sqlite3_bind_int64(statement, column, ferry_fuzz_take_byte(orders));
        break;
    case 2:
        for (guint i = 0; i < sizeof number; i++)
            number = (gint64)((guint64)number << 8 | ferry_fuzz_take_byte(orders));
        sqlite3_bind_int64(statement, column, number);
        break;
    case 3:
        sqlite3_bind_text(statement, column,
                          words[ferry_fuzz_take_byte(orders) % G_N_ELEMENTS(words)], -1,
                          SQLITE_STATIC);
        break;
    default:
        length = ferry_fuzz_take_byte(orders);
        length = MIN(length << (kind % 4), orders->left);
        if (kind % 6 == 4)
            sqlite3_bind_text(statement, column, (const char *)orders->next, (int)length,
                              SQLITE_TRANSIENT);
        else
            sqlite3_bind_blob(statement, column, orders->next, (int)length, SQLITE_TRANSIENT);
        orders->next += length;
        orders->left -= length;
    }
}

/* Returns: (transfer full) (element-type sqlite3_stmt): one that inserts into each table. */
static GPtrArray *
prepare_inserts(sqlite3 *db)
{
    GPtrArray *inserts = g_ptr_array_new();
    sqlite3_stmt *tables = NULL;

    g_assert_cmpint(
        sqlite3_prepare_v2(db,
                           "SELECT s.name, (SELECT count(*) FROM pragma_table_info(s.name))"
                           " FROM sqlite_schema s WHERE type = 'table'"
                           " AND s.name NOT LIKE 'sqlite%' ORDER BY s.name",
                           -1, &tables, NULL),
        ==, SQLITE_OK);
    while (sqlite3_step(tables) == SQLITE_ROW) {
        g_autoptr(GString) sql = g_string_new("INSERT OR REPLACE INTO ");
        sqlite3_stmt *insert = NULL;

        g_string_append_printf(sql, "%s VALUES (?", (const char *)sqlite3_column_text(tables, 0));
        for (int i = 1; i < sqlite3_column_int(tables, 1); i++)
            g_string_append(sql, ",?");
        g_string_append_c(sql, ')');
        g_assert_cmpint(sqlite3_prepare_v2(db, sql->str, -1, &insert, NULL), ==, SQLITE_OK);
        g_ptr_array_add(inserts, insert);
    }
    sqlite3_finalize(tables);
    return inserts;
}

static void
fill(GPtrArray *inserts, FerryFuzzInput *orders)
{
    for (guint row = 0; row < MAX_ROWS && orders->left > 0; row++) {
        sqlite3_stmt *insert =
            g_ptr_array_index(inserts, ferry_fuzz_take_byte(orders) % inserts->len);

        for (int i = 1; i <= sqlite3_bind_parameter_count(insert); i++)
            bind(insert, i, orders);
        /* A value that the table does not allow is no row. */
        (void)sqlite3_step(insert);
        sqlite3_reset(insert);
        sqlite3_clear_bindings(insert);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static const FerryConfig *
get_config(void)
{
    static FerryConfig *config;
    const char *const no_files[] = {NULL};

    if (!config)
        config = ferry_config_load(no_files, NULL);
    return config;
}

static void
read_order(const FerryRecord *record)
{
    const char *method = ferry_json_get_string(record->order, "method");
    g_autoptr(FerryMigrationRequest) request = ferry_migration_request_read(
        record->migration_id,
        g_strcmp0(method, "live_migration") == 0 ? FERRY_MIGRATION_REQUEST_PREPARED
                                                 : FERRY_MIGRATION_REQUEST_WHOLE,
        record->order, NULL);
    g_autoptr(FerryOrderOptions) options =
        ferry_order_options_parse(ferry_record_options(record), get_config(), NULL);
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(record->migrate_data, NULL);
}

/* What is told of a record: in answers and in events. */
static void
tell(const FerryRecord *record, json_t *steps)
{
    g_autoptr(FerryJson) object = ferry_record_to_json(record, steps);
    g_autoptr(FerryJson) payload = ferry_event_sample_payload(record, 1, 1);
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(record->instance_info, NULL);
    g_autoptr(FerryJson) report = ferry_source_report_make(record, instance, steps);
    g_autofree char *text = ferry_json_dump(object);

    g_assert_nonnull(text);
    g_assert_true(json_is_object(payload) && json_is_object(report));
    (void)ferry_completion_spent_us(steps, 1);
}

static void
read_things(FerryJournal *journal, const char *migration_id)
{
    g_autoptr(GPtrArray) creations = ferry_journal_creations(journal, migration_id, NULL);
    g_autoptr(GPtrArray) imports = ferry_journal_imports(journal, migration_id, NULL);

    for (guint i = 0; creations && i < creations->len; i++) {
        const FerryCreation *creation = g_ptr_array_index(creations, i);

        g_assert_nonnull(ferry_creation_kind_to_string(creation->kind));
        (void)ferry_creations_find(creations, creation->kind, creation->path);
    }
    for (guint i = 0; imports && i < imports->len; i++) {
        const FerryImport *import = g_ptr_array_index(imports, i);

        (void)ferry_import_decide(imports, import);
        (void)ferry_import_is_open(import);
        (void)ferry_import_needed_by(imports, import);
    }
}

static void
read_records(FerryJournal *journal)
{
    const FerryJournalFilter all = {0};
    g_autoptr(GPtrArray) records = ferry_journal_list(journal, &all, NULL);

    for (guint i = 0; records && i < records->len; i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);
        g_autoptr(FerryRecord) copy = ferry_record_copy(record);
        g_autoptr(FerryJson) steps =
            ferry_journal_steps(journal, record->migration_id, record->role);

        read_order(copy);
        tell(copy, steps);
        read_things(journal, record->migration_id);
    }
}

static void
read_outbox(FerryJournal *journal)
{
    g_autoptr(GPtrArray) entries = ferry_journal_outbox_peek(journal, G_MININT64, MAX_ROWS, NULL);

    for (guint i = 0; entries && i < entries->len; i++) {
        const FerryOutboxEntry *entry = g_ptr_array_index(entries, i);

        /* Either it can be sent, or it is seen to be damaged. */
        g_assert_true(!entry->payload || g_utf8_validate(entry->event_type, -1, NULL));
    }
}

static void
read_quarantine(FerryJournal *journal, const char *migration_id)
{
    g_autoptr(GPtrArray) files = ferry_journal_quarantine_list(journal, migration_id, NULL);

    for (guint i = 0; files && i < files->len; i++) {
        const FerryQuarantined *file = g_ptr_array_index(files, i);

        g_assert_nonnull(ferry_quarantine_state_to_string(file->state));
    }
}

static void
read_all(FerryJournal *journal)
{
    const FerryFileStamp stamp = {0};
    g_autoptr(GPtrArray) leftovers = ferry_journal_leftover_paths(journal, "web-1", NULL);
    g_autoptr(FerryLeftover) leftover =
        ferry_journal_leftover_find(journal, "/images/disk", "web-1", NULL);
    g_autoptr(GPtrArray) asides = ferry_journal_asides(journal, "m-1", NULL);
    FerryFileIdentity identity = {0};
    bool is_known = false;
    g_autoptr(FerryCreation) creation = ferry_journal_creation_find(journal, "/images/disk", NULL);
    g_autoptr(GPtrArray) imports = ferry_journal_imports_of_path(journal, "/images/disk", NULL);
    g_autofree char *digest = ferry_journal_digest_get(journal, "/images/disk", &stamp);

    (void)!ferry_journal_identity_get(journal, "m-1", "/images/disk", &identity, &is_known, NULL);
    read_records(journal);
    read_things(journal, "m-1");
    read_outbox(journal);
    read_quarantine(journal, NULL);
    read_quarantine(journal, "m-1");
}

/* One that writes no file: what an input writes is rolled back. */
static FerryJournal *
open_journal(void)
{
    static const char *const files[] = {"journal.db", "lock", "."};
    g_autofree char *folder = g_dir_make_tmp("fuzz-rows-XXXXXX", NULL);
    FerryJournal *journal = ferry_journal_open(folder, NULL);

    g_assert_nonnull(journal);
    g_assert_cmpint(sqlite3_exec(journal->db,
                                 "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;", NULL,
                                 NULL, NULL),
                    ==, SQLITE_OK);
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_canonicalize_filename(files[i], folder);

        g_assert_cmpint(g_remove(path), ==, 0);
    }
    return journal;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FerryJournal *journal;
    static GPtrArray *inserts;
    FerryFuzzInput orders = {data, size};

    if (!journal) {
        journal = open_journal();
        inserts = prepare_inserts(journal->db);
    }
    sqlite3_exec(journal->db, "BEGIN", NULL, NULL, NULL);
    fill(inserts, &orders);
    read_all(journal);
    sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
    return 0;
}
