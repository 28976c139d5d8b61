/* The journal when things go wrong: what it refuses to open, what a kill or a full disk leaves. */
#include "config.h"

#include "journal/db.h"
#include "journal/imports.h"
#include "journal/quarantine.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "scratch-folder.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where SQLite's file format has the number that the journal keeps its schema's version in. */
#define AT_USER_VERSION 60
#define PAGE_BYTES 4096

static FerryJournal *
open_journal(const char *folder)
{
    g_autoptr(GError) error = NULL;
    FerryJournal *journal = ferry_journal_open(folder, &error);

    g_assert_no_error(error);
    ferry_journal_enable_events(journal, true);
    return journal;
}

static FerryRecord *
make_record(guint number)
{
    g_autofree char *id = g_strdup_printf("m-%05u", number);
    FerryRecord *record = ferry_record_new(id, FERRY_ROLE_SOURCE);

    record->instance_name = g_strdup("web-1");
    /* Not random: GLib's generator would repeat itself in every child. */
    record->instance_uuid = g_strdup_printf("00000000-0000-0000-0000-%012u", number);
    record->created_us = number;
    return record;
}

static void
fill(const char *folder, guint count)
{
    g_autoptr(FerryJournal) journal = open_journal(folder);

    for (guint i = 0; i < count; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryRecord) record = make_record(i);

        g_assert_true(ferry_journal_add(journal, record, &error));
    }
}

static GByteArray *
read_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    char *bytes = NULL;
    gsize length = 0;

    g_file_get_contents(path, &bytes, &length, &error);
    g_assert_no_error(error);
    return g_byte_array_new_take((guint8 *)bytes, length);
}

static void
write_file(const char *folder, const char *name, const GByteArray *bytes)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, (const char *)bytes->data, bytes->len, &error);
    g_assert_no_error(error);
}

static void
assert_same(const char *folder, const char *name, const GByteArray *expected)
{
    g_autoptr(GByteArray) found = read_file(folder, name);

    g_assert_cmpmem(found->data, found->len, expected->data, expected->len);
}

static void
assert_refused(const char *folder, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJournal) journal = ferry_journal_open(folder, &error);

    g_assert_null(journal);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, folder));
    if (!strstr(error->message, reason))
        g_error("'%s' does not say '%s'", error->message, reason);
    g_assert_nonnull(ferry_error_hint(error));
}

/* --- what is not opened ----------------------------------------------------------------------- */

static void
test_newer_schema(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();

    fill(folder, 1);

    g_autoptr(GByteArray) bytes = read_file(folder, "journal.db");

    bytes->data[AT_USER_VERSION + 3] = 99;
    write_file(folder, "journal.db", bytes);
    assert_refused(folder, "has schema 99");
    assert_same(folder, "journal.db", bytes);
}

/* The journal as the first version left it: without what schema 2 added. */
static void
make_older(const char *folder)
{
    g_autoptr(FerryJournal) journal = open_journal(folder);
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_journal_db_run(journal, &error, "DROP TABLE quarantine", ""));
    g_assert_true(ferry_journal_db_run(journal, &error, "DROP TABLE imports", ""));
    g_assert_true(ferry_journal_db_run(journal, &error, "DROP TABLE digests", ""));
    g_assert_true(ferry_journal_db_run(journal, &error, "PRAGMA user_version = 1", ""));
}

