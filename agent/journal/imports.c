#include "config.h"

#include "journal/imports.h"

#include "ferry/clock.h"
#include "ferry/lock.h"
#include "journal/db.h"

#define DAY_US (24 * 3600 * (gint64)G_USEC_PER_SEC)

#define COLUMNS "migration_id, path, partial, kind, digest, file_bytes, state, inode"

static const char *const states[] = {
    [FERRY_IMPORT_WAITING] = "waiting",     [FERRY_IMPORT_COPYING] = "copying",
    [FERRY_IMPORT_PUBLISHED] = "published", [FERRY_IMPORT_PRESENT] = "present",
    [FERRY_IMPORT_DELIVERED] = "delivered", [FERRY_IMPORT_RELEASED] = "released",
    [FERRY_IMPORT_REMOVED] = "removed",
};

/* A word of a newer agent claims nothing, so that nothing is deleted for it. */
static FerryImportState
state_from_string(const char *text)
{
    for (guint i = 0; i < G_N_ELEMENTS(states); i++)
        if (g_strcmp0(states[i], text) == 0)
            return (FerryImportState)i;
    return FERRY_IMPORT_RELEASED;
}

bool
ferry_journal_import_put(FerryJournal *journal, const FerryImport *import, GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT OR REPLACE INTO imports (" COLUMNS
                                ", at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                "tttttitii", import->migration_id, import->path, import->partial,
                                import->kind, import->digest, (gint64)import->file_bytes,
                                states[import->state], (gint64)import->inode, ferry_clock_now_us());
}

static FerryImport *
read_row(FerryStatement *row)
{
    FerryImport *import = g_new0(FerryImport, 1);
    g_autofree char *state = ferry_journal_db_text(row, 6);

    import->migration_id = ferry_journal_db_text(row, 0);
    import->path = ferry_journal_db_text(row, 1);
    import->partial = ferry_journal_db_text(row, 2);
    import->kind = ferry_journal_db_text(row, 3);
    import->digest = ferry_journal_db_text(row, 4);
    import->file_bytes = (guint64)sqlite3_column_int64(row, 5);
    import->state = state_from_string(state);
    import->inode = (guint64)sqlite3_column_int64(row, 7);
    return import;
}

static GPtrArray *
read_rows(FerryJournal *journal, const char *sql, const char *value, GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_import_free);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(journal, error, sql, "t", value);
    bool row = statement != NULL;

    while (row) {
        if (!ferry_journal_db_next(journal, statement, &row, error))
            return NULL;
        if (row)
            g_ptr_array_add(rows, read_row(statement));
    }
    return statement ? g_steal_pointer(&rows) : NULL;
}

GPtrArray *
ferry_journal_imports_of_path(FerryJournal *journal, const char *path, GError **error)
{
    return read_rows(journal, "SELECT " COLUMNS " FROM imports WHERE path = ? ORDER BY at_us", path,
                     error);
}

GPtrArray *
ferry_journal_imports(FerryJournal *journal, const char *migration_id, GError **error)
{
    return read_rows(journal,
                     "SELECT " COLUMNS " FROM imports WHERE migration_id = ? ORDER BY at_us",
                     migration_id, error);
}

/* --- digests ---------------------------------------------------------------------------------- */

bool
ferry_journal_digest_put(FerryJournal *journal,
                         const char *path,
                         const FerryFileStamp *stamp,
                         const char *digest,
                         GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?)",
                                "tiiiti", path, (gint64)stamp->size_bytes, stamp->mtime_ns,
                                (gint64)stamp->inode, digest, ferry_clock_now_us());
}

/* What is used is kept from being pruned; once a day is often enough to note it. */
static void
note_use(FerryJournal *journal, const char *path)
{
    const gint64 now_us = ferry_clock_now_us();

    (void)ferry_journal_db_run(journal, NULL,
                               "UPDATE digests SET at_us = ? WHERE path = ? AND at_us < ?", "iti",
                               now_us, path, now_us - DAY_US);
}

char *
ferry_journal_digest_get(FerryJournal *journal, const char *path, const FerryFileStamp *stamp)
{
    bool row = false;
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, NULL,
        "SELECT digest FROM digests WHERE path = ? AND size_bytes = ? AND mtime_ns = ?"
        " AND inode = ?",
        "tiii", path, (gint64)stamp->size_bytes, stamp->mtime_ns, (gint64)stamp->inode);

    if (!statement || !ferry_journal_db_next(journal, statement, &row, NULL) || !row)
        return NULL;

    char *digest = ferry_journal_db_text(statement, 0);

    note_use(journal, path);
    return digest;
}
