#include "config.h"

#include "model/thin-way.h"

#include "ferry/json.h"

#define GIB (G_GUINT64_CONSTANT(1) << 30)

/* Debian's releases by what they have. */
static const FerryHostVersions D12 = {"9.0.0", "7.2.22"};
static const FerryHostVersions D13 = {"11.3.0", "10.0.13"};
static const FerryHostVersions SID = {"12.8.0", "11.1.3"};
/* Ubuntu 24.04: no layer, and no parameter either. */
static const FerryHostVersions BETWEEN = {"10.0.0", "8.2.2"};
static const FerryHostVersions UNKNOWN = {NULL, NULL};

static const struct {
    const FerryHostVersions *source;
    const FerryHostVersions *destination;
    FerryThinWay way; /* thin, unmap, detect_zeroes */
} table[] = {
    {&D12, &D12, {true, false, false}},
    {&D12, &D13, {true, true, false}},
    {&D12, &SID, {true, true, false}},
    {&D12, &BETWEEN, {true, true, false}},
    {&D13, &D12, {false, false, false}},
    {&D13, &D13, {true, true, true}},
    {&D13, &SID, {true, true, true}},
    {&D13, &BETWEEN, {false, false, false}},
    {&BETWEEN, &D12, {false, false, false}},
    {&BETWEEN, &D13, {false, false, false}},
    {&BETWEEN, &BETWEEN, {false, false, false}},
    {&SID, &D12, {true, false, false}},
    {&SID, &D13, {true, false, false}},
    {&SID, &SID, {true, false, false}},
    {&D12, &UNKNOWN, {true, false, false}},
    {&D13, &UNKNOWN, {true, false, false}},
    {&UNKNOWN, &D12, {true, false, false}},
    {&UNKNOWN, &D13, {true, false, false}},
};

static void
test_table(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        FerryThinWay way = ferry_thin_way(table[i].source, table[i].destination);

        g_test_message("row %zu", i);
        g_assert_cmpint(way.thin, ==, table[i].way.thin);
        g_assert_cmpint(way.unmap, ==, table[i].way.unmap);
        g_assert_cmpint(way.detect_zeroes, ==, table[i].way.detect_zeroes);
    }
}

static FerryInstance *
make_instance(const FerryHostVersions *source)
{
    FerryInstance *instance = ferry_instance_new();
    static const char *const formats[] = {"raw", "qcow2", "raw", "raw"};

    instance->libvirt_version = g_strdup(source->libvirt);
    instance->qemu_version = g_strdup(source->qemu);
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        FerryDisk *disk = ferry_disk_new();

        disk->target = g_strdup_printf("vd%c", 'a' + i);
        disk->type = g_strdup(i == 3 ? "block" : "file");
        disk->source = g_strdup_printf("/images/%s", disk->target);
        disk->format = g_strdup(formats[i]);
        disk->capacity_bytes = GIB;
        disk->migrate = true;
        g_ptr_array_add(instance->disks, disk);
    }
    return instance;
}

/* A seed where it can be sent; else the room has to be there. */
static void
test_place(void)
{
    g_autoptr(FerryInstance) instance = make_instance(&D13);
    FerryDisk *seedable = g_ptr_array_index(instance->disks, 0);
    FerryDisk *qcow2 = g_ptr_array_index(instance->disks, 1);
    FerryDisk *other = g_ptr_array_index(instance->disks, 2);
    FerryDisk *block = g_ptr_array_index(instance->disks, 3);

    seedable->may_seed = true;
    ferry_thin_way_place(instance, &D13);
    g_assert_false(seedable->seeded || other->seeded || other->arrives_full);
    ferry_thin_way_place(instance, &D12);
    g_assert_true(seedable->seeded && !seedable->arrives_full);
    g_assert_true(!other->seeded && other->arrives_full);
    g_assert_false(qcow2->seeded || qcow2->arrives_full);
    g_assert_false(block->seeded || block->arrives_full);
}

/* The format that it gets there decides; one that is sent is not asked for anything. */
static void
test_disk(void)
{
    g_autoptr(FerryInstance) instance = make_instance(&D13);
    FerryDisk *raw = g_ptr_array_index(instance->disks, 0);
    const FerryDisk *qcow2 = g_ptr_array_index(instance->disks, 1);
    const FerryDisk *becomes_qcow2 = g_ptr_array_index(instance->disks, 2);
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object =
        json_pack("{s:s, s:s, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]}", "libvirt_version", "11.3.0",
                  "qemu_version", "10.0.13", "volumes", "target", "vda", "format", "raw", "target",
                  "vdb", "format", "raw", "target", "vdc", "format", "qcow2");
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(object, &error);

    g_assert_no_error(error);
    g_assert_true(ferry_thin_way_of(instance, raw, data).detect_zeroes);
    g_assert_true(ferry_thin_way_of(instance, qcow2, data).unmap);
    g_assert_false(ferry_thin_way_of(instance, becomes_qcow2, data).unmap);
    g_assert_false(ferry_thin_way_of(instance, raw, NULL).unmap);
    raw->seeded = true;
    g_assert_false(ferry_thin_way_of(instance, raw, data).unmap);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/thin-way/table", test_table);
    g_test_add_func("/thin-way/place", test_place);
    g_test_add_func("/thin-way/disk", test_disk);
    return g_test_run();
}
