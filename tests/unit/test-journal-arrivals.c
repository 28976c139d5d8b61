#include "config.h"

#include "journal-fixture.h"
#include "journal/arrivals.h"

static FerryArrivalNote
note_of(Fixture *fixture, const char *id)
{
    g_autoptr(GError) error = NULL;
    FerryArrivalNote note = {0};

    g_assert_true(ferry_journal_arrival_get(fixture->journal, id, &note, &error));
    g_assert_no_error(error);
    return note;
}

static void
assert_note(Fixture *fixture, FerryArrivalStage stage, guint64 attempt, gint64 listening_us)
{
    FerryArrivalNote note = note_of(fixture, "m-1");

    g_assert_cmpint(note.stage, ==, stage);
    g_assert_cmpuint(note.attempt, ==, attempt);
    g_assert_cmpint(note.listening_us, ==, listening_us);
}

static void
reach(Fixture *fixture, FerryArrivalStage stage)
{
    g_assert_true(ferry_journal_arrival_reach(fixture->journal, "m-1", stage, NULL));
}

/* What was seen is not taken back, but by a source that says that an attempt came to nothing. */
static void
test_arrivals(Fixture *fixture, gconstpointer user_data)
{
    assert_note(fixture, FERRY_ARRIVAL_AWAITED, 0, 0);
    g_assert_true(ferry_journal_arrival_await(fixture->journal, "m-1", 77, NULL));
    reach(fixture, FERRY_ARRIVAL_BEGUN);
    reopen(fixture);
    assert_note(fixture, FERRY_ARRIVAL_BEGUN, 0, 77);
    g_assert_true(ferry_journal_arrival_renew(fixture->journal, "m-1", 3, NULL));
    assert_note(fixture, FERRY_ARRIVAL_AWAITED, 3, 77);
    g_assert_true(ferry_journal_arrival_renew(fixture->journal, "m-1", 0, NULL));
    assert_note(fixture, FERRY_ARRIVAL_AWAITED, 3, 77);
    reach(fixture, FERRY_ARRIVAL_CAME);
    reach(fixture, FERRY_ARRIVAL_BEGUN);
    g_assert_true(ferry_journal_arrival_renew(fixture->journal, "m-1", 4, NULL));
    assert_note(fixture, FERRY_ARRIVAL_CAME, 4, 77);
    g_assert_cmpint(note_of(fixture, "m-2").stage, ==, FERRY_ARRIVAL_AWAITED);
}

/* An agent of before prepared for it. */
static void
test_of_before(Fixture *fixture, gconstpointer user_data)
{
    reach(fixture, FERRY_ARRIVAL_CAME);
    assert_note(fixture, FERRY_ARRIVAL_CAME, 0, 0);
}

static void
test_pruned(Fixture *fixture, gconstpointer user_data)
{
    reach(fixture, FERRY_ARRIVAL_CAME);
    g_assert_true(ferry_journal_prune(fixture->journal, 1, NULL));
    assert_note(fixture, FERRY_ARRIVAL_AWAITED, 0, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/journal/arrivals", test_arrivals);
    ADD("/journal/arrivals/of-before", test_of_before);
    ADD("/journal/arrivals/pruned", test_pruned);
    return g_test_run();
}
