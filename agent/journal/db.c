#include "config.h"

#include "journal/db.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

/* Raise it with every change of the tables and add the step to bring_up_to_date(). */
#define SCHEMA_VERSION 2
/* The year 9999: times that differ by no more than this can be counted with. */
#define LAST_US (G_GINT64_CONSTANT(253402300799) * G_USEC_PER_SEC)

static const char schema[] =
    "CREATE TABLE migrations ("
    "  migration_id TEXT NOT NULL, role TEXT NOT NULL,"
    "  instance_name TEXT, instance_uuid TEXT, source TEXT, destination TEXT,"
    "  status TEXT NOT NULL, phase TEXT, open INTEGER NOT NULL,"
    "  order_json TEXT, instance_info TEXT, migrate_data TEXT,"
    "  progress TEXT, error TEXT, report TEXT,"
    "  created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL,"
    "  ended_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, seq INTEGER NOT NULL,"
    "  abort_ordered INTEGER NOT NULL DEFAULT 0, force_ordered INTEGER NOT NULL DEFAULT 0,"
    "  PRIMARY KEY (migration_id, role));"
    /* One open migration an instance and role: the database itself refuses the second. */
    "CREATE UNIQUE INDEX one_open ON migrations (instance_uuid, role) WHERE open = 1;"
    "CREATE TABLE steps ("
    "  migration_id TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,"
    "  begun_us INTEGER NOT NULL, ended_us INTEGER NOT NULL,"
    "  PRIMARY KEY (migration_id, role, name));"
    "CREATE TABLE creations ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, migration_id TEXT NOT NULL, kind TEXT NOT NULL,"
    "  state TEXT NOT NULL, pool TEXT, path TEXT, detail TEXT, at_us INTEGER NOT NULL);"
    "CREATE INDEX creations_of ON creations (migration_id);"
    "CREATE TABLE leftovers ("
    "  path TEXT PRIMARY KEY, instance_uuid TEXT NOT NULL, migration_id TEXT NOT NULL,"
    "  fingerprint TEXT NOT NULL, at_us INTEGER NOT NULL);"
    "CREATE TABLE outbox ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, event_type TEXT NOT NULL, priority TEXT NOT NULL,"
    "  message_id TEXT NOT NULL, migration_id TEXT, at_us INTEGER NOT NULL, payload TEXT NOT "
    "NULL);";

/* What schema 2 adds; also run over a fresh journal. */
static const char additions[] =
    "CREATE TABLE IF NOT EXISTS quarantine ("
    "  migration_id TEXT NOT NULL, path TEXT NOT NULL, held_path TEXT NOT NULL,"
    "  instance_name TEXT NOT NULL, instance_uuid TEXT NOT NULL, destination TEXT NOT NULL,"
    "  inode INTEGER NOT NULL, mode INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT,"
    "  since_us INTEGER NOT NULL, until_us INTEGER NOT NULL, ended_us INTEGER NOT NULL,"
    "  PRIMARY KEY (migration_id, path));"
    "CREATE TABLE IF NOT EXISTS imports ("
    "  migration_id TEXT NOT NULL, path TEXT NOT NULL, partial TEXT NOT NULL, kind TEXT NOT NULL,"
    "  digest TEXT NOT NULL, file_bytes INTEGER NOT NULL, state TEXT NOT NULL,"
    "  inode INTEGER NOT NULL, at_us INTEGER NOT NULL, PRIMARY KEY (migration_id, path));"
    "CREATE INDEX IF NOT EXISTS imports_of ON imports (path);"
    "CREATE TABLE IF NOT EXISTS digests ("
    "  path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
    "  inode INTEGER NOT NULL, digest TEXT NOT NULL, at_us INTEGER NOT NULL);";

bool
ferry_journal_db_fail(FerryJournal *journal, const char *doing, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_JOURNAL_UNAVAILABLE,
                    "Free space on that file system or make it writable, then send the order again",
                    "Cannot %s in the journal '%s': %s", doing, journal->path,
                    sqlite3_errmsg(journal->db));
    return false;
}

static void
bind_values(FerryStatement *statement, const char *types, va_list values)
{
    for (int i = 0; types[i]; i++) {
        if (types[i] == 't') {
            sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
        } else if (types[i] == 'i') {
            sqlite3_bind_int64(statement, i + 1, va_arg(values, gint64));
        } else {
            json_t *value = va_arg(values, json_t *);
            g_autofree char *text = value ? ferry_json_dump(value) : NULL;

            g_assert(types[i] == 'j');
            sqlite3_bind_text(statement, i + 1, text, -1, SQLITE_TRANSIENT);
        }
    }
}

static void
finalize_statement(gpointer statement)
{
    sqlite3_finalize(statement);
}

static FerryStatement *
find_or_compile(FerryJournal *journal, const char *sql)
{
    FerryStatement *statement = g_hash_table_lookup(journal->statements, sql);

    if (!statement && sqlite3_prepare_v3(journal->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                         &statement, NULL) == SQLITE_OK)
        g_hash_table_insert(journal->statements, (gpointer)sqlite3_sql(statement), statement);
    return statement;
}

