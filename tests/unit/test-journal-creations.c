#include "config.h"

#include "journal-fixture.h"
#include "journal/db.h"
#include "journal/leftovers.h"

static void
set_state(Fixture *fixture, gint64 row, FerryCreationState state, const char *detail)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(ferry_journal_creation_set(fixture->journal, row, state, detail, &error));
    g_assert_no_error(error);
}

static void
test_creations(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    gint64 folder = create(fixture, "m-1", FERRY_CREATION_DIRECTORY, NULL, "/images/a");
    gint64 pool = create(fixture, "m-1", FERRY_CREATION_POOL_DEFINED, "a", "/images/a");
    gint64 image = create(fixture, "m-1", FERRY_CREATION_VOLUME, "a", "/images/a/x");
    gint64 gone = create(fixture, "m-1", FERRY_CREATION_VOLUME, "a", "/images/a/y");
    gint64 given = create(fixture, "m-1", FERRY_CREATION_VOLUME, "a", "/images/a/z");

    (void)create(fixture, "m-2", FERRY_CREATION_VOLUME, "b", "/images/b/x");
    set_state(fixture, pool, FERRY_CREATION_MADE, NULL);
    set_state(fixture, image, FERRY_CREATION_KEPT, "in use by 'db-1'");
    set_state(fixture, gone, FERRY_CREATION_REMOVED, NULL);
    set_state(fixture, given, FERRY_CREATION_DELIVERED, NULL);
    reopen(fixture);

    g_autoptr(GPtrArray) creations = ferry_journal_creations(fixture->journal, "m-1", &error);

    g_assert_no_error(error);
    g_assert_cmpuint(creations->len, ==, 3);

    const FerryCreation *first = g_ptr_array_index(creations, 0);
    const FerryCreation *second = g_ptr_array_index(creations, 1);
    const FerryCreation *third = g_ptr_array_index(creations, 2);

    g_assert_cmpint(first->id, ==, image);
    g_assert_cmpint(first->kind, ==, FERRY_CREATION_VOLUME);
    g_assert_cmpint(first->state, ==, FERRY_CREATION_KEPT);
    g_assert_cmpstr(first->detail, ==, "in use by 'db-1'");
    g_assert_cmpstr(first->path, ==, "/images/a/x");
    g_assert_cmpint(second->id, ==, pool);
    g_assert_cmpint(second->kind, ==, FERRY_CREATION_POOL_DEFINED);
    g_assert_cmpint(second->state, ==, FERRY_CREATION_MADE);
    g_assert_cmpstr(second->pool, ==, "a");
    g_assert_cmpint(third->id, ==, folder);
    g_assert_cmpint(third->state, ==, FERRY_CREATION_INTENDED);
    g_assert_null(third->pool);
}

