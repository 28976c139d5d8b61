#include "config.h"

#include "journal-fixture.h"
#include "journal/db.h"
#include "journal/imports.h"
#include "model/import.h"

#define PATH "/images/base.qcow2"
#define PARTIAL "/images/base.qcow2.0123.virt-ferry"

static void
put(Fixture *fixture, const char *migration_id, const char *digest, FerryImportState state)
{
    g_autoptr(GError) error = NULL;
    FerryImport row = {.migration_id = (char *)migration_id,
                       .path = (char *)PATH,
                       .partial = (char *)PARTIAL,
                       .kind = (char *)"base",
                       .digest = (char *)digest,
                       .file_bytes = 1 << 30,
                       .state = state,
                       .inode = 7};

    g_assert_true(ferry_journal_import_put(fixture->journal, &row, &error));
    g_assert_no_error(error);
}

static GPtrArray *
rows_of_path(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *rows = ferry_journal_imports_of_path(fixture->journal, PATH, &error);

    g_assert_no_error(error);
    return rows;
}

static FerryImportDecision
decide_of(Fixture *fixture, const char *kind, const char *migration_id, const char *digest)
{
    g_autoptr(GPtrArray) rows = rows_of_path(fixture);

    const FerryImport own = {
        .migration_id = (char *)migration_id, .digest = (char *)digest, .kind = (char *)kind};

    return ferry_import_decide(rows, &own);
}

static FerryImportDecision
decide(Fixture *fixture, const char *migration_id, const char *digest)
{
    return decide_of(fixture, "base", migration_id, digest);
}

static const char *
needed_by(Fixture *fixture, const char *migration_id)
{
    g_autoptr(GPtrArray) rows = rows_of_path(fixture);
    const FerryImport own = {.migration_id = (char *)migration_id, .inode = 7};

    return ferry_import_needed_by(rows, &own) ? "somebody" : NULL;
}

static void
test_row_comes_back_whole(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    put(fixture, "m-1", "d", FERRY_IMPORT_COPYING);
    put(fixture, "m-1", "d", FERRY_IMPORT_PUBLISHED);
    reopen(fixture);

    g_autoptr(GPtrArray) rows = ferry_journal_imports(fixture->journal, "m-1", &error);
    g_autoptr(GPtrArray) others = ferry_journal_imports(fixture->journal, "m-2", &error);

    g_assert_no_error(error);
    g_assert_cmpuint(others->len, ==, 0);
    g_assert_cmpuint(rows->len, ==, 1);

    const FerryImport *row = g_ptr_array_index(rows, 0);

    g_assert_cmpstr(row->migration_id, ==, "m-1");
    g_assert_cmpstr(row->path, ==, PATH);
    g_assert_cmpstr(row->partial, ==, PARTIAL);
    g_assert_cmpstr(row->kind, ==, "base");
    g_assert_cmpstr(row->digest, ==, "d");
    g_assert_cmpuint(row->file_bytes, ==, 1 << 30);
    g_assert_cmpint(row->state, ==, FERRY_IMPORT_PUBLISHED);
    g_assert_cmpuint(row->inode, ==, 7);
}

static void
test_one_copies(Fixture *fixture, gconstpointer user_data)
{
    g_assert_cmpint(decide(fixture, "m-1", "d"), ==, FERRY_IMPORT_COPY);
    put(fixture, "m-1", "d", FERRY_IMPORT_COPYING);
    g_assert_cmpint(decide(fixture, "m-1", "d"), ==, FERRY_IMPORT_COPY);
    g_assert_cmpint(decide(fixture, "m-2", "d"), ==, FERRY_IMPORT_WAIT);
    g_assert_cmpint(decide(fixture, "m-2", "another"), ==, FERRY_IMPORT_REFUSE);
    /* An image is one instance's alone, whatever its content. */
    g_assert_cmpint(decide_of(fixture, "image", "m-2", "d"), ==, FERRY_IMPORT_REFUSE);
}

static void
test_the_next_goes_on(Fixture *fixture, gconstpointer user_data)
{
    put(fixture, "m-1", "d", FERRY_IMPORT_COPYING);
    put(fixture, "m-2", "d", FERRY_IMPORT_WAITING);
    put(fixture, "m-1", "d", FERRY_IMPORT_RELEASED);
    g_assert_cmpint(decide(fixture, "m-2", "d"), ==, FERRY_IMPORT_COPY);
}

/* Also by one that is not there any more when nothing runs: its row says so. */
static void
test_what_others_need_stays(Fixture *fixture, gconstpointer user_data)
{
    const FerryImportState needing[] = {FERRY_IMPORT_WAITING, FERRY_IMPORT_COPYING,
                                        FERRY_IMPORT_PUBLISHED, FERRY_IMPORT_PRESENT,
                                        FERRY_IMPORT_DELIVERED};
    const FerryImportState ended[] = {FERRY_IMPORT_RELEASED, FERRY_IMPORT_REMOVED};

    put(fixture, "m-1", "d", FERRY_IMPORT_PUBLISHED);
    g_assert_null(needed_by(fixture, "m-1"));
    for (guint i = 0; i < G_N_ELEMENTS(needing); i++) {
        put(fixture, "m-2", "d", needing[i]);
        g_assert_nonnull(needed_by(fixture, "m-1"));
    }
    for (guint i = 0; i < G_N_ELEMENTS(ended); i++) {
        put(fixture, "m-2", "d", ended[i]);
        g_assert_null(needed_by(fixture, "m-1"));
    }
}

