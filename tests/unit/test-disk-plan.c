#include "config.h"

#include "model/disk-plan.h"

#include "ferry/error.h"

#include <string.h>

#define GIB (G_GUINT64_CONSTANT(1) << 30)

static FerryDisk *
add_disk(FerryInstance *instance, const char *target, const char *source, const char *format)
{
    FerryDisk *disk = ferry_disk_new();
    disk->target = g_strdup(target);
    disk->bus = g_strdup("virtio");
    disk->device = g_strdup("disk");
    disk->type = g_strdup("file");
    disk->source = g_strdup(source);
    disk->format = g_strdup(format);
    disk->capacity_bytes = 20 * GIB;
    disk->allocation_bytes = GIB;
    if (strcmp(format, "qcow2") == 0)
        disk->qcow2 = (FerryQcow2){.known = true,
                                   .version = 3,
                                   .virtual_size_bytes = 20 * GIB,
                                   .cluster_size_bytes = 65536,
                                   .refcount_bits = 16};
    g_ptr_array_add(instance->disks, disk);
    return disk;
}

static FerryInstance *
new_instance(void)
{
    FerryInstance *instance = ferry_instance_new();
    instance->name = g_strdup("web01");
    return instance;
}

static void
plan(FerryInstance *instance, const char *const *wanted)
{
    g_autoptr(GError) error = NULL;
    bool made = ferry_disk_plan_make(instance, wanted, &error);
    g_assert_no_error(error);
    g_assert_true(made);
}

static const FerryObstacle *
obstacle(const FerryInstance *instance, guint index)
{
    g_assert_cmpuint(index, <, instance->obstacles->len);
    return g_ptr_array_index(instance->obstacles, index);
}

/* Exactly one obstacle, of that name, that names the disk; and the disk stays. */
static void
assert_blocked(FerryInstance *instance, const FerryDisk *disk, const char *name)
{
    plan(instance, NULL);
    g_assert_cmpuint(instance->obstacles->len, ==, 1);
    g_assert_cmpstr(obstacle(instance, 0)->name, ==, name);
    g_assert_nonnull(strstr(obstacle(instance, 0)->message, disk->target));
    g_assert_nonnull(obstacle(instance, 0)->hint);
    g_assert_false(disk->migrate);
    g_assert_nonnull(strstr(obstacle(instance, 0)->message, disk->why));
}

static void
test_default_set(void)
{
    g_autoptr(FerryInstance) instance = new_instance();
    FerryDisk *qcow2 = add_disk(instance, "vda", "/images/a.qcow2", "qcow2");
    FerryDisk *raw = add_disk(instance, "vdb", "/images/b.raw", "raw");
    FerryDisk *cdrom = add_disk(instance, "sda", NULL, "raw");
    g_free(cdrom->device);
    cdrom->device = g_strdup("cdrom");
    cdrom->readonly = true;
    raw->allocation_bytes = 3 * GIB;
    plan(instance, NULL);
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_true(qcow2->migrate);
    g_assert_true(raw->migrate);
    g_assert_false(cdrom->migrate);
    g_assert_cmpstr(cdrom->why, ==, "an empty drive");
    g_assert_cmpuint(ferry_disk_plan_count(instance), ==, 2);
    g_assert_cmpuint(ferry_disk_plan_allocation(instance), ==, 4 * GIB);
}

static void
test_no_disks(void)
{
    g_autoptr(FerryInstance) instance = new_instance();
    plan(instance, NULL);
    g_assert_cmpuint(ferry_disk_plan_count(instance), ==, 0);
    g_assert_cmpuint(ferry_disk_plan_allocation(instance), ==, 0);
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
}

typedef void (*SpoilFunc)(FerryDisk *disk);

static void
set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

static void
make_chain(FerryDisk *disk)
{
    FerryLayer *layer = ferry_layer_new();
    layer->type = g_strdup("network");
    layer->path = g_strdup("nbd:base");
    g_ptr_array_add(disk->layers, layer);
    disk->qcow2.has_backing_file = true;
}

