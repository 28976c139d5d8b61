#include "config.h"

#include "files/content-digest.h"
#include "model/digest-line.h"
#include "scratch-folder.h"

#include "ferry/error.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024 * 1024)
#define DIGEST_OF_NOTHING "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc"
#define DIGEST_OF_NOISE "cab02b99bf0488767798adbbc7ec3b43de8c2bdf9eed6b4375a58dec42142109"

typedef struct {
    guint64 offset;
    gsize length;
} Piece;

static guint8 *
make_noise(gsize length)
{
    guint8 *noise = g_malloc(length);
    guint32 state = 1;

    for (gsize i = 0; i < length; i++) {
        state = state * 1664525 + 1013904223;
        noise[i] = (guint8)(state >> 24);
    }
    return noise;
}

/* The digest of a file of @size bytes with noise in two places, told in pieces of @step bytes. */
static char *
digest_in_pieces(guint64 size, gsize step)
{
    const Piece pieces[] = {{0, 200000}, {3 * MIB + 777, 100001}};
    g_autoptr(FerryContentDigest) digest = ferry_content_digest_new();

    for (guint i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autofree guint8 *noise = make_noise(pieces[i].length);

        for (gsize at = 0; at < pieces[i].length; at += step)
            ferry_content_digest_add(digest, pieces[i].offset + at, noise + at,
                                     MIN(step, pieces[i].length - at));
    }
    return ferry_content_digest_finish(digest, size);
}

static void
test_pieces_do_not_matter(void)
{
    g_autofree char *whole = digest_in_pieces(8 * MIB, 10 * MIB);
    g_autofree char *small = digest_in_pieces(8 * MIB, 1000);
    g_autofree char *blocks = digest_in_pieces(8 * MIB, 65536);
    g_autofree char *longer = digest_in_pieces(8 * MIB + 1, 65536);

    g_assert_true(ferry_digest_line_is_valid(whole));
    g_assert_cmpstr(whole, ==, small);
    g_assert_cmpstr(whole, ==, blocks);
    g_assert_cmpstr(whole, !=, longer);
}

/* Known for good: journals and peers of other versions compare with it. */
static void
test_value_is_known(void)
{
    g_autoptr(FerryContentDigest) nothing = ferry_content_digest_new();
    g_autofree char *empty = ferry_content_digest_finish(nothing, 0);
    g_autofree char *some = digest_in_pieces(8 * MIB, 65536);

    g_assert_cmpstr(empty, ==, "ferry1-sha256:" DIGEST_OF_NOTHING);
    g_assert_cmpstr(some, ==, "ferry1-sha256:" DIGEST_OF_NOISE);
}

static void
test_place_matters(void)
{
    g_autoptr(FerryContentDigest) first = ferry_content_digest_new();
    g_autoptr(FerryContentDigest) second = ferry_content_digest_new();
    const guint8 byte = 1;

    ferry_content_digest_add(first, 10, &byte, 1);
    ferry_content_digest_add(second, 65536 + 10, &byte, 1);

    g_autofree char *a = ferry_content_digest_finish(first, MIB);
    g_autofree char *b = ferry_content_digest_finish(second, MIB);

    g_assert_cmpstr(a, !=, b);
}

static char *
digest_of(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *digest = ferry_content_digest_of_file(NULL, path, NULL, &error);

    g_assert_no_error(error);
    return digest;
}

static void
write_at(int fd, const guint8 *data, gsize length, off_t offset)
{
    g_assert_cmpint(pwrite(fd, data, length, offset), ==, (gssize)length);
}

/* One file of written zeros and one of holes, with the same noise. */
static void
test_holes_do_not_matter(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *sparse = g_build_filename(folder, "sparse", NULL);
    g_autofree char *full = g_build_filename(folder, "full", NULL);
    g_autofree guint8 *noise = make_noise(100001);
    g_autofree guint8 *zeros = g_malloc0(8 * MIB);

    for (int i = 0; i < 2; i++) {
        int fd = open(i ? full : sparse, O_RDWR | O_CREAT | O_EXCL, 0600);

        g_assert_cmpint(ftruncate(fd, 8 * MIB), ==, 0);
        if (i)
            write_at(fd, zeros, 8 * MIB, 0);
        write_at(fd, noise, 100001, 3 * MIB + 777);
        close(fd);
    }

    g_autofree char *a = digest_of(sparse);
    g_autofree char *b = digest_of(full);

    g_assert_cmpstr(a, ==, b);
}

static void
refuse_to_read(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *digest = ferry_content_digest_of_file(NULL, path, NULL, &error);

    g_assert_null(digest);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR);
}

static void
test_only_files_are_read(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    g_autofree char *link = g_build_filename(folder, "link", NULL);

    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_assert_cmpint(symlink(file, link), ==, 0);
    refuse_to_read(link);
    refuse_to_read(folder);
    refuse_to_read("/dev/null");
}

static void
test_reading_can_be_given_up(void)
{
    g_autoptr(FerryScratch) folder = ferry_scratch_make();
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_cancellable_cancel(cancellable);
    g_assert_null(ferry_content_digest_of_file(NULL, file, cancellable, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CANCELLED);
}

static void
test_form(void)
{
    g_autofree char *good = digest_in_pieces(MIB * 8, 65536);
    g_autofree char *longer = g_strconcat(good, "0", NULL);
    g_autofree char *shorter = g_strndup(good, strlen(good) - 1);

    g_assert_true(ferry_digest_line_is_valid(good));
    g_assert_false(ferry_digest_line_is_valid(longer));
    g_assert_false(ferry_digest_line_is_valid(shorter));
    g_assert_false(ferry_digest_line_is_valid(NULL));
    g_assert_false(ferry_digest_line_is_valid("sha256:00"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/content-digest/pieces-do-not-matter", test_pieces_do_not_matter);
    g_test_add_func("/content-digest/value-is-known", test_value_is_known);
    g_test_add_func("/content-digest/place-matters", test_place_matters);
    g_test_add_func("/content-digest/holes-do-not-matter", test_holes_do_not_matter);
    g_test_add_func("/content-digest/only-files-are-read", test_only_files_are_read);
    g_test_add_func("/content-digest/can-be-given-up", test_reading_can_be_given_up);
    g_test_add_func("/content-digest/form", test_form);
    return g_test_run();
}
