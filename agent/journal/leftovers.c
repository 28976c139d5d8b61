#include "config.h"

#include "journal/leftovers.h"

#include "ferry/clock.h"
#include "ferry/lock.h"
#include "journal/db.h"

void
ferry_leftover_free(FerryLeftover *leftover)
{
    if (!leftover)
        return;
    g_free(leftover->path);
    g_free(leftover->migration_id);
    g_free(leftover->fingerprint);
    g_free(leftover);
}

bool
ferry_journal_leftover_add(FerryJournal *journal,
                           const char *path,
                           const char *instance_uuid,
                           const char *migration_id,
                           const char *fingerprint,
                           GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(
        journal, error, "INSERT OR REPLACE INTO leftovers VALUES (?, ?, ?, ?, ?)", "tttti", path,
        instance_uuid, migration_id, fingerprint, ferry_clock_now_us());
}

FerryLeftover *
ferry_journal_leftover_find(FerryJournal *journal,
                            const char *path,
                            const char *instance_uuid,
                            GError **error)
{
    bool row = false;
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement =
        ferry_journal_db_prepare(journal, error,
                                 "SELECT migration_id, fingerprint FROM leftovers"
                                 " WHERE path = ? AND instance_uuid = ?",
                                 "tt", path, instance_uuid);

    if (!statement || !ferry_journal_db_next(journal, statement, &row, error) || !row)
        return NULL;

    FerryLeftover *leftover = g_new0(FerryLeftover, 1);

    leftover->path = g_strdup(path);
    leftover->migration_id = ferry_journal_db_text(statement, 0);
    leftover->fingerprint = ferry_journal_db_text(statement, 1);
    return leftover;
}

GPtrArray *
ferry_journal_leftover_paths(FerryJournal *journal, const char *instance_uuid, GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error, "SELECT path FROM leftovers WHERE instance_uuid = ? ORDER BY path", "t",
        instance_uuid);

    for (bool row = statement; row;) {
        if (!ferry_journal_db_next(journal, statement, &row, error))
            return NULL;
        if (row)
            g_ptr_array_add(paths, ferry_journal_db_text(statement, 0));
    }
    return statement ? g_steal_pointer(&paths) : NULL;
}

bool
ferry_journal_leftover_forget(FerryJournal *journal, const char *path, GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error, "DELETE FROM leftovers WHERE path = ?", "t", path);
}

/* --- set aside -------------------------------------------------------------------------------- */

void
ferry_aside_free(FerryAside *aside)
{
    if (!aside)
        return;
    g_free(aside->path);
    g_free(aside->aside_path);
    g_free(aside);
}

bool
ferry_journal_aside_add(FerryJournal *journal,
                        const char *migration_id,
                        const char *path,
                        const char *aside_path,
                        GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT OR REPLACE INTO asides (migration_id, path, aside_path)"
                                " VALUES (?, ?, ?)",
                                "ttt", migration_id, path, aside_path);
}

GPtrArray *
ferry_journal_asides(FerryJournal *journal, const char *migration_id, GError **error)
{
    g_autoptr(GPtrArray) asides = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_aside_free);
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error, "SELECT path, aside_path FROM asides WHERE migration_id = ? ORDER BY path",
        "t", migration_id);

    for (bool row = statement; row;) {
        if (!ferry_journal_db_next(journal, statement, &row, error))
            return NULL;
        if (row) {
            FerryAside *aside = g_new0(FerryAside, 1);

            aside->path = ferry_journal_db_text(statement, 0);
            aside->aside_path = ferry_journal_db_text(statement, 1);
            g_ptr_array_add(asides, aside);
        }
    }
    return statement ? g_steal_pointer(&asides) : NULL;
}

bool
ferry_journal_aside_forget(FerryJournal *journal,
                           const char *migration_id,
                           const char *path,
                           GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "DELETE FROM asides WHERE migration_id = ? AND path = ?", "tt",
                                migration_id, path);
}