static void
make_hidden_chain(FerryDisk *disk)
{
    disk->qcow2.has_backing_file = true;
}

static void
make_block(FerryDisk *disk)
{
    set_text(&disk->type, "block");
}

static void
make_block_volume(FerryDisk *disk)
{
    make_block(disk);
    set_text(&disk->format, "raw");
}

static void
make_network(FerryDisk *disk)
{
    set_text(&disk->type, "network");
}

static void
make_vmdk(FerryDisk *disk)
{
    set_text(&disk->format, "vmdk");
}

static void
make_encrypted(FerryDisk *disk)
{
    disk->encrypted = true;
}

static void
make_header_encrypted(FerryDisk *disk)
{
    disk->qcow2.encrypted = true;
}

static void
make_luks(FerryDisk *disk)
{
    disk->encrypted = true;
    disk->qcow2.encrypted = true;
    disk->secret_uuid = g_strdup("4dea22b3-1d52-d8f3-2516-782e98ab3fa0");
}

static void
make_luks_raw(FerryDisk *disk)
{
    make_luks(disk);
    set_text(&disk->format, "raw");
    disk->qcow2 = (FerryQcow2){.known = false};
}

static void
make_luks_zstd(FerryDisk *disk)
{
    make_luks(disk);
    disk->qcow2.zstd = true;
}

static void
make_luks_in_vain(FerryDisk *disk)
{
    make_luks(disk);
    disk->qcow2.encrypted = false;
}

static void
make_data_file(FerryDisk *disk)
{
    disk->qcow2.data_file = true;
}

static void
make_snapshots(FerryDisk *disk)
{
    disk->qcow2.nb_snapshots = 1;
}

static void
make_transient(FerryDisk *disk)
{
    disk->transient = true;
}

static void
make_other_size(FerryDisk *disk)
{
    disk->qcow2.virtual_size_bytes -= 512;
}

static void
make_unread(FerryDisk *disk)
{
    disk->qcow2 = (FerryQcow2){.known = false};
}

static void
make_shareable(FerryDisk *disk)
{
    disk->shareable = true;
}

static const struct {
    const char *obstacle;
    SpoilFunc spoil;
} spoilt[] = {
    {"backing-chain", make_chain},
    {"backing-chain", make_hidden_chain},
    {"block-volume", make_block_volume},
    {"disk-type", make_network},
    {"disk-format", make_vmdk},
    {"disk-encryption", make_encrypted},
    {"disk-encryption", make_header_encrypted},
    {"disk-encryption", make_luks_raw},
    {"disk-encryption", make_luks_zstd},
    {"disk-encryption", make_luks_in_vain},
    {"data-file", make_data_file},
    {"internal-snapshots", make_snapshots},
    {"transient-disk", make_transient},
    {"image-size", make_other_size},
    {"image-header", make_unread},
    {"shareable-disk", make_shareable},
};

static void
test_each_reason(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(spoilt); i++) {
        g_autoptr(FerryInstance) instance = new_instance();
        FerryDisk *sound = add_disk(instance, "vdb", "/images/b.raw", "raw");
        FerryDisk *disk = add_disk(instance, "vda", "/images/a.qcow2", "qcow2");
        spoilt[i].spoil(disk);
        assert_blocked(instance, disk, spoilt[i].obstacle);
        g_assert_true(sound->migrate);
    }
}

/* What the guest only reads is brought as it is, wanted or not, and several drives may share it. */
static void
test_media_are_carried(void)
{
    g_autoptr(FerryInstance) instance = new_instance();
    FerryDisk *disk = add_disk(instance, "vda", "/images/a.raw", "raw");
    FerryDisk *readonly = add_disk(instance, "vdb", "/images/b.raw", "raw");
    FerryDisk *cdrom = add_disk(instance, "sda", "/images/c.iso", "raw");
    FerryDisk *same = add_disk(instance, "sdb", "/images/c.iso", "raw");
    const char *const wanted[] = {"vda", NULL};

    readonly->readonly = true;
    set_text(&cdrom->device, "cdrom");
    set_text(&same->device, "cdrom");
    plan(instance, wanted);
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_true(disk->migrate && !disk->carry);
    g_assert_true(readonly->carry && !readonly->migrate);
    g_assert_true(cdrom->carry && !cdrom->migrate);
    g_assert_true(same->carry);
    g_assert_cmpstr(cdrom->why, ==, "a medium, brought along as it is");
    g_assert_cmpuint(ferry_disk_plan_allocation(instance), ==, GIB);
}

