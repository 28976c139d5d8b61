#include "config.h"

#include "journal/arrivals.h"

#include "ferry/lock.h"
#include "journal/db.h"

bool
ferry_journal_arrival_get(FerryJournal *journal,
                          const char *migration_id,
                          FerryArrivalNote *ret_note,
                          GError **error)
{
    bool row = false;
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error, "SELECT stage, attempt, listening_us FROM arrivals WHERE migration_id = ?",
        "t", migration_id);

    *ret_note = (FerryArrivalNote){0};
    if (!statement || !ferry_journal_db_next(journal, statement, &row, error))
        return false;
    if (row) {
        ret_note->stage = (FerryArrivalStage)CLAMP(sqlite3_column_int(statement, 0),
                                                   FERRY_ARRIVAL_AWAITED, FERRY_ARRIVAL_CAME);
        ret_note->attempt = (guint64)MAX(sqlite3_column_int64(statement, 1), 0);
        ret_note->listening_us = ferry_journal_db_time(statement, 2);
    }
    return true;
}

bool
ferry_journal_arrival_await(FerryJournal *journal,
                            const char *migration_id,
                            gint64 listening_us,
                            GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT OR REPLACE INTO arrivals (migration_id, stage, attempt,"
                                " listening_us) VALUES (?, 0, 0, ?)",
                                "ti", migration_id, listening_us);
}

bool
ferry_journal_arrival_reach(FerryJournal *journal,
                            const char *migration_id,
                            FerryArrivalStage stage,
                            GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT INTO arrivals (migration_id, stage, attempt, listening_us)"
                                " VALUES (?, ?, 0, 0) ON CONFLICT DO UPDATE"
                                " SET stage = max(stage, excluded.stage)",
                                "ti", migration_id, (gint64)stage);
}

bool
ferry_journal_arrival_renew(FerryJournal *journal,
                            const char *migration_id,
                            guint64 attempt,
                            GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT INTO arrivals (migration_id, stage, attempt, listening_us)"
                                " VALUES (?, 0, ?, 0) ON CONFLICT DO UPDATE"
                                " SET stage = CASE stage WHEN 2 THEN 2 ELSE 0 END, attempt = "
                                "max(attempt, excluded.attempt)",
                                "ti", migration_id, (gint64)attempt);
}