static FerryStatement *
prepare_values(
    FerryJournal *journal, GError **error, const char *sql, const char *types, va_list values)
{
    FerryStatement *statement = find_or_compile(journal, sql);

    if (!statement) {
        ferry_journal_db_fail(journal, "read", error);
        return NULL;
    }
    bind_values(statement, types, values);
    return statement;
}

void
ferry_journal_db_done(FerryStatement *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

FerryStatement *
ferry_journal_db_prepare(
    FerryJournal *journal, GError **error, const char *sql, const char *types, ...)
{
    va_list values;

    va_start(values, types);
    FerryStatement *statement = prepare_values(journal, error, sql, types, values);
    va_end(values);
    return statement;
}

bool
ferry_journal_db_run(FerryJournal *journal, GError **error, const char *sql, const char *types, ...)
{
    va_list values;

    va_start(values, types);
    g_autoptr(FerryStatement) statement = prepare_values(journal, error, sql, types, values);
    va_end(values);
    if (!statement)
        return false;

    return sqlite3_step(statement) == SQLITE_DONE || ferry_journal_db_fail(journal, "write", error);
}

bool
ferry_journal_db_next(FerryJournal *journal,
                      FerryStatement *statement,
                      bool *ret_row,
                      GError **error)
{
    int rc = sqlite3_step(statement);

    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return ferry_journal_db_fail(journal, "read", error);
    *ret_row = rc == SQLITE_ROW;
    return true;
}

bool
ferry_journal_db_begin(FerryJournal *journal, GError **error)
{
    return ferry_journal_db_run(journal, error, "BEGIN IMMEDIATE", "");
}

bool
ferry_journal_db_end(FerryJournal *journal, bool ok, GError **error)
{
    if (ok && ferry_journal_db_run(journal, error, "COMMIT", ""))
        return true;
    /* A failed commit may have rolled back by itself already; a second one does no harm. */
    sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

char *
ferry_journal_db_text(FerryStatement *statement, int column)
{
    return g_strdup((const char *)sqlite3_column_text(statement, column));
}

gint64
ferry_journal_db_time(FerryStatement *statement, int column)
{
    return CLAMP(sqlite3_column_int64(statement, column), 0, LAST_US);
}

json_t *
ferry_journal_db_json(FerryStatement *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    g_autoptr(FerryJson) document = text ? json_loads(text, JSON_ALLOW_NUL, NULL) : NULL;

    return json_is_object(document) ? g_steal_pointer(&document) : NULL;
}

bool
ferry_journal_db_queue_event(FerryJournal *journal, const FerryEvent *event, GError **error)
{
    if (!journal->events)
        return true;

    g_autofree char *message_id = g_uuid_string_random();

    return ferry_journal_db_run(journal, error,
                                "INSERT INTO outbox (event_type, priority, message_id,"
                                " migration_id, at_us, payload) VALUES (?, ?, ?, ?, ?, ?)",
                                "ttttij", event->event_type, event->priority, message_id,
                                event->migration_id, event->time_us, event->payload);
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool
refuse(GError **error, const char *hint, const char *path, const char *why)
{
    ferry_set_error(error, FERRY_ERROR_CONFIG, hint, "The journal '%s' %s", path, why);
    return false;
}

/* Two agents with one journal would both run its migrations. */
static bool
take_lock(FerryJournal *journal, const char *state_path, GError **error)
{
    g_autofree char *lock_path = g_build_filename(state_path, "lock", NULL);

    journal->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->lock_fd < 0) {
        g_autofree char *why = g_strdup_printf("cannot be locked: %s", g_strerror(errno));

        return refuse(error, "Give the agent's user rights on the state folder", lock_path, why);
    }
    if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return refuse(error, "Stop the other virt-ferryd, or give this one a state_path of its own",
                      lock_path, "is in use by another agent");
    return true;
}

static bool
make_state_folder(const char *state_path, GError **error)
{
    if (g_mkdir_with_parents(state_path, 0700) == 0 &&
        g_access(state_path, R_OK | W_OK | X_OK) == 0)
        return true;

    ferry_set_error(error, FERRY_ERROR_CONFIG,
                    "Make the folder, owned by the agent's user, or set [DEFAULT] state_path",
                    "Cannot use the state folder '%s': %s", state_path, g_strerror(errno));
    return false;
}

static bool
set_pragmas(FerryJournal *journal)
{
    return sqlite3_exec(journal->db,
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                        "PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 1000;"
                        "PRAGMA cache_size = -256;",
                        NULL, NULL, NULL) == SQLITE_OK;
}

static bool
read_version(FerryJournal *journal, int *ret_version)
{
    bool row = false;
    g_autoptr(FerryStatement) statement =
        ferry_journal_db_prepare(journal, NULL, "PRAGMA user_version", "");

    if (!statement || !ferry_journal_db_next(journal, statement, &row, NULL) || !row)
        return false;
    *ret_version = sqlite3_column_int(statement, 0);
    return true;
}

/* From an empty file (version 0) or an older schema; both end with the same tables. */
static bool
bring_up_to_date(FerryJournal *journal, int version)
{
    g_autofree char *sql = g_strdup_printf("BEGIN; %s %s PRAGMA user_version = %d; COMMIT;",
                                           version == 0 ? schema : "", additions, SCHEMA_VERSION);

    return sqlite3_exec(journal->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* What came without a schema of its own, so that an agent of before reads this journal, too: steps
 * have had other names, and a table that it does not know does it no harm. */
static const char amendments[] =
    "CREATE TABLE IF NOT EXISTS identities ("
    "  migration_id TEXT NOT NULL, path TEXT NOT NULL, identity TEXT NOT NULL,"
    "  PRIMARY KEY (migration_id, path));"
    "CREATE TABLE IF NOT EXISTS asides ("
    "  migration_id TEXT NOT NULL, path TEXT NOT NULL, aside_path TEXT NOT NULL,"
    "  PRIMARY KEY (migration_id, path));"
    "CREATE TABLE IF NOT EXISTS arrivals ("
    "  migration_id TEXT PRIMARY KEY, stage INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    "  listening_us INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS tunings ("
    "  migration_id TEXT PRIMARY KEY, parameters TEXT NOT NULL);"
    "UPDATE OR REPLACE steps SET name = 'confirm' WHERE name = 'adjudicate';";

static bool
amend(FerryJournal *journal)
{
    return sqlite3_exec(journal->db, amendments, NULL, NULL, NULL) == SQLITE_OK;
}

/* Asks SQLite to walk every page: a damaged journal must stop the start, not surprise a
 * migration. */
static bool
is_sound(FerryJournal *journal)
{
    bool row = false;
    g_autoptr(FerryStatement) statement =
        ferry_journal_db_prepare(journal, NULL, "PRAGMA quick_check(1)", "");

    return statement && ferry_journal_db_next(journal, statement, &row, NULL) && row &&
           g_strcmp0((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
}

static bool
check_schema(FerryJournal *journal, GError **error)
{
    int version = 0;

    if (!read_version(journal, &version) || (version > 0 && !is_sound(journal)))
        return refuse(error,
                      "It was left as it is: move it away to start with an empty journal, after "
                      "looking at the migrations it may hold",
                      journal->path,
                      sqlite3_errcode(journal->db) == SQLITE_CANTOPEN ? "cannot be opened"
                                                                      : "is damaged");
    if (version > SCHEMA_VERSION) {
        g_autofree char *why =
            g_strdup_printf("has schema %d, this agent knows %d", version, SCHEMA_VERSION);

        return refuse(error, "Start the newer virt-ferryd that wrote it, or move it away",
                      journal->path, why);
    }
    if (version < SCHEMA_VERSION && !bring_up_to_date(journal, version)) {
        g_autofree char *why = g_strdup_printf("cannot be made: %s", sqlite3_errmsg(journal->db));

        return refuse(error, "Free space or give rights on the state folder", journal->path, why);
    }
    return true;
}

FerryJournal *
ferry_journal_open(const char *state_path, GError **error)
{
    if (!make_state_folder(state_path, error))
        return NULL;

    g_autoptr(FerryJournal) journal = g_new0(FerryJournal, 1);

    g_mutex_init(&journal->lock);
    journal->lock_fd = -1;
    journal->statements = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, finalize_statement);
    journal->path = g_build_filename(state_path, "journal.db", NULL);
    if (!take_lock(journal, state_path, error))
        return NULL;

    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(journal->path, &journal->db, flags, NULL);

    if (rc != SQLITE_OK) {
        refuse(error, "Give the agent's user rights on the file and its folder", journal->path,
               "cannot be opened");
        return NULL;
    }
    /* WAL comes after the look at the version: it would write into a file that is not ours. So
     * would closing, when a killed agent's log lies beside it. */
    sqlite3_db_config(journal->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (!check_schema(journal, error))
        return NULL;
    sqlite3_db_config(journal->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    if (!set_pragmas(journal) || !amend(journal)) {
        g_autofree char *why =
            g_strdup_printf("cannot be written: %s", sqlite3_errmsg(journal->db));

        refuse(error, "Free space or give rights on the state folder", journal->path, why);
        return NULL;
    }
    return g_steal_pointer(&journal);
}

void
ferry_journal_close(FerryJournal *journal)
{
    if (!journal)
        return;
    g_hash_table_unref(journal->statements);
    sqlite3_close(journal->db);
    if (journal->lock_fd >= 0)
        close(journal->lock_fd);
    g_mutex_clear(&journal->lock);
    g_free(journal->path);
    g_free(journal);
}

void
ferry_journal_set_wakeup(FerryJournal *journal, void (*wakeup)(gpointer), gpointer data)
{
    journal->wakeup = wakeup;
    journal->wakeup_data = data;
}

void
ferry_journal_enable_events(FerryJournal *journal, bool enable)
{
    journal->events = enable;
}