static void
test_luks_in_qcow2(void)
{
    g_autoptr(FerryInstance) instance = new_instance();
    FerryDisk *disk = add_disk(instance, "vda", "/images/a.qcow2", "qcow2");
    disk->qcow2.refcount_bits = 16;
    make_luks(disk);
    g_assert_true(ferry_disk_plan_make(instance, NULL, NULL));
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_true(disk->migrate);

    disk->qcow2.has_backing_file = true;
    g_assert_true(ferry_disk_plan_make(instance, NULL, NULL));
    const FerryObstacle *last =
        g_ptr_array_index(instance->obstacles, instance->obstacles->len - 1);
    g_assert_cmpstr(last->name, ==, "disk-encryption");
}

static void
test_two_disks_on_one_file(void)
{
    g_autoptr(FerryInstance) instance = new_instance();
    FerryDisk *first = add_disk(instance, "vda", "/images/a.raw", "raw");
    FerryDisk *second = add_disk(instance, "vdb", "/images//x/../a.raw", "raw");
    assert_blocked(instance, second, "duplicate-file");
    g_assert_true(first->migrate);
    g_assert_nonnull(strstr(second->why, "vda"));
}

static void
test_block_volumes(void)
{
    g_autoptr(FerryInstance) instance = new_instance();
    FerryDisk *first = add_disk(instance, "vda", "/dev/vg0/web01", "raw");
    FerryDisk *second = add_disk(instance, "vdb", "/dev/vg0/web01-b", "raw");
    make_block(first);
    make_block(second);
    first->pool = g_strdup("vg0");
    second->pool = g_strdup("vg0");
    plan(instance, NULL);
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_true(first->migrate && second->migrate);

    set_text(&second->source, "/dev/vg0/web01");
    assert_blocked(instance, second, "duplicate-file");
}

static void
test_all_reasons_are_told(void)
{
    g_autoptr(FerryInstance) instance = new_instance();
    FerryDisk *disk = add_disk(instance, "vda", "/images/a.qcow2", "qcow2");
    make_chain(disk);
    make_snapshots(disk);
    make_transient(disk);
    FerryDisk *other = add_disk(instance, "vdb", "/dev/sdb", "raw");
    make_block(other);
    plan(instance, NULL);
    g_assert_cmpuint(instance->obstacles->len, ==, 4);
    g_assert_cmpstr(obstacle(instance, 0)->name, ==, "transient-disk");
    g_assert_cmpstr(obstacle(instance, 1)->name, ==, "backing-chain");
    g_assert_cmpstr(obstacle(instance, 2)->name, ==, "internal-snapshots");
    g_assert_cmpstr(obstacle(instance, 3)->name, ==, "block-volume");
    g_assert_cmpuint(ferry_disk_plan_count(instance), ==, 0);
}

static void
test_wanted_disks(void)
{
    g_autoptr(FerryInstance) instance = new_instance();
    FerryDisk *first = add_disk(instance, "vda", "/images/a.raw", "raw");
    FerryDisk *second = add_disk(instance, "vdb", "/images/b.raw", "raw");
    const char *const both[] = {"vdb", "vda", NULL};
    plan(instance, both);
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_cmpuint(ferry_disk_plan_count(instance), ==, 2);

    const char *const one[] = {"vda", NULL};
    plan(instance, one);
    g_assert_cmpuint(instance->obstacles->len, ==, 1);
    g_assert_cmpstr(obstacle(instance, 0)->name, ==, "disk-left-out");
    g_assert_true(first->migrate);
    g_assert_false(second->migrate);
}

