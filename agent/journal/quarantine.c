#include "config.h"

#include "journal/quarantine.h"

#include "ferry/clock.h"
#include "ferry/lock.h"
#include "journal/db.h"

#define COLUMNS                                                                                    \
    "migration_id, path, held_path, instance_name, instance_uuid, destination, inode, mode, "      \
    "state,"                                                                                       \
    " detail, since_us, until_us, ended_us"

static const char *const states[] = {
    [FERRY_QUARANTINE_INTENDED] = "intended",   [FERRY_QUARANTINE_HELD] = "held",
    [FERRY_QUARANTINE_RESTORING] = "restoring", [FERRY_QUARANTINE_RESTORED] = "restored",
    [FERRY_QUARANTINE_DELETED] = "deleted",
};

const char *
ferry_quarantine_state_to_string(FerryQuarantineState state)
{
    return states[state];
}

static FerryQuarantineState
state_from_string(const char *text)
{
    for (guint i = 0; i < G_N_ELEMENTS(states); i++)
        if (g_strcmp0(states[i], text) == 0)
            return (FerryQuarantineState)i;
    return FERRY_QUARANTINE_INTENDED;
}

void
ferry_quarantined_free(FerryQuarantined *file)
{
    if (!file)
        return;
    g_free(file->migration_id);
    g_free(file->path);
    g_free(file->held_path);
    g_free(file->instance_name);
    g_free(file->instance_uuid);
    g_free(file->destination);
    g_free(file->detail);
    g_free(file);
}

bool
ferry_journal_quarantine_add(FerryJournal *journal, const FerryQuarantined *file, GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "INSERT INTO quarantine (" COLUMNS ")"
                                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                                " ON CONFLICT DO NOTHING",
                                "ttttttiittiii", file->migration_id, file->path, file->held_path,
                                file->instance_name, file->instance_uuid, file->destination,
                                (gint64)file->inode, (gint64)file->mode, states[file->state],
                                file->detail, file->since_us, file->until_us, file->ended_us);
}

bool
ferry_journal_quarantine_set(FerryJournal *journal,
                             const char *migration_id,
                             const char *path,
                             FerryQuarantineState state,
                             const char *detail,
                             GError **error)
{
    bool ended = state == FERRY_QUARANTINE_RESTORED || state == FERRY_QUARANTINE_DELETED;
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "UPDATE quarantine SET state = ?1, detail = ?2, ended_us = ?3"
                                " WHERE migration_id = ?4 AND (?5 IS NULL OR path = ?5)",
                                "ttitt", states[state], detail, ended ? ferry_clock_now_us() : 0,
                                migration_id, path);
}

static FerryQuarantined *
read_file(FerryStatement *row)
{
    FerryQuarantined *file = g_new0(FerryQuarantined, 1);

    file->migration_id = ferry_journal_db_text(row, 0);
    file->path = ferry_journal_db_text(row, 1);
    file->held_path = ferry_journal_db_text(row, 2);
    file->instance_name = ferry_journal_db_text(row, 3);
    file->instance_uuid = ferry_journal_db_text(row, 4);
    file->destination = ferry_journal_db_text(row, 5);
    file->inode = (guint64)sqlite3_column_int64(row, 6);
    file->mode = (guint)sqlite3_column_int64(row, 7);
    file->state = state_from_string((const char *)sqlite3_column_text(row, 8));
    file->detail = ferry_journal_db_text(row, 9);
    file->since_us = ferry_journal_db_time(row, 10);
    file->until_us = ferry_journal_db_time(row, 11);
    file->ended_us = ferry_journal_db_time(row, 12);
    return file;
}

GPtrArray *
ferry_journal_quarantine_list(FerryJournal *journal, const char *migration_id, GError **error)
{
    g_autoptr(GPtrArray) files =
        g_ptr_array_new_with_free_func((GDestroyNotify)ferry_quarantined_free);
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error,
        "SELECT " COLUMNS " FROM quarantine WHERE (?1 IS NULL AND ended_us = 0)"
        " OR migration_id = ?1 ORDER BY since_us, migration_id, path",
        "t", migration_id);

    for (bool row = statement; row;) {
        if (!ferry_journal_db_next(journal, statement, &row, error))
            return NULL;
        if (row)
            g_ptr_array_add(files, read_file(statement));
    }
    return statement ? g_steal_pointer(&files) : NULL;
}