static void
assert_found(Fixture *fixture, const char *path, const char *migration_id)
{
    g_autoptr(GError) error = NULL;
    FerryCreation *found = ferry_journal_creation_find(fixture->journal, path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(found ? found->migration_id : NULL, ==, migration_id);
    g_clear_pointer(&found, ferry_creation_free);
}

static void
test_whose_image(Fixture *fixture, gconstpointer user_data)
{
    gint64 first = create(fixture, "m-1", FERRY_CREATION_VOLUME, "a", "/images/a/x");

    assert_found(fixture, "/images/a/x", "m-1");
    set_state(fixture, first, FERRY_CREATION_DELIVERED, NULL);
    assert_found(fixture, "/images/a/x", NULL);

    (void)create(fixture, "m-3", FERRY_CREATION_BLOCK_VOLUME, "vg0", "/dev/vg0/x");
    (void)create(fixture, "m-3", FERRY_CREATION_NVRAM, NULL, "/nvram/x");
    reopen(fixture);
    assert_found(fixture, "/dev/vg0/x", "m-3");
    assert_found(fixture, "/nvram/x", NULL);

    gint64 second = create(fixture, "m-2", FERRY_CREATION_VOLUME, "a", "/images/a/x");

    set_state(fixture, second, FERRY_CREATION_KEPT, "in use");
    assert_found(fixture, "/images/a/x", "m-2");
    set_state(fixture, second, FERRY_CREATION_REMOVED, NULL);
    assert_found(fixture, "/images/a/x", NULL);
    (void)create(fixture, "m-3", FERRY_CREATION_DIRECTORY, "a", "/images/a");
    assert_found(fixture, "/images/a", NULL);
}

static bool
is_shared(Fixture *fixture, const char *pool, const char *migration_id)
{
    g_autoptr(GError) error = NULL;
    bool shared = false;

    g_assert_true(
        ferry_journal_pool_is_shared(fixture->journal, pool, migration_id, &shared, &error));
    g_assert_no_error(error);
    return shared;
}

static void
test_pool_sharing(Fixture *fixture, gconstpointer user_data)
{
    (void)create(fixture, "m-1", FERRY_CREATION_POOL_DEFINED, "a", "/images/a");
    (void)create(fixture, "m-1", FERRY_CREATION_VOLUME, "a", "/images/a/x");
    (void)create(fixture, "m-2", FERRY_CREATION_POOL_STARTED, "a", "/images/a");
    /* Its own image does not count, nor does a pool that another only started. */
    g_assert_false(is_shared(fixture, "a", "m-1"));
    g_assert_true(is_shared(fixture, "a", "m-2"));
    g_assert_false(is_shared(fixture, "b", "m-2"));

    gint64 image = create(fixture, "m-2", FERRY_CREATION_VOLUME, "a", "/images/a/y");

    g_assert_true(is_shared(fixture, "a", "m-1"));
    set_state(fixture, image, FERRY_CREATION_DELIVERED, NULL);
    g_assert_true(is_shared(fixture, "a", "m-1"));
    set_state(fixture, image, FERRY_CREATION_REMOVED, NULL);
    g_assert_false(is_shared(fixture, "a", "m-1"));
}

/* An instance came, the pool was removed by a person, and is made anew by another migration. */
static void
test_pool_made_after_a_delivery(Fixture *fixture, gconstpointer user_data)
{
    gint64 old = create(fixture, "m-1", FERRY_CREATION_VOLUME, "a", "/images/a/x");

    set_state(fixture, old, FERRY_CREATION_DELIVERED, NULL);
    (void)create(fixture, "m-2", FERRY_CREATION_POOL_DEFINED, "a", "/images/a");
    g_assert_false(is_shared(fixture, "a", "m-2"));
    set_state(fixture, old, FERRY_CREATION_MADE, NULL);
    g_assert_true(is_shared(fixture, "a", "m-2"));
}

static FerryLeftover *
find_leftover(Fixture *fixture, const char *path, const char *uuid)
{
    g_autoptr(GError) error = NULL;
    FerryLeftover *leftover = ferry_journal_leftover_find(fixture->journal, path, uuid, &error);

    g_assert_no_error(error);
    return leftover;
}

static void
test_leftovers(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(
        ferry_journal_leftover_add(fixture->journal, "/images/x", UUID, "m-1", "old", &error));
    g_assert_true(
        ferry_journal_leftover_add(fixture->journal, "/images/x", UUID, "m-2", "new", &error));
    reopen(fixture);

    g_autoptr(FerryLeftover) found = find_leftover(fixture, "/images/x", UUID);

    g_assert_cmpstr(found->migration_id, ==, "m-2");
    g_assert_cmpstr(found->fingerprint, ==, "new");
    g_assert_null(find_leftover(fixture, "/images/x", OTHER_UUID));
    g_assert_null(find_leftover(fixture, "/images/y", UUID));
    g_assert_true(ferry_journal_leftover_forget(fixture->journal, "/images/x", &error));
    g_assert_null(find_leftover(fixture, "/images/x", UUID));
    g_assert_true(ferry_journal_leftover_forget(fixture->journal, "/images/x", &error));
}

/* Times are counted with: what a damaged row says must not overflow. */
static void
test_damaged_time(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    (void)create(fixture, "m-1", FERRY_CREATION_VOLUME, "a", "/images/a/x");
    g_assert_true(ferry_journal_db_run(fixture->journal, &error, "UPDATE creations SET at_us = ?",
                                       "i", G_MININT64));

    g_autoptr(GPtrArray) creations = ferry_journal_creations(fixture->journal, "m-1", &error);

    g_assert_no_error(error);
    g_assert_cmpint(((FerryCreation *)g_ptr_array_index(creations, 0))->at_us, ==, 0);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("/journal/creations", test_creations);
    ADD("/journal/creations/whose-image", test_whose_image);
    ADD("/journal/creations/pool-sharing", test_pool_sharing);
    ADD("/journal/creations/pool-made-after-a-delivery", test_pool_made_after_a_delivery);
    ADD("/journal/leftovers", test_leftovers);
    ADD("/journal/creations/damaged-time", test_damaged_time);
    return g_test_run();
}