static void
test_older_schema(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    FerryQuarantined file = {.migration_id = (char *)"m-1",
                             .path = (char *)"/a",
                             .held_path = (char *)"/b",
                             .instance_name = (char *)"web-1",
                             .instance_uuid = (char *)"u-1",
                             .destination = (char *)"kvm02"};
    FerryFileStamp stamp = {1, 2, 3};
    g_autoptr(GError) error = NULL;

    fill(folder, 3);
    make_older(folder);

    g_autoptr(FerryJournal) journal = open_journal(folder);
    FerryJournalFilter filter = {0};
    g_autoptr(GPtrArray) records = ferry_journal_list(journal, &filter, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(records->len, ==, 3);
    g_assert_true(ferry_journal_quarantine_add(journal, &file, &error));
    g_assert_no_error(error);
    g_assert_true(ferry_journal_digest_put(journal, "/a", &stamp, "d", &error));
    g_assert_no_error(error);

    g_autoptr(GPtrArray) imports = ferry_journal_imports(journal, "m-1", &error);

    g_assert_no_error(error);
    g_assert_cmpuint(imports->len, ==, 0);
}

/* The step `confirm` was called `adjudicate` once; a migration that was in it goes on in it. */
static void
test_older_step(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autoptr(GError) error = NULL;

    {
        g_autoptr(FerryJournal) before = open_journal(folder);

        g_assert_true(ferry_journal_db_run(
            before, &error,
            "INSERT INTO steps VALUES ('m-1', 'source', 'adjudicate', 'begun', 1, 0)", ""));
    }

    g_autoptr(FerryJournal) journal = open_journal(folder);
    g_autoptr(FerryJson) steps = ferry_journal_steps(journal, "m-1", FERRY_ROLE_SOURCE);

    g_assert_cmpuint(json_array_size(steps), ==, 1);
    g_assert_cmpstr(ferry_json_get_string(json_array_get(steps, 0), "name"), ==, "confirm");
    g_assert_cmpstr(ferry_json_get_string(json_array_get(steps, 0), "state"), ==, "begun");
}

/* A page's bytes of rubbish: the header page still says that this is a journal. */
static void
damage(GByteArray *bytes)
{
    for (guint at = PAGE_BYTES; at < bytes->len; at++)
        bytes->data[at] = (guint8)(at * 7);
}

static void
test_damaged(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();

    fill(folder, 3);

    g_autoptr(GByteArray) bytes = read_file(folder, "journal.db");

    damage(bytes);
    write_file(folder, "journal.db", bytes);
    assert_refused(folder, "is damaged");
    assert_same(folder, "journal.db", bytes);
}

static void
test_cut_short(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();

    fill(folder, 3);

    g_autoptr(GByteArray) bytes = read_file(folder, "journal.db");

    g_byte_array_set_size(bytes, bytes->len / 2 + 100);
    write_file(folder, "journal.db", bytes);
    assert_refused(folder, "is damaged");
    assert_same(folder, "journal.db", bytes);
}

static void
test_no_database(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    g_byte_array_append(bytes, (const guint8 *)"not a database, but somebody's notes\n", 37);
    write_file(folder, "journal.db", bytes);
    assert_refused(folder, "is damaged");
    assert_same(folder, "journal.db", bytes);
}

static void
test_folder_below_a_file(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *path = g_build_filename(folder, "file", "state", NULL);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    g_byte_array_append(bytes, (const guint8 *)"x", 1);
    write_file(folder, "file", bytes);
    assert_refused(path, "Cannot use the state folder");
}

static void
test_second_agent(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autoptr(FerryJournal) first = open_journal(folder);

    assert_refused(folder, "in use by another agent");
    g_clear_pointer(&first, ferry_journal_close);

    g_autoptr(FerryJournal) second = open_journal(folder);

    g_assert_nonnull(second);
}

/* --- killed ----------------------------------------------------------------------------------- */

/* One round of work: an order, a creation, a step, a change with its event. Each promise that the
 * journal made is told to the parent as one letter, after it was made. */
static void
promise(int fd, char letter)
{
    if (write(fd, &letter, 1) != 1)
        _exit(1);
}

/* The child's g_assert would print into the parent's TAP. */
static void
give_up(const GError *error)
{
    fprintf(stderr, "the writer: %s\n", error->message);
    _exit(1);
}

static void
work_on(FerryJournal *journal, guint number, int fd)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryRecord) record = make_record(number);
    const char *id = record->migration_id;
    gint64 row = 0;

    if (!ferry_journal_add(journal, record, &error))
        give_up(error);
    promise(fd, 'a');
    if (!ferry_journal_creation_add(
            journal,
            &(FerryIntention){
                .migration_id = id, .kind = FERRY_CREATION_VOLUME, .pool = "p", .path = "/x"},
            &row, &error))
        give_up(error);
    promise(fd, 'c');
    if (!ferry_journal_step_begin(journal, record, "check", &error))
        give_up(error);
    promise(fd, 's');
    record->status = FERRY_STATUS_PREPARING;
    if (!ferry_journal_save(journal, record, "migration.preparing", &error))
        give_up(error);
    promise(fd, 'p');
}

