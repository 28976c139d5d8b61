/* db.h: the database under the journal; private to agent/journal*.c, the only owners of
 * sqlite3.h.
 *
 * Statements are prepared with their values in one call; `types` has a letter a value: t = text
 * (const char *, NULL allowed), i = gint64, j = json_t * (borrowed; NULL becomes SQL NULL).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "journal/journal.h"

struct FerryJournal {
    GMutex lock;            /* guards all below while a function runs */
    sqlite3 *db;            /* immutable pointer */
    char *path;             /* immutable */
    int lock_fd;            /* immutable; held as long as the agent lives */
    GHashTable *statements; /* SQL to sqlite3_stmt: each is compiled once */
    bool events;            /* set before threads use the journal */
    void (*wakeup)(gpointer);
    gpointer wakeup_data;
};

/* A statement in use: done with it, it is reset and waits for the next time. One text is in use
 * once at a time. */
typedef sqlite3_stmt FerryStatement;
void ferry_journal_db_done(FerryStatement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryStatement, ferry_journal_db_done)

/** Sets FERRY_ERROR_JOURNAL_UNAVAILABLE from the database's last error. Always returns false. */
bool ferry_journal_db_fail(FerryJournal *journal, const char *doing, GError **error);

/** Returns: (transfer full): @sql with its values bound; NULL with @error set. */
FerryStatement *ferry_journal_db_prepare(
    FerryJournal *journal, GError **error, const char *sql, const char *types, ...);

/** Prepares and runs a statement that gives no rows. */
bool ferry_journal_db_run(
    FerryJournal *journal, GError **error, const char *sql, const char *types, ...);

/** Advances a statement. Returns: true with @ret_row telling whether there is one. */
bool ferry_journal_db_next(FerryJournal *journal,
                           FerryStatement *statement,
                           bool *ret_row,
                           GError **error);

bool ferry_journal_db_begin(FerryJournal *journal, GError **error);
/** Commits when @ok, else rolls back and keeps @error as it is. Returns: true when committed. */
bool ferry_journal_db_end(FerryJournal *journal, bool ok, GError **error);

/** Returns: (transfer full): a column's text or NULL; a column's JSON, an object, or NULL. */
char *ferry_journal_db_text(FerryStatement *statement, int column);
json_t *ferry_journal_db_json(FerryStatement *statement, int column);

/** Returns: a column's time, which lies between 1970 and the year 9999 whatever the row says. */
gint64 ferry_journal_db_time(FerryStatement *statement, int column);

/* An event as the outbox keeps it. A plain value. */
typedef struct {
    const char *event_type;
    const char *priority;     /* info, error */
    const char *migration_id; /* NULL: of none */
    gint64 time_us;
    json_t *payload; /* (transfer none) */
} FerryEvent;

/** Queues an event inside an open transaction; none where events are off. */
bool ferry_journal_db_queue_event(FerryJournal *journal, const FerryEvent *event, GError **error);
