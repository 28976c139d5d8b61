/* The table of creations: what was made on this host. */
#include "config.h"

#include "ferry/clock.h"
#include "ferry/lock.h"
#include "journal/db.h"

#define COLUMNS "id, migration_id, kind, state, pool, path, detail, at_us"

static const char *const kinds[] = {
    [FERRY_CREATION_DIRECTORY] = "directory",
    [FERRY_CREATION_POOL_DEFINED] = "pool-defined",
    [FERRY_CREATION_POOL_STARTED] = "pool-started",
    [FERRY_CREATION_POOL_AUTOSTART] = "pool-autostart",
    [FERRY_CREATION_VOLUME] = "volume",
    [FERRY_CREATION_BLOCK_VOLUME] = "block-volume",
    [FERRY_CREATION_NVRAM] = "nvram",
    [FERRY_CREATION_CONSOLE] = "console",
    [FERRY_CREATION_OTHER] = "other",
};

static const char *const states[] = {
    [FERRY_CREATION_INTENDED] = "intended", [FERRY_CREATION_MADE] = "made",
    [FERRY_CREATION_REMOVED] = "removed",   [FERRY_CREATION_DELIVERED] = "delivered",
    [FERRY_CREATION_KEPT] = "kept",
};

const char *
ferry_creation_kind_to_string(FerryCreationKind kind)
{
    return kinds[kind];
}

void
ferry_creation_free(FerryCreation *creation)
{
    if (!creation)
        return;
    g_free(creation->migration_id);
    g_free(creation->pool);
    g_free(creation->path);
    g_free(creation->detail);
    g_free(creation);
}

FerryCreation *
ferry_creations_find(const GPtrArray *creations, FerryCreationKind kind, const char *path)
{
    for (guint i = 0; i < creations->len; i++) {
        FerryCreation *creation = g_ptr_array_index(creations, i);

        if (creation->kind == kind && g_strcmp0(creation->path, path) == 0)
            return creation;
    }
    return NULL;
}

/* A word of a newer agent is @other, which claims nothing. */
static guint
index_of(const char *const *names, guint count, const char *name, guint other)
{
    for (guint i = 0; i < count; i++)
        if (g_strcmp0(names[i], name) == 0)
            return i;
    return other;
}

bool
ferry_journal_creation_add(FerryJournal *journal,
                           const FerryIntention *intention,
                           gint64 *ret_id,
                           GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    if (!ferry_journal_db_run(
            journal, error,
            "INSERT INTO creations (migration_id, kind, state, pool, path, detail,"
            " at_us) VALUES (?, ?, 'intended', ?, ?, ?, ?)",
            "ttttti", intention->migration_id, kinds[intention->kind], intention->pool,
            intention->path, intention->detail, ferry_clock_now_us()))
        return false;
    *ret_id = sqlite3_last_insert_rowid(journal->db);
    return true;
}

bool
ferry_journal_creation_set(
    FerryJournal *journal, gint64 id, FerryCreationState state, const char *detail, GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);

    return ferry_journal_db_run(journal, error,
                                "UPDATE creations SET state = ?, detail = ? WHERE id = ?", "tti",
                                states[state], detail, id);
}

static FerryCreation *
read_creation(FerryStatement *row)
{
    FerryCreation *creation = g_new0(FerryCreation, 1);

    creation->id = sqlite3_column_int64(row, 0);
    creation->migration_id = ferry_journal_db_text(row, 1);
    creation->kind = (FerryCreationKind)index_of(kinds, G_N_ELEMENTS(kinds),
                                                 (const char *)sqlite3_column_text(row, 2),
                                                 FERRY_CREATION_OTHER);
    creation->state = (FerryCreationState)index_of(states, G_N_ELEMENTS(states),
                                                   (const char *)sqlite3_column_text(row, 3),
                                                   FERRY_CREATION_KEPT);
    creation->pool = ferry_journal_db_text(row, 4);
    creation->path = ferry_journal_db_text(row, 5);
    creation->detail = ferry_journal_db_text(row, 6);
    creation->at_us = ferry_journal_db_time(row, 7);
    /* All that this version makes is somewhere. */
    if (!creation->path)
        creation->kind = FERRY_CREATION_OTHER;
    return creation;
}

GPtrArray *
ferry_journal_creations(FerryJournal *journal, const char *migration_id, GError **error)
{
    g_autoptr(GPtrArray) creations =
        g_ptr_array_new_with_free_func((GDestroyNotify)ferry_creation_free);
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement =
        ferry_journal_db_prepare(journal, error,
                                 "SELECT " COLUMNS " FROM creations WHERE migration_id = ?"
                                 " AND state IN ('intended', 'made', 'kept') ORDER BY id DESC",
                                 "t", migration_id);

    for (bool row = statement; row;) {
        if (!ferry_journal_db_next(journal, statement, &row, error))
            return NULL;
        if (row)
            g_ptr_array_add(creations, read_creation(statement));
    }
    return statement ? g_steal_pointer(&creations) : NULL;
}

FerryCreation *
ferry_journal_creation_find(FerryJournal *journal, const char *path, GError **error)
{
    bool row = false;
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error,
        "SELECT " COLUMNS " FROM creations WHERE path = ?"
        " AND kind IN ('volume', 'block-volume') AND state IN ('intended', 'made', 'kept') ORDER "
        "BY id DESC LIMIT 1",
        "t", path);

    return statement && ferry_journal_db_next(journal, statement, &row, error) && row
               ? read_creation(statement)
               : NULL;
}

bool
ferry_journal_pool_is_needed(FerryJournal *journal,
                             const char *pool,
                             const char *migration_id,
                             bool *ret_needed,
                             GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error,
        "SELECT 1 FROM creations WHERE pool = ?1 AND migration_id <> ?2"
        " AND kind = 'pool-started' AND state IN ('intended', 'made') LIMIT 1",
        "tt", pool, migration_id);

    return statement && ferry_journal_db_next(journal, statement, ret_needed, error);
}

bool
ferry_journal_pool_is_shared(FerryJournal *journal,
                             const char *pool,
                             const char *migration_id,
                             bool *ret_shared,
                             GError **error)
{
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement =
        ferry_journal_db_prepare(journal, error,
                                 /* What was delivered before this migration touched the pool was
                                  * no reason not to make it, so it is none to keep it. */
                                 "SELECT 1 FROM creations WHERE pool = ?1 AND migration_id <> ?2"
                                 " AND kind = 'volume' AND (state IN ('intended', 'made', 'kept')"
                                 " OR (state = 'delivered' AND id > (SELECT min(id) FROM creations"
                                 " WHERE pool = ?1 AND migration_id = ?2)))"
                                 /* The same for files that others brought into its folder. */
                                 " UNION ALL SELECT 1 FROM imports i JOIN creations c"
                                 " ON c.pool = ?1 AND c.migration_id = ?2 AND c.kind <> 'volume'"
                                 " WHERE i.migration_id <> ?2"
                                 " AND substr(i.path, 1, length(c.path) + 1) = c.path || '/'"
                                 " AND (i.state IN ('waiting', 'copying', 'published', 'present')"
                                 " OR (i.state = 'delivered' AND i.at_us > c.at_us)) LIMIT 1",
                                 "tt", pool, migration_id);

    return statement && ferry_journal_db_next(journal, statement, ret_shared, error);
}
