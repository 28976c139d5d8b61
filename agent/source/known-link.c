#include "config.h"

#include "source/known-link.h"

#include "journal/journal.h"

/* Older ones say little of what the link is today. */
#define MIGRATIONS 20

static guint64
seen_bytes_s(const FerryRecord *record)
{
    const json_t *writes = json_object_get(record->report, "disk_writes");

    return (guint64)MAX(json_integer_value(json_object_get(writes, "link_bytes_s")), 0);
}

guint64
ferry_known_link_bytes_s(const FerryAgent *agent, const char *destination)
{
    const FerryJournalFilter filter = {.status = "completed", .limit = MIGRATIONS};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) records = ferry_journal_list_brief(agent->journal, &filter, &error);
    guint64 best = 0;

    if (!records) {
        g_debug("The link to '%s' is not known: %s", destination, error->message);
        return 0;
    }
    for (guint i = 0; i < records->len; i++) {
        const FerryRecord *record = g_ptr_array_index(records, i);

        if (record->role == FERRY_ROLE_SOURCE && g_str_equal(record->destination, destination))
            best = MAX(best, seen_bytes_s(record));
    }
    return best;
}