/* Somebody arrived with another file of that name, which is gone since. */
static void
test_a_former_file_is_no_reason(Fixture *fixture, gconstpointer user_data)
{
    put(fixture, "m-2", "d", FERRY_IMPORT_DELIVERED);

    g_autoptr(GPtrArray) rows = rows_of_path(fixture);
    const FerryImport same = {.migration_id = (char *)"m-1", .inode = 7};
    const FerryImport other = {.migration_id = (char *)"m-1", .inode = 8};

    g_assert_cmpstr(ferry_import_needed_by(rows, &same), ==, "m-2");
    g_assert_null(ferry_import_needed_by(rows, &other));
}

static void
test_digest_holds_for_its_stamp(Fixture *fixture, gconstpointer user_data)
{
    const FerryFileStamp stamp = {1000, 2000, 3};
    const FerryFileStamp others[] = {{1001, 2000, 3}, {1000, 2001, 3}, {1000, 2000, 4}};
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_journal_digest_put(fixture->journal, PATH, &stamp, "d", &error));
    g_assert_no_error(error);
    reopen(fixture);

    g_autofree char *digest = ferry_journal_digest_get(fixture->journal, PATH, &stamp);

    g_assert_cmpstr(digest, ==, "d");
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_null(ferry_journal_digest_get(fixture->journal, PATH, &others[i]));
    g_assert_null(ferry_journal_digest_get(fixture->journal, PARTIAL, &stamp));
}

static void
grow_old(Fixture *fixture)
{
    g_assert_cmpint(
        sqlite3_exec(fixture->journal->db, "UPDATE digests SET at_us = 1", NULL, NULL, NULL), ==,
        SQLITE_OK);
}

/* One that was used since is kept; a file that is gone is used no more. */
static void
test_digests_prune(Fixture *fixture, gconstpointer user_data)
{
    const FerryFileStamp stamp = {.size_bytes = 1, .mtime_ns = 2, .inode = 3};
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_journal_digest_put(fixture->journal, PATH, &stamp, "d", &error));
    g_assert_true(ferry_journal_digest_put(fixture->journal, PARTIAL, &stamp, "e", &error));
    grow_old(fixture);
    g_free(ferry_journal_digest_get(fixture->journal, PATH, &stamp));
    g_assert_true(ferry_journal_prune(fixture->journal, 2, &error));

    g_autofree char *used = ferry_journal_digest_get(fixture->journal, PATH, &stamp);
    g_autofree char *unused = ferry_journal_digest_get(fixture->journal, PARTIAL, &stamp);

    g_assert_cmpstr(used, ==, "d");
    g_assert_null(unused);
}

static void
test_history_goes_with_its_migration(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    put(fixture, "m-1", "d", FERRY_IMPORT_DELIVERED);
    g_assert_true(ferry_journal_prune(fixture->journal, 0, &error));
    g_assert_no_error(error);

    g_autoptr(GPtrArray) rows = rows_of_path(fixture);

    g_assert_cmpuint(rows->len, ==, 0);
}

static bool
is_shared(Fixture *fixture, const char *migration_id)
{
    g_autoptr(GError) error = NULL;
    bool shared = false;

    g_assert_true(
        ferry_journal_pool_is_shared(fixture->journal, "images", migration_id, &shared, &error));
    g_assert_no_error(error);
    return shared;
}

/* What came into the folder after the pool was made keeps the pool; what was there before does
 * not. */
static void
test_a_pool_with_others_files_is_shared(Fixture *fixture, gconstpointer user_data)
{
    put(fixture, "m-0", "d", FERRY_IMPORT_DELIVERED);
    g_usleep(1000);
    create(fixture, "m-1", FERRY_CREATION_POOL_DEFINED, "images", "/images");
    create(fixture, "m-3", FERRY_CREATION_POOL_DEFINED, "images", "/imag");
    put(fixture, "m-1", "d", FERRY_IMPORT_PUBLISHED);
    g_assert_false(is_shared(fixture, "m-1"));
    put(fixture, "m-2", "d", FERRY_IMPORT_WAITING);
    g_assert_true(is_shared(fixture, "m-1"));
    g_assert_false(is_shared(fixture, "m-3"));
    put(fixture, "m-2", "d", FERRY_IMPORT_DELIVERED);
    g_assert_true(is_shared(fixture, "m-1"));
    put(fixture, "m-2", "d", FERRY_IMPORT_REMOVED);
    g_assert_false(is_shared(fixture, "m-1"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/imports/row-comes-back-whole", test_row_comes_back_whole);
    ADD("/imports/one-copies", test_one_copies);
    ADD("/imports/the-next-goes-on", test_the_next_goes_on);
    ADD("/imports/what-others-need-stays", test_what_others_need_stays);
    ADD("/imports/former-file", test_a_former_file_is_no_reason);
    ADD("/imports/history-goes-with-its-migration", test_history_goes_with_its_migration);
    ADD("/imports/pool-is-shared", test_a_pool_with_others_files_is_shared);
    ADD("/digests/hold-for-their-stamp", test_digest_holds_for_its_stamp);
    ADD("/digests/prune", test_digests_prune);
    return g_test_run();
}
