/* The log's story of a migration: its fields, and the catalog that explains it. */
#include "config.h"

#include "journal/story.h"

#include "ferry/error.h"

#include <string.h>

#define MIGRATION "11111111-2222-3333-4444-555555555555"
#define INSTANCE "aaaaaaaa-2222-3333-4444-555555555555"

static GHashTable *line; /* the last one: key -> value */

static GLogWriterOutput
keep(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    g_hash_table_remove_all(line);
    for (gsize i = 0; i < count; i++)
        g_hash_table_replace(line, g_strdup(fields[i].key), g_strdup(fields[i].value));
    return G_LOG_WRITER_HANDLED;
}

static void
assert_field(const char *key, const char *value)
{
    g_assert_cmpstr(g_hash_table_lookup(line, key), ==, value);
}

static FerryRecord *
record_of(FerryRole role, FerryStatus status)
{
    FerryRecord *record = ferry_record_new(MIGRATION, role);

    record->instance_name = g_strdup("vm1");
    record->instance_uuid = g_strdup(INSTANCE);
    record->source = g_strdup("kvm01");
    record->destination = g_strdup("kvm02");
    record->status = status;
    return record;
}

static void
test_fields(void)
{
    g_autoptr(FerryRecord) record = record_of(FERRY_ROLE_SOURCE, FERRY_STATUS_RUNNING);

    record->phase = FERRY_PHASE_MEMORY;
    ferry_story_tell(record, "migration.phase");
    assert_field("MESSAGE",
                 "Migration '" MIGRATION "': 'vm1' is on its way, phase 'memory' (kvm01 to kvm02)");
    assert_field("VIRT_FERRY_MIGRATION", MIGRATION);
    assert_field("VIRT_FERRY_INSTANCE", "vm1");
    assert_field("VIRT_FERRY_INSTANCE_UUID", INSTANCE);
    assert_field("VIRT_FERRY_ROLE", "source");
    assert_field("VIRT_FERRY_PEER", "kvm02");
    assert_field("VIRT_FERRY_STATUS", "running");
    assert_field("VIRT_FERRY_PHASE", "memory");
    assert_field("VIRT_FERRY_CODE", NULL);
    assert_field("MESSAGE_ID", "5e04561237e64cd29525270eb020d761");
}

static void
test_failed(void)
{
    g_autoptr(FerryRecord) record = record_of(FERRY_ROLE_DESTINATION, FERRY_STATUS_ERROR);

    record->error = json_pack("{s:s, s:s}", "code", "MigrationError", "message", "it is stuck");
    ferry_story_tell(record, "migration.destination.error");
    assert_field("VIRT_FERRY_PEER", "kvm01");
    assert_field("VIRT_FERRY_CODE", "MigrationError");
    g_assert_nonnull(strstr(g_hash_table_lookup(line, "MESSAGE"), "it is stuck"));
}

static void
test_refused(void)
{
    g_autoptr(GError) error =
        ferry_error_new(FERRY_ERROR_INSTANCE_NOT_FOUND, NULL, "No instance 'vm9' here");

    ferry_story_tell_refusal("live_migrate_instance", MIGRATION, "vm9", error);
    assert_field("MESSAGE", "Migration '" MIGRATION "': Order 'live_migrate_instance' is refused: "
                            "No instance 'vm9' here (InstanceNotFound)");
    assert_field("VIRT_FERRY_MIGRATION", MIGRATION);
    assert_field("VIRT_FERRY_INSTANCE", "vm9");
    assert_field("VIRT_FERRY_CODE", "InstanceNotFound");
}

/* "journalctl -p warning" has what a person has to look at, and no more. */
static void
test_priority(void)
{
    static const struct {
        FerryRole role;
        const char *event;
        const char *priority;
    } cases[] = {
        {FERRY_ROLE_SOURCE, "migration.running", "5"},
        {FERRY_ROLE_SOURCE, "migration.completed", "5"},
        {FERRY_ROLE_SOURCE, "migration.cancelled", "5"},
        {FERRY_ROLE_SOURCE, "migration.stalled", "4"},
        {FERRY_ROLE_SOURCE, "migration.failed", "4"},
        {FERRY_ROLE_SOURCE, "migration.error", "3"},
        {FERRY_ROLE_DESTINATION, "migration.destination.rolled_back", "5"},
        {FERRY_ROLE_DESTINATION, "migration.destination.error", "3"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FerryRecord) record = record_of(cases[i].role, FERRY_STATUS_RUNNING);

        ferry_story_tell(record, cases[i].event);
        assert_field("PRIORITY", cases[i].priority);
    }
}

/* Every status that is told has a line of its own. */
static void
test_all_statuses(void)
{
    const FerryRole roles[] = {FERRY_ROLE_SOURCE, FERRY_ROLE_DESTINATION};

    for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
        for (unsigned status = 0; status < FERRY_STATUS_COUNT; status++) {
            const char *event = ferry_status_event_type(roles[i], status);
            g_autoptr(FerryRecord) record = record_of(roles[i], status);

            g_hash_table_remove_all(line);
            if (!event)
                continue;
            ferry_story_tell(record, event);
            assert_field("VIRT_FERRY_STATUS", ferry_status_to_string(status));
        }
    }
}

static void
test_catalog(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "..", "etc", "virt-ferry.catalog", NULL);
    g_autofree char *text = NULL;
    guint kinds = 0;
    guint explained = 0;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    for (const FerryStoryKind *kind = ferry_story_kinds; kind->event; kind++) {
        g_autofree char *entry = g_strdup_printf("\n-- %s\nSubject: ", kind->message_id);

        g_assert_nonnull(strstr(text, entry));
        kinds++;
    }
    for (const char *at = strstr(text, "\n-- "); at; at = strstr(at + 1, "\n-- "))
        explained++;
    g_assert_cmpuint(explained, ==, kinds);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    line = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_log_set_writer_func(keep, NULL, NULL);
    g_test_add_func("/story/fields", test_fields);
    g_test_add_func("/story/failed", test_failed);
    g_test_add_func("/story/refused", test_refused);
    g_test_add_func("/story/priority", test_priority);
    g_test_add_func("/story/all-statuses", test_all_statuses);
    g_test_add_func("/story/catalog", test_catalog);

    int status = g_test_run();

    g_hash_table_unref(line);
    return status;
}
