#include "config.h"

#include "journal/quarantine.h"

#include "ferry/clock.h"
#include "journal-fixture.h"

static void
put(Fixture *fixture, const char *migration_id, const char *path, gint64 since_us)
{
    g_autofree char *held_path = g_strconcat(path, ".held", NULL);
    g_autoptr(GError) error = NULL;
    FerryQuarantined file = {.migration_id = (char *)migration_id,
                             .path = (char *)path,
                             .held_path = held_path,
                             .instance_name = (char *)"web-1",
                             .instance_uuid = (char *)"u-1",
                             .destination = (char *)"kvm02",
                             .inode = G_MAXINT64,
                             .mode = 0644,
                             .since_us = since_us,
                             .until_us = since_us + 7};

    g_assert_true(ferry_journal_quarantine_add(fixture->journal, &file, &error));
    g_assert_no_error(error);
}

static void
set(Fixture *fixture,
    const char *migration_id,
    const char *path,
    FerryQuarantineState state,
    const char *detail)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(
        ferry_journal_quarantine_set(fixture->journal, migration_id, path, state, detail, &error));
    g_assert_no_error(error);
}

static GPtrArray *
list(Fixture *fixture, const char *migration_id)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *files = ferry_journal_quarantine_list(fixture->journal, migration_id, &error);

    g_assert_no_error(error);
    return files;
}

static void
test_all_fields_are_kept(Fixture *fixture, gconstpointer user_data)
{
    put(fixture, "m-1", "/a", 11);
    set(fixture, "m-1", "/a", FERRY_QUARANTINE_HELD, "'kvm02' cannot be asked");
    reopen(fixture);

    g_autoptr(GPtrArray) files = list(fixture, "m-1");
    const FerryQuarantined *file = g_ptr_array_index(files, 0);

    g_assert_cmpuint(files->len, ==, 1);
    g_assert_cmpstr(file->migration_id, ==, "m-1");
    g_assert_cmpstr(file->path, ==, "/a");
    g_assert_cmpstr(file->held_path, ==, "/a.held");
    g_assert_cmpstr(file->instance_name, ==, "web-1");
    g_assert_cmpstr(file->instance_uuid, ==, "u-1");
    g_assert_cmpstr(file->destination, ==, "kvm02");
    g_assert_cmpuint(file->inode, ==, G_MAXINT64);
    g_assert_cmpuint(file->mode, ==, 0644);
    g_assert_cmpint(file->state, ==, FERRY_QUARANTINE_HELD);
    g_assert_cmpstr(file->detail, ==, "'kvm02' cannot be asked");
    g_assert_cmpint(file->since_us, ==, 11);
    g_assert_cmpint(file->until_us, ==, 18);
    g_assert_cmpint(file->ended_us, ==, 0);
}

/* The step that puts a file aside runs again after a crash: what it noted first holds. */
static void
test_added_twice(Fixture *fixture, gconstpointer user_data)
{
    put(fixture, "m-1", "/a", 11);
    set(fixture, "m-1", "/a", FERRY_QUARANTINE_HELD, NULL);
    put(fixture, "m-1", "/a", 12);

    g_autoptr(GPtrArray) files = list(fixture, NULL);
    const FerryQuarantined *file = g_ptr_array_index(files, 0);

    g_assert_cmpuint(files->len, ==, 1);
    g_assert_cmpint(file->since_us, ==, 11);
    g_assert_cmpint(file->state, ==, FERRY_QUARANTINE_HELD);
}

static void
test_order_and_ends(Fixture *fixture, gconstpointer user_data)
{
    put(fixture, "m-2", "/b", 20);
    put(fixture, "m-1", "/z", 10);
    put(fixture, "m-1", "/y", 10);
    put(fixture, "m-3", "/c", 5);
    set(fixture, "m-3", NULL, FERRY_QUARANTINE_DELETED, NULL);

    g_autoptr(GPtrArray) open = list(fixture, NULL);

    g_assert_cmpuint(open->len, ==, 3);
    g_assert_cmpstr(((FerryQuarantined *)g_ptr_array_index(open, 0))->path, ==, "/y");
    g_assert_cmpstr(((FerryQuarantined *)g_ptr_array_index(open, 1))->path, ==, "/z");
    g_assert_cmpstr(((FerryQuarantined *)g_ptr_array_index(open, 2))->path, ==, "/b");

    set(fixture, "m-1", NULL, FERRY_QUARANTINE_RESTORED, NULL);

    g_autoptr(GPtrArray) left = list(fixture, NULL);
    g_autoptr(GPtrArray) ended = list(fixture, "m-1");
    const FerryQuarantined *file = g_ptr_array_index(ended, 1);

    g_assert_cmpuint(left->len, ==, 1);
    g_assert_cmpuint(ended->len, ==, 2);
    g_assert_cmpint(file->state, ==, FERRY_QUARANTINE_RESTORED);
    g_assert_cmpint(file->ended_us, >, 0);
}

/* What is in quarantine outlives the record of its migration. */
static void
test_prune(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    put(fixture, "m-1", "/a", 1);
    put(fixture, "m-2", "/b", 1);
    set(fixture, "m-2", NULL, FERRY_QUARANTINE_RESTORED, NULL);
    g_assert_true(
        ferry_journal_prune(fixture->journal, ferry_clock_now_us() + G_USEC_PER_SEC, &error));

    g_autoptr(GPtrArray) held = list(fixture, "m-1");
    g_autoptr(GPtrArray) ended = list(fixture, "m-2");

    g_assert_cmpuint(held->len, ==, 1);
    g_assert_cmpuint(ended->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/journal-quarantine/all-fields-are-kept", test_all_fields_are_kept);
    ADD("/journal-quarantine/added-twice", test_added_twice);
    ADD("/journal-quarantine/order-and-ends", test_order_and_ends);
    ADD("/journal-quarantine/prune", test_prune);
    return g_test_run();
}