static void
work_for_ever(const char *folder, guint first, int fd)
{
    g_autoptr(GError) error = NULL;
    FerryJournal *journal = ferry_journal_open(folder, &error);

    if (!journal)
        give_up(error);
    ferry_journal_enable_events(journal, true);
    for (guint number = first;; number++)
        work_on(journal, number, fd);
}

/* Runs a writer and kills it some time after it told of its first promises. Returns: how many it
 * made: every 4 are one record whole. */
static guint
kill_a_writer(const char *folder, guint first, guint after_us)
{
    int fds[2] = {-1, -1};
    char letters[4096];
    guint promises = 0;

    g_assert_cmpint(pipe(fds), ==, 0);

    pid_t child = fork();

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        close(fds[0]);
        work_for_ever(folder, first, fds[1]);
    }
    close(fds[1]);
    g_assert_cmpint(read(fds[0], letters, 1), ==, 1);
    promises++;
    g_usleep(after_us);
    g_assert_cmpint(kill(child, SIGKILL), ==, 0);
    for (gssize got = 0; (got = read(fds[0], letters, sizeof letters)) > 0;)
        promises += (guint)got;
    close(fds[0]);

    int status = 0;

    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    return promises;
}

/* A record and its events tell the same story, whichever moment the writer died at. */
static void
assert_sound(FerryJournal *journal, const FerryRecord *record, GHashTable *events)
{
    gint64 seq = GPOINTER_TO_INT(g_hash_table_lookup(events, record->migration_id));

    g_assert_cmpint(record->seq, ==, seq);
    g_assert_cmpint(record->status, ==, seq == 1 ? FERRY_STATUS_ACCEPTED : FERRY_STATUS_PREPARING);
}

static GHashTable *
count_events(FerryJournal *journal)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = ferry_journal_outbox_peek(journal, 0, 100000, &error);
    GHashTable *events = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < entries->len; i++) {
        const FerryOutboxEntry *entry = g_ptr_array_index(entries, i);
        const char *id = ferry_json_get_string(entry->payload, "migration_id");
        gint64 seq = ferry_json_get_int(entry->payload, "seq", 0);

        g_assert_cmpint(GPOINTER_TO_INT(g_hash_table_lookup(events, id)), ==, seq - 1);
        g_hash_table_insert(events, g_strdup(id), GINT_TO_POINTER((gint)seq));
    }
    return events;
}

static guint
size_of_creations(FerryJournal *journal, const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) creations = ferry_journal_creations(journal, id, &error);

    g_assert_no_error(error);
    return creations->len;
}

static guint
size_of_steps(FerryJournal *journal, const char *id)
{
    g_autoptr(FerryJson) steps = ferry_journal_steps(journal, id, FERRY_ROLE_SOURCE);

    return (guint)json_array_size(steps);
}

/* @promises: what the writer told of the records from @first on. */
static void
assert_kept(FerryJournal *journal, GHashTable *events, guint first, guint promises)
{
    for (guint done = 0; done < promises; done += 4) {
        g_autofree char *id = g_strdup_printf("m-%05u", first + done / 4);
        g_autoptr(GError) error = NULL;
        g_autoptr(FerryRecord) record = ferry_journal_get(journal, id, FERRY_ROLE_SOURCE, &error);

        g_assert_no_error(error);
        assert_sound(journal, record, events);
        if (promises - done >= 2)
            g_assert_cmpuint(size_of_creations(journal, id), ==, 1);
        if (promises - done >= 3)
            g_assert_cmpuint(size_of_steps(journal, id), ==, 1);
        if (promises - done >= 4)
            g_assert_cmpint(record->status, ==, FERRY_STATUS_PREPARING);
    }
}

static void
test_killed_at_any_moment(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();

    for (guint round = 0; round < 20; round++) {
        guint first = round * 1000;
        guint promises = kill_a_writer(folder, first, (guint)g_test_rand_int_range(0, 20000));
        g_autoptr(FerryJournal) journal = open_journal(folder);
        g_autoptr(GHashTable) events = count_events(journal);

        assert_kept(journal, events, first, promises);
    }
}

