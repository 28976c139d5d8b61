#include "config.h"

#include "journal/story.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

#define FIELDS_MAX 16
#define ORDERED_MAX 256
#define REFUSED "refused"
/* Numbers of the syslog; GLib's "message" is its "notice". */
#define NOTICE "5"
#define WARNING "4"
#define FAULT "3"

const FerryStoryKind ferry_story_kinds[] = {
    {"migration.accepted", "9640bc5d7a684f7fb4f28226f24b83e9", "accepted", NOTICE},
    {"migration.queued", "c49a9fca7f2945418a6ef9076341d172", "queued", NOTICE},
    {"migration.preparing", "c47f489c6ff2440c90f8fe948a5080b4", "being prepared", NOTICE},
    {"migration.running", "c65c039f64084ad19ae5728adeea6772", "on its way", NOTICE},
    {"migration.phase", "5e04561237e64cd29525270eb020d761", "on its way", NOTICE},
    {"migration.stalled", "cea9ed36accb4af58d4eb61a87d45e50", "stalled", WARNING},
    {"migration.post_migrating", "07fa24985a294e8aa5fce683cdcf9599", "at its destination", NOTICE},
    {"migration.completed", "5be30b0af93f4fe68011631e80d924b0", "moved", NOTICE},
    {"migration.failed", "40e6b316f1634b96a7f98fb6fe604b31", "not moved", WARNING},
    {"migration.cancelled", "bf0c7a6f35f445f5b35e6994f1a45335", "not moved, as ordered", NOTICE},
    {"migration.error", "73bf9ffbe7c149bdbd485fd36816e07d", "to be looked at by a person", FAULT},
    {"migration.resolved", "706455328a0d4ffc85f27cf7468ec08f", "resolved", NOTICE},
    {"migration.destination.preparing", "83a98471df634a50ae303bc6d5ce4cc7", "being prepared here",
     NOTICE},
    {"migration.destination.prepared", "7a343840f3e54d14927df7269accb36e", "prepared here", NOTICE},
    {"migration.destination.completed", "30f82d23533d49deacd5eec8d6757daf", "arrived", NOTICE},
    {"migration.destination.rolled_back", "6dbe9b58fcdd4b15977c20d56bbd5545", "undone here",
     NOTICE},
    {"migration.destination.error", "29a5adcc9115424f83f67bbcefc58b5c", "not undone here", FAULT},
    {REFUSED, "0b3afa3b9e704766a478e61f61bc09e7", "refused", NOTICE},
    {NULL, NULL, NULL, NULL},
};

/* A line that is being made; the values are the caller's. */
typedef struct {
    GLogField fields[FIELDS_MAX];
    gsize count;
} Line;

static void
add(Line *line, const char *key, const char *value)
{
    g_assert(line->count < FIELDS_MAX);
    if (value)
        line->fields[line->count++] = (GLogField){key, value, -1};
}

static const FerryStoryKind *
find_kind(const char *event)
{
    for (const FerryStoryKind *kind = ferry_story_kinds; kind->event; kind++) {
        if (strcmp(kind->event, event) == 0)
            return kind;
    }
    return NULL;
}

static void
write_line(Line *line, const FerryStoryKind *kind, const char *text)
{
    add(line, "PRIORITY", kind->priority);
    add(line, "GLIB_DOMAIN", G_LOG_DOMAIN);
    add(line, "MESSAGE", text);
    add(line, "MESSAGE_ID", kind->message_id);
    g_log_structured_array(G_LOG_LEVEL_MESSAGE, line->fields, line->count);
}

static const char *
peer_of(const FerryRecord *record)
{
    return record->role == FERRY_ROLE_SOURCE ? record->destination : record->source;
}

static char *
text_of(const FerryRecord *record, const FerryStoryKind *kind)
{
    const char *why = ferry_json_get_string(record->error, "message");
    const char *phase = ferry_phase_to_string(record->phase);
    const bool phased = record->status == FERRY_STATUS_RUNNING && phase;

    return g_strdup_printf(
        "Migration '%s': '%s' is %s%s%s%s (%s to %s)%s%s", record->migration_id,
        record->instance_name, kind->word, phased ? ", phase '" : "", phased ? phase : "",
        phased ? "'" : "", record->source ? record->source : "?",
        record->destination ? record->destination : "?", why ? ": " : "", why ? why : "");
}

void
ferry_story_tell(const FerryRecord *record, const char *event_type)
{
    const FerryStoryKind *kind = find_kind(event_type);
    Line line = {.count = 0};

    if (!kind)
        return;
    g_autofree char *text = text_of(record, kind);
    add(&line, "VIRT_FERRY_MIGRATION", record->migration_id);
    add(&line, "VIRT_FERRY_INSTANCE", record->instance_name);
    add(&line, "VIRT_FERRY_INSTANCE_UUID", record->instance_uuid);
    add(&line, "VIRT_FERRY_ROLE", ferry_role_to_string(record->role));
    add(&line, "VIRT_FERRY_PEER", peer_of(record));
    add(&line, "VIRT_FERRY_STATUS", ferry_status_to_string(record->status));
    add(&line, "VIRT_FERRY_PHASE", ferry_phase_to_string(record->phase));
    add(&line, "VIRT_FERRY_CODE", ferry_json_get_string(record->error, "code"));
    write_line(&line, kind, text);
}

/* What an order says may be of any length; a name that is one is short. */
static const char *
field_of(const char *ordered)
{
    return ordered && strlen(ordered) <= ORDERED_MAX ? ordered : NULL;
}

void
ferry_story_tell_refusal(const char *method,
                         const char *migration_id,
                         const char *instance,
                         const GError *error)
{
    const FerryStoryKind *kind = find_kind(REFUSED);
    g_autofree char *text =
        g_strdup_printf("%s%s%sOrder '%s' is refused: %s (%s)", migration_id ? "Migration '" : "",
                        migration_id ? migration_id : "", migration_id ? "': " : "", method,
                        error->message, ferry_error_name(error));
    Line line = {.count = 0};

    add(&line, "VIRT_FERRY_MIGRATION", field_of(migration_id));
    add(&line, "VIRT_FERRY_INSTANCE", field_of(instance));
    add(&line, "VIRT_FERRY_CODE", ferry_error_name(error));
    write_line(&line, kind, text);
}
