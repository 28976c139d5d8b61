#include "config.h"

#include "journal/identities.h"

#include "ferry/lock.h"
#include "journal/db.h"

bool
ferry_journal_identity_put_text(FerryJournal *journal,
                                const char *migration_id,
                                const char *path,
                                const char *text,
                                GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT OR REPLACE INTO identities (migration_id, path, identity)"
                                " VALUES (?, ?, ?)",
                                "ttt", migration_id, path, text);
}

bool
ferry_journal_identity_put(FerryJournal *journal,
                           const char *migration_id,
                           const char *path,
                           const FerryFileIdentity *identity,
                           GError **error)
{
    g_autofree char *text = ferry_file_identity_to_text(identity);

    return ferry_journal_identity_put_text(journal, migration_id, path, text, error);
}

bool
ferry_journal_identity_intend(FerryJournal *journal,
                              const char *migration_id,
                              const char *path,
                              GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT INTO identities (migration_id, path, identity)"
                                " VALUES (?, ?, '') ON CONFLICT DO NOTHING",
                                "tt", migration_id, path);
}

bool
ferry_journal_identity_is_of_before(FerryJournal *journal,
                                    const char *migration_id,
                                    const char *path)
{
    bool row = false;
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, NULL, "SELECT 1 FROM identities WHERE migration_id = ? AND path = ?", "tt",
        migration_id, path);

    return statement && ferry_journal_db_next(journal, statement, &row, NULL) && !row;
}

bool
ferry_journal_identity_get_text(FerryJournal *journal,
                                const char *migration_id,
                                const char *path,
                                char **ret_text,
                                GError **error)
{
    bool row = false;
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error, "SELECT identity FROM identities WHERE migration_id = ? AND path = ?", "tt",
        migration_id, path);

    if (!statement || !ferry_journal_db_next(journal, statement, &row, error))
        return false;
    *ret_text = row ? ferry_journal_db_text(statement, 0) : NULL;
    return true;
}

bool
ferry_journal_identity_get(FerryJournal *journal,
                           const char *migration_id,
                           const char *path,
                           FerryFileIdentity *ret_identity,
                           bool *ret_known,
                           GError **error)
{
    g_autofree char *text = NULL;

    if (!ferry_journal_identity_get_text(journal, migration_id, path, &text, error))
        return false;
    *ret_known = ferry_file_identity_from_text(text, ret_identity);
    return true;
}