/* What a killed agent left beside the file is evidence as well, when the file turns out damaged. */
static void
test_killed_and_damaged(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();

    fill(folder, 3);
    (void)kill_a_writer(folder, 1000, 2000);

    g_autoptr(GByteArray) bytes = read_file(folder, "journal.db");
    g_autoptr(GByteArray) log = read_file(folder, "journal.db-wal");

    g_assert_cmpuint(log->len, >, 0);
    g_byte_array_set_size(bytes, bytes->len - PAGE_BYTES);
    damage(bytes);
    write_file(folder, "journal.db", bytes);
    assert_refused(folder, "is damaged");
    assert_same(folder, "journal.db", bytes);
    assert_same(folder, "journal.db-wal", log);
}

/* --- a full disk ------------------------------------------------------------------------------ */

/* The kernel then answers EFBIG to what would make any file longer than @bytes. */
static void
limit_files(rlim_t bytes)
{
    struct rlimit limit = {0};

    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    limit.rlim_cur = MIN(bytes, limit.rlim_max);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

/* Returns: the number of the first record that the journal refused. */
static guint
add_until_refused(FerryJournal *journal, guint number)
{
    g_autoptr(GError) error = NULL;

    for (;; number++) {
        g_autoptr(FerryRecord) record = make_record(number);

        if (ferry_journal_add(journal, record, &error))
            continue;
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_JOURNAL_UNAVAILABLE);
        g_assert_nonnull(ferry_error_hint(error));
        g_assert_cmpint(record->seq, ==, 0);
        return number;
    }
}

static void
assert_count(FerryJournal *journal, guint count)
{
    FerryJournalFilter filter = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) records = ferry_journal_list(journal, &filter, &error);
    g_autoptr(GPtrArray) entries = ferry_journal_outbox_peek(journal, 0, 100000, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(records->len, ==, count);
    g_assert_cmpuint(entries->len, ==, count);
}

static void
test_full_disk(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autoptr(FerryJournal) journal = open_journal(folder);
    g_autoptr(GError) error = NULL;
    guint added = 0;

    signal(SIGXFSZ, SIG_IGN);
    /* Several lengths, so that different writes of a transaction are the one that fails. */
    for (guint round = 0; round < 8; round++) {
        limit_files(200 * 1024 + round * 1031);
        added = add_until_refused(journal, added);
        /* Still full, still no harm; reading works. */
        g_assert_cmpuint(add_until_refused(journal, added), ==, added);
        assert_count(journal, added);
    }
    limit_files(RLIM_INFINITY);

    g_autoptr(FerryRecord) record = make_record(added);

    g_assert_true(ferry_journal_add(journal, record, &error));
    g_clear_pointer(&journal, ferry_journal_close);

    g_autoptr(FerryJournal) again = open_journal(folder);

    assert_count(again, added + 1);
}

/* A record that cannot be saved keeps its event back, and its seq. */
static void
test_full_disk_save(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autoptr(FerryJournal) journal = open_journal(folder);
    g_autoptr(FerryRecord) record = make_record(0);
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_journal_add(journal, record, &error));
    signal(SIGXFSZ, SIG_IGN);
    limit_files(1024);
    record->status = FERRY_STATUS_PREPARING;
    g_assert_false(ferry_journal_save(journal, record, "migration.preparing", &error));
    limit_files(RLIM_INFINITY);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_JOURNAL_UNAVAILABLE);
    g_clear_error(&error);
    g_assert_cmpint(record->seq, ==, 1);
    assert_count(journal, 1);
    g_assert_true(ferry_journal_save(journal, record, "migration.preparing", &error));
    g_assert_cmpint(record->seq, ==, 2);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/journal/refuses/newer-schema", test_newer_schema);
    g_test_add_func("/journal/older-schema", test_older_schema);
    g_test_add_func("/journal/older-step", test_older_step);
    g_test_add_func("/journal/refuses/damaged", test_damaged);
    g_test_add_func("/journal/refuses/cut-short", test_cut_short);
    g_test_add_func("/journal/refuses/no-database", test_no_database);
    g_test_add_func("/journal/refuses/folder-below-a-file", test_folder_below_a_file);
    g_test_add_func("/journal/refuses/second-agent", test_second_agent);
    g_test_add_func("/journal/killed/at-any-moment", test_killed_at_any_moment);
    g_test_add_func("/journal/killed/and-damaged", test_killed_and_damaged);
    g_test_add_func("/journal/full-disk/add", test_full_disk);
    g_test_add_func("/journal/full-disk/save", test_full_disk_save);
    return g_test_run();
}
