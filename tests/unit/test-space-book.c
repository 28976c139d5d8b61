#include "config.h"

#include "storage/space-book.h"

#include "scratch-folder.h"

#include <string.h>

#define MIB (G_GUINT64_CONSTANT(1) << 20)

static void
test_sums_by_file_system(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *one = g_build_filename(folder, "one", NULL);
    g_autofree char *deep = g_build_filename(folder, "not", "there", "yet", "two", NULL);
    g_autoptr(FerrySpaceBook) book = ferry_space_book_new();

    ferry_space_book_add(book, one, 3 * MIB, 10 * MIB);
    ferry_space_book_add(book, deep, 4 * MIB, 20 * MIB);
    ferry_space_book_add(book, "/proc/file", MIB, MIB);
    g_assert_cmpuint(ferry_space_book_count(book), ==, 2);

    const FerrySpaceDemand *demand = ferry_space_book_get(book, 0);

    g_assert_cmpstr(demand->directory, ==, folder);
    g_assert_cmpuint(demand->now_bytes, ==, 7 * MIB);
    g_assert_cmpuint(demand->full_bytes, ==, 30 * MIB);
    g_assert_true(ferry_space_book_find(book, demand->device) == demand);
    g_assert_cmpuint(ferry_space_book_get(book, 1)->now_bytes, ==, MIB);
}

static void
test_what_is_there_is_taken_off(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *path = g_build_filename(folder, "image", NULL);
    g_autofree char *content = g_malloc(MIB);
    g_autoptr(GError) error = NULL;
    g_autoptr(FerrySpaceBook) book = ferry_space_book_new();

    memset(content, 'x', MIB);
    g_file_set_contents(path, content, MIB, &error);
    g_assert_no_error(error);
    ferry_space_book_add(book, path, 3 * MIB, 5 * MIB);

    const FerrySpaceDemand *demand = ferry_space_book_get(book, 0);

    g_assert_cmpuint(demand->now_bytes, <=, 2 * MIB);
    g_assert_cmpuint(demand->full_bytes, <=, 4 * MIB);
    g_assert_cmpuint(demand->full_bytes, >, 3 * MIB);
    /* More is there than is wanted: nothing more is needed, and nothing turns over. */
    ferry_space_book_add(book, path, MIB / 2, 0);
    g_assert_cmpuint(demand->now_bytes, <=, 2 * MIB);
}

static void
test_hostile_sizes_do_not_turn_over(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *path = g_build_filename(folder, "image", NULL);
    g_autoptr(FerrySpaceBook) book = ferry_space_book_new();

    for (int i = 0; i < 8; i++)
        ferry_space_book_add(book, path, G_GUINT64_CONSTANT(1) << 62, G_GUINT64_CONSTANT(1) << 62);
    g_assert_cmpuint(ferry_space_book_get(book, 0)->now_bytes, ==, G_MAXUINT64);
    g_assert_false(ferry_space_fits(&(FerrySpaceQuestion){
        .available_bytes = G_MAXUINT64 - 1, .kept_free_bytes = MIB, .wanted_bytes = G_MAXUINT64}));
}

static void
test_fits(void)
{
    FerrySpaceQuestion question = {.available_bytes = 100, .wanted_bytes = 100};

    g_assert_true(ferry_space_fits(&question));
    question.kept_free_bytes = 1;
    g_assert_false(ferry_space_fits(&question));
    question.wanted_bytes = 99;
    g_assert_true(ferry_space_fits(&question));
    question.others_bytes = 1;
    g_assert_false(ferry_space_fits(&question));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/space-book/sums-by-file-system", test_sums_by_file_system);
    g_test_add_func("/space-book/what-is-there-is-taken-off", test_what_is_there_is_taken_off);
    g_test_add_func("/space-book/hostile-sizes", test_hostile_sizes_do_not_turn_over);
    g_test_add_func("/space-book/fits", test_fits);
    return g_test_run();
}
