/* The table of events that wait for the broker. */
#include "config.h"

#include "ferry/clock.h"
#include "ferry/lock.h"
#include "journal/db.h"

void
ferry_outbox_entry_free(FerryOutboxEntry *entry)
{
    if (!entry)
        return;
    g_free(entry->event_type);
    g_free(entry->priority);
    g_free(entry->message_id);
    json_decref(entry->payload);
    g_free(entry);
}

bool
ferry_journal_outbox_add(FerryJournal *journal,
                         const char *event_type,
                         json_t *payload,
                         GError **error)
{
    const FerryEvent event = {
        .event_type = event_type,
        .priority = "info",
        .time_us = ferry_clock_now_us(),
        .payload = payload,
    };
    FERRY_LOCK_SCOPE(&journal->lock);

    if (!ferry_journal_db_queue_event(journal, &event, error))
        return false;
    if (journal->wakeup)
        journal->wakeup(journal->wakeup_data);
    return true;
}

static bool
is_text(const char *text)
{
    return text && g_utf8_validate(text, -1, NULL);
}

static FerryOutboxEntry *
read_entry(FerryStatement *row)
{
    FerryOutboxEntry *entry = g_new0(FerryOutboxEntry, 1);

    entry->id = sqlite3_column_int64(row, 0);
    entry->event_type = ferry_journal_db_text(row, 1);
    entry->priority = ferry_journal_db_text(row, 2);
    entry->message_id = ferry_journal_db_text(row, 3);
    entry->time_us = ferry_journal_db_time(row, 4);
    if (is_text(entry->event_type) && is_text(entry->priority) && is_text(entry->message_id))
        entry->payload = ferry_journal_db_json(row, 5);
    return entry;
}

GPtrArray *
ferry_journal_outbox_peek(FerryJournal *journal, gint64 after, guint limit, GError **error)
{
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify)ferry_outbox_entry_free);
    FERRY_LOCK_SCOPE(&journal->lock);
    g_autoptr(FerryStatement) statement = ferry_journal_db_prepare(
        journal, error,
        "SELECT id, event_type, priority, message_id, at_us, payload FROM outbox"
        " WHERE id > ? ORDER BY id LIMIT ?",
        "ii", after, (gint64)limit);

    for (bool row = statement; row;) {
        if (!ferry_journal_db_next(journal, statement, &row, error))
            return NULL;
        if (row)
            g_ptr_array_add(entries, read_entry(statement));
    }
    return statement ? g_steal_pointer(&entries) : NULL;
}

bool
ferry_journal_outbox_drop(FerryJournal *journal, GArray *ids, GError **error)
{
    bool ok = true;
    FERRY_LOCK_SCOPE(&journal->lock);

    if (!ferry_journal_db_begin(journal, error))
        return false;
    for (guint i = 0; ok && i < ids->len; i++)
        ok = ferry_journal_db_run(journal, error, "DELETE FROM outbox WHERE id = ?", "i",
                                  g_array_index(ids, gint64, i));
    return ferry_journal_db_end(journal, ok, ok ? error : NULL);
}