static void
assert_wanted_refused(const char *first, const char *second, const char *named)
{
    g_autoptr(FerryInstance) instance = new_instance();
    add_disk(instance, "vda", "/images/a.raw", "raw");
    FerryDisk *readonly = add_disk(instance, "vdb", "/images/b.raw", "raw");
    readonly->readonly = true;
    add_disk(instance, "vdc", NULL, "raw");
    const char *const wanted[] = {first, second, NULL};
    g_autoptr(GError) error = NULL;
    g_assert_false(ferry_disk_plan_make(instance, wanted, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    if (strstr(error->message, named) == NULL)
        g_error("'%s' does not name '%s'", error->message, named);
}

static void
test_wanted_is_checked(void)
{
    assert_wanted_refused("vda", "vda", "\"vda\" twice");
    assert_wanted_refused("vdz", NULL, "\"vdz\", which instance \"web01\" does not have");
    assert_wanted_refused("vdb", NULL, "\"vdb\", which is read-only");
    assert_wanted_refused("vda", "vdc", "\"vdc\", which is an empty drive");
    assert_wanted_refused("", NULL, "\"\"");
}

/* What the caller vouches for is neither copied nor an obstacle, whatever its kind. */
static void
test_attached(void)
{
    static const char *const attached[] = {"vdb", "vdc", NULL};
    static const char *const unknown[] = {"vdz", NULL};
    static const char *const both[] = {"vda", "vdb", NULL};
    g_autoptr(FerryInstance) instance = new_instance();
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) refusal = NULL;
    FerryDisk *own = add_disk(instance, "vda", "/images/a.raw", "raw");
    FerryDisk *network = add_disk(instance, "vdb", "rbd/web", "raw");
    FerryDisk *shared = add_disk(instance, "vdc", "/nfs/c.raw", "raw");
    g_free(network->type);
    network->type = g_strdup("network");
    shared->shareable = true;
    g_assert_false(ferry_disk_plan_attach(instance, unknown, &error));
    g_assert_cmpstr(ferry_error_hint(error), ==, "Its disks are vda, vdb, vdc");
    g_assert_true(ferry_disk_plan_attach(instance, attached, NULL));
    plan(instance, NULL);
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_true(own->migrate);
    g_assert_false(network->migrate || network->carry || shared->migrate || shared->carry);
    g_assert_false(ferry_disk_plan_make(instance, both, &refusal));
    g_assert_nonnull(strstr(refusal->message, "both name \"vdb\""));
}

static void
test_allocation_does_not_wrap(void)
{
    g_autoptr(FerryInstance) instance = new_instance();
    for (int i = 0; i < 5; i++) {
        g_autofree char *target = g_strdup_printf("vd%c", 'a' + i);
        g_autofree char *source = g_strdup_printf("/images/%d", i);
        add_disk(instance, target, source, "raw")->allocation_bytes = G_GUINT64_CONSTANT(1) << 62;
    }
    plan(instance, NULL);
    g_assert_cmpuint(ferry_disk_plan_allocation(instance), ==, G_MAXUINT64);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk-plan/default-set", test_default_set);
    g_test_add_func("/disk-plan/no-disks", test_no_disks);
    g_test_add_func("/disk-plan/each-reason", test_each_reason);
    g_test_add_func("/disk-plan/media", test_media_are_carried);
    g_test_add_func("/disk-plan/luks-in-qcow2", test_luks_in_qcow2);
    g_test_add_func("/disk-plan/block-volumes", test_block_volumes);
    g_test_add_func("/disk-plan/two-disks-on-one-file", test_two_disks_on_one_file);
    g_test_add_func("/disk-plan/all-reasons", test_all_reasons_are_told);
    g_test_add_func("/disk-plan/wanted", test_wanted_disks);
    g_test_add_func("/disk-plan/wanted-is-checked", test_wanted_is_checked);
    g_test_add_func("/disk-plan/attached", test_attached);
    g_test_add_func("/disk-plan/allocation", test_allocation_does_not_wrap);
    return g_test_run();
}
