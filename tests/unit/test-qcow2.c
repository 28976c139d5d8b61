#include "config.h"

#include "model/qcow2.h"

#include "ferry/error.h"

#include <string.h>

#define GIB (G_GUINT64_CONSTANT(1) << 30)

/* Offsets of the header's fields, as the format's document numbers them. */
enum {
    AT_VERSION = 4,
    AT_BACKING_OFFSET = 8,
    AT_BACKING_SIZE = 16,
    AT_CLUSTER_BITS = 20,
    AT_SIZE = 24,
    AT_CRYPT_METHOD = 32,
    AT_L1_SIZE = 36,
    AT_L1_OFFSET = 40,
    AT_REFCOUNT_OFFSET = 48,
    AT_REFCOUNT_CLUSTERS = 56,
    AT_NB_SNAPSHOTS = 60,
    AT_SNAPSHOTS_OFFSET = 64,
    AT_INCOMPATIBLE = 72,
    AT_REFCOUNT_ORDER = 96,
    AT_HEADER_LENGTH = 100,
    AT_COMPRESSION = 104,
};

/* data/qcow2/make-heads.sh made them with qemu-img. */
static guint8 *
load_head(const char *name, gsize *ret_length)
{
    g_autofree char *file = g_strdup_printf("%s.head", name);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "unit", "data", "qcow2", file, NULL);
    g_autoptr(GError) error = NULL;
    char *contents = NULL;
    g_file_get_contents(path, &contents, ret_length, &error);
    g_assert_no_error(error);
    return (guint8 *)contents;
}

static FerryQcow2
parse_head(const char *name)
{
    gsize length = 0;
    g_autofree guint8 *head = load_head(name, &length);
    g_autoptr(GError) error = NULL;
    FerryQcow2 qcow2 = {0};
    bool parsed = ferry_qcow2_parse(head, length, &qcow2, &error);
    g_assert_no_error(error);
    g_assert_true(parsed);
    g_assert_true(qcow2.known);
    return qcow2;
}

static void
test_default_image(void)
{
    FerryQcow2 qcow2 = parse_head("default");
    g_assert_cmpuint(qcow2.version, ==, 3);
    g_assert_cmpstr(ferry_qcow2_compat(&qcow2), ==, "1.1");
    g_assert_cmpuint(qcow2.virtual_size_bytes, ==, 20 * GIB);
    g_assert_cmpuint(qcow2.cluster_size_bytes, ==, 65536);
    g_assert_cmpuint(qcow2.refcount_bits, ==, 16);
    g_assert_cmpuint(qcow2.nb_snapshots, ==, 0);
    g_assert_false(qcow2.has_backing_file);
    g_assert_false(qcow2.encrypted);
    g_assert_false(qcow2.data_file);
    g_assert_false(qcow2.extended_l2);
    g_assert_false(qcow2.lazy_refcounts);
    g_assert_false(qcow2.zstd);
}

static void
test_features_are_told_apart(void)
{
    FerryQcow2 old = parse_head("compat-0.10");
    g_assert_cmpuint(old.version, ==, 2);
    g_assert_cmpstr(ferry_qcow2_compat(&old), ==, "0.10");
    g_assert_cmpuint(old.refcount_bits, ==, 16);
    g_assert_cmpuint(old.virtual_size_bytes, ==, GIB);

    FerryQcow2 tuned = parse_head("tuned");
    g_assert_cmpuint(tuned.cluster_size_bytes, ==, 2 * 1024 * 1024);
    g_assert_cmpuint(tuned.refcount_bits, ==, 1);
    g_assert_true(tuned.lazy_refcounts);
    g_assert_cmpuint(tuned.virtual_size_bytes, ==, 1024 * GIB);

    FerryQcow2 small = parse_head("smallest-cluster");
    g_assert_cmpuint(small.cluster_size_bytes, ==, 512);
    g_assert_cmpuint(small.refcount_bits, ==, 64);

    FerryQcow2 zstd = parse_head("extended-l2-zstd");
    g_assert_true(zstd.extended_l2);
    g_assert_true(zstd.zstd);
    g_assert_cmpuint(zstd.cluster_size_bytes, ==, 128 * 1024);
}

static void
test_what_stands_in_the_way_is_seen(void)
{
    FerryQcow2 backing = parse_head("backing");
    g_assert_true(backing.has_backing_file);
    g_assert_cmpstr(backing.backing_name, ==, "base.raw");
    g_assert_cmpstr(backing.backing_format, ==, "raw");
    g_assert_cmpuint(backing.tables_end_bytes, ==, 3 * 65536 + 2 * 8);
    g_assert_true(parse_head("data-file").data_file);
    g_assert_true(parse_head("luks").encrypted);
    g_assert_cmpuint(parse_head("snapshots").nb_snapshots, ==, 2);
    g_assert_false(parse_head("bitmap").data_file);
}

static void
put32(guint8 *head, gsize offset, guint32 value)
{
    guint32 wire = GUINT32_TO_BE(value);
    memcpy(head + offset, &wire, sizeof wire);
}

static void
put64(guint8 *head, gsize offset, guint64 value)
{
    guint64 wire = GUINT64_TO_BE(value);
    memcpy(head + offset, &wire, sizeof wire);
}

static void
assert_refused(const guint8 *head, gsize length, const char *field)
{
    g_autoptr(GError) error = NULL;
    FerryQcow2 qcow2 = {.version = 77};
    g_assert_false(ferry_qcow2_parse(head, length, &qcow2, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR);
    g_assert_nonnull(ferry_error_hint(error));
    if (strstr(error->message, field) == NULL)
        g_error("'%s' does not name '%s'", error->message, field);
    g_assert_cmpuint(qcow2.version, ==, 77);
}

/* One field is changed at a time; all others are those of a sound image. */
static const struct {
    const char *named;
    gsize offset;
    gsize bytes;
    guint64 value;
} unsound[] = {
    {"magic", 0, 4, 0x514649fc},
    {"version", AT_VERSION, 4, 1},
    {"version", AT_VERSION, 4, 4},
    {"cluster_bits", AT_CLUSTER_BITS, 4, 8},
    {"cluster_bits", AT_CLUSTER_BITS, 4, 22},
    {"cluster_bits", AT_CLUSTER_BITS, 4, 0xffffffff},
    {"size", AT_SIZE, 8, G_MAXUINT64},
    {"l1_size", AT_SIZE, 8, G_MAXINT64},
    {"l1_size", AT_L1_SIZE, 4, 0},
    {"l1_size", AT_L1_SIZE, 4, 0xffffffff},
    {"l1_table_offset", AT_L1_OFFSET, 8, 0x30001},
    {"crypt_method", AT_CRYPT_METHOD, 4, 3},
    {"refcount_table_offset", AT_REFCOUNT_OFFSET, 8, 0},
    {"refcount_table_offset", AT_REFCOUNT_OFFSET, 8, 513},
    {"refcount_table_clusters", AT_REFCOUNT_CLUSTERS, 4, 0},
    {"refcount_table_clusters", AT_REFCOUNT_CLUSTERS, 4, 0xffffffff},
    {"nb_snapshots", AT_NB_SNAPSHOTS, 4, 65537},
    {"unknown incompatible features 0x20", AT_INCOMPATIBLE, 8, 0x20},
    {"corrupt", AT_INCOMPATIBLE, 8, 2},
    {"compression_type", AT_INCOMPATIBLE, 8, 8},
    {"compression_type", AT_COMPRESSION, 1, 2},
    {"compression_type", AT_COMPRESSION, 1, 1},
    {"refcount_order", AT_REFCOUNT_ORDER, 4, 7},
    {"header_length", AT_HEADER_LENGTH, 4, 96},
    {"header_length", AT_HEADER_LENGTH, 4, 113},
    {"header_length", AT_HEADER_LENGTH, 4, 0xfffffff8},
    {"backing_file_offset", AT_BACKING_OFFSET, 8, 8},
    {"backing_file_offset", AT_BACKING_OFFSET, 8, 65537},
    {"backing_file_offset", AT_BACKING_OFFSET, 8, G_MAXUINT64},
};

static void
test_unsound_fields_are_named(void)
{
    gsize length = 0;
    g_autofree guint8 *sound = load_head("default", &length);
    for (gsize i = 0; i < G_N_ELEMENTS(unsound); i++) {
        g_autofree guint8 *head = g_memdup2(sound, length);
        if (unsound[i].bytes == 8)
            put64(head, unsound[i].offset, unsound[i].value);
        else if (unsound[i].bytes == 4)
            put32(head, unsound[i].offset, (guint32)unsound[i].value);
        else
            head[unsound[i].offset] = (guint8)unsound[i].value;
        assert_refused(head, length, unsound[i].named);
    }
}

static void
test_fields_that_depend_on_others(void)
{
    gsize length = 0;
    g_autofree guint8 *backing = load_head("backing", &length);
    put32(backing, AT_BACKING_SIZE, 1024);
    assert_refused(backing, length, "backing_file_size");

    g_autofree guint8 *snapshots = load_head("snapshots", &length);
    put64(snapshots, AT_SNAPSHOTS_OFFSET, 1);
    assert_refused(snapshots, length, "snapshots_offset");

    g_autofree guint8 *small = load_head("smallest-cluster", &length);
    put64(small, AT_INCOMPATIBLE, 16);
    assert_refused(small, length, "extended L2");
}

static void
test_short_input(void)
{
    gsize length = 0;
    g_autofree guint8 *whole = load_head("extended-l2-zstd", &length);
    for (gsize cut = 0; cut <= 104; cut++) {
        /* A block of exactly that size, so that reading past it is seen by the sanitizer. */
        g_autofree guint8 *head = g_memdup2(whole, cut);
        assert_refused(head, cut, "shorter");
    }
    g_autoptr(GError) error = NULL;
    FerryQcow2 qcow2 = {0};
    g_assert_true(ferry_qcow2_parse(whole, 105, &qcow2, &error));
    g_assert_no_error(error);
}

/* Whatever the bytes, the answer is a value within the format's limits or an error. */
static void
test_random_bytes(void)
{
    gsize length = 0;
    g_autofree guint8 *sound = load_head("extended-l2-zstd", &length);
    for (guint round = 0; round < 20000; round++) {
        g_autofree guint8 *head = g_memdup2(sound, 112);
        for (guint changes = (guint)g_test_rand_int_range(1, 5); changes > 0; changes--)
            head[g_test_rand_int_range(4, 112)] = (guint8)g_test_rand_int_range(0, 256);
        FerryQcow2 qcow2 = {0};
        g_autoptr(GError) error = NULL;
        bool parsed = ferry_qcow2_parse(head, 112, &qcow2, &error);
        g_assert_true(parsed == (error == NULL));
        if (!parsed)
            continue;
        g_assert_cmpuint(qcow2.cluster_size_bytes, >=, 512);
        g_assert_cmpuint(qcow2.cluster_size_bytes, <=, 2 * 1024 * 1024);
        g_assert_cmpuint(qcow2.refcount_bits, >=, 1);
        g_assert_cmpuint(qcow2.refcount_bits, <=, 64);
        g_assert_cmpuint(qcow2.virtual_size_bytes, <=, G_MAXINT64);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qcow2/default-image", test_default_image);
    g_test_add_func("/qcow2/features", test_features_are_told_apart);
    g_test_add_func("/qcow2/what-stands-in-the-way", test_what_stands_in_the_way_is_seen);
    g_test_add_func("/qcow2/unsound-fields", test_unsound_fields_are_named);
    g_test_add_func("/qcow2/dependent-fields", test_fields_that_depend_on_others);
    g_test_add_func("/qcow2/short-input", test_short_input);
    g_test_add_func("/qcow2/random-bytes", test_random_bytes);
    return g_test_run();
}
