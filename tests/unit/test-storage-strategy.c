#include "config.h"

#include "model/overlay.h"
#include "model/seed-worth.h"
#include "model/storage-strategy.h"
#include "xml/snapshot.h"

#include "ferry/json.h"

#include <string.h>

#define GIB (G_GUINT64_CONSTANT(1) << 30)
#define MIGRATION "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9"

static FerryDisk *
add_disk(FerryInstance *instance, const char *target, const char *format, guint64 capacity_bytes)
{
    FerryDisk *disk = ferry_disk_new();

    disk->target = g_strdup(target);
    disk->type = g_strdup("file");
    disk->source = g_strdup_printf("/images/%s.%s", target, format);
    disk->format = g_strdup(format);
    disk->pool = g_strdup("default");
    disk->capacity_bytes = capacity_bytes;
    disk->allocation_bytes = GIB;
    disk->migrate = true;
    g_ptr_array_add(instance->disks, disk);
    return disk;
}

static void
choose(FerryInstance *instance, FerryStorageStrategy strategy)
{
    FerryOrderOptions options = {.storage_strategy = strategy};

    ferry_storage_strategy_choose(instance, &options);
}

static void
test_auto_follows_the_layout(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    FerryDisk *sparse = add_disk(instance, "vda", "raw", 5 * GIB);
    FerryDisk *full = add_disk(instance, "vdb", "raw", 5 * GIB - 1);
    FerryDisk *qcow2 = add_disk(instance, "vdc", "qcow2", 1024 * GIB);
    FerryDisk *stays = add_disk(instance, "vdd", "raw", 1024 * GIB);
    FerryDisk *beyond = add_disk(instance, "vde", "raw", GIB / 2);

    stays->migrate = false;
    choose(instance, FERRY_STORAGE_AUTO);
    g_assert_true(sparse->seeded);
    g_assert_cmpstr(sparse->strategy_why, ==,
                    "raw and sparse: a mirror would walk 4096 MiB of holes");
    g_assert_false(full->seeded);
    g_assert_nonnull(strstr(full->strategy_why, "few holes"));
    g_assert_false(qcow2->seeded);
    g_assert_nonnull(strstr(qcow2->strategy_why, "allocated clusters"));
    g_assert_false(stays->seeded);
    g_assert_null(stays->strategy_why);
    g_assert_false(beyond->seeded);
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
    g_assert_cmpstr(ferry_storage_strategy_word(instance), ==, "seeded");
}

/* A mirror is charged for the holes. */
static void
test_auto_knows_the_limit(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const FerryDisk *disk = add_disk(instance, "vda", "raw", GIB + (21 << 20));
    FerryOrderOptions options = {.bandwidth_mibps = 10};

    ferry_storage_strategy_choose(instance, &options);
    g_assert_true(disk->seeded);
    options.bandwidth_mibps = 11;
    ferry_storage_strategy_choose(instance, &options);
    g_assert_false(disk->seeded);
    options.bandwidth_mibps = G_MAXUINT64 >> 20;
    ferry_storage_strategy_choose(instance, &options);
    g_assert_false(disk->seeded);
}

static void
test_by_order(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    FerryDisk *raw = add_disk(instance, "vda", "raw", GIB);
    FerryDisk *qcow2 = add_disk(instance, "vdb", "qcow2", GIB);

    choose(instance, FERRY_STORAGE_MIRROR);
    g_assert_false(raw->seeded);
    g_assert_cmpstr(raw->strategy_why, ==, "by order");
    g_assert_cmpstr(ferry_storage_strategy_word(instance), ==, "mirror");
    choose(instance, FERRY_STORAGE_SEEDED);
    g_assert_true(raw->seeded);
    g_assert_cmpstr(raw->strategy_why, ==, "by order");
    /* An agent of before would take it for a raw one. */
    g_assert_true(qcow2->seed_wanted && !qcow2->seeded);
    g_assert_cmpstr(qcow2->strategy_why, ==, "by order");
    g_assert_cmpstr(ferry_storage_strategy_of(instance, qcow2), ==, "seeded");
    g_assert_cmpuint(instance->obstacles->len, ==, 0);
}

static bool
is_seeded_by(FerryInstance *instance, const FerryDisk *disk, const char *volumes)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object = json_loads(volumes, 0, NULL);
    g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(object, &error);

    g_assert_no_error(error);
    choose(instance, FERRY_STORAGE_SEEDED);
    ferry_storage_strategy_adopt(instance, data);
    g_assert_false(disk->seed_wanted);
    return disk->seeded;
}

/* What is only wanted becomes what the destination has prepared. */
static void
test_qcow2_by_the_destination(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const FerryDisk *disk = add_disk(instance, "vda", "qcow2", GIB);

    g_assert_true(
        is_seeded_by(instance, disk, "{\"volumes\": [{\"target\": \"vda\", \"seeded\": true}]}"));
    g_assert_cmpstr(disk->strategy_why, ==, "by order");
    g_assert_false(is_seeded_by(instance, disk, "{\"volumes\": [{\"target\": \"vda\"}]}"));
    g_assert_cmpstr(disk->strategy_why, ==, "as the destination was prepared");
    g_assert_cmpstr(ferry_storage_strategy_of(instance, disk), ==, "mirror");
}

/* A busy guest's: by auto, of what could be seeded; what an order says stays. */
static void
test_preferred(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const FerryDisk *raw = add_disk(instance, "vda", "raw", GIB);
    const FerryDisk *qcow2 = add_disk(instance, "vdb", "qcow2", GIB);
    FerryDisk *encrypted = add_disk(instance, "vdc", "qcow2", GIB);
    const FerryOrderOptions automatic = {.storage_strategy = FERRY_STORAGE_AUTO};
    const FerryOrderOptions mirrored = {.storage_strategy = FERRY_STORAGE_MIRROR};

    encrypted->encrypted = true;
    ferry_storage_strategy_choose(instance, &mirrored);
    ferry_storage_strategy_prefer_seeds(instance, &mirrored, "busy");
    g_assert_false(raw->seeded || qcow2->seed_wanted);
    ferry_storage_strategy_choose(instance, &automatic);

    g_autoptr(GPtrArray) seedable = ferry_storage_strategy_seedable(instance, &automatic);

    g_assert_cmpuint(seedable->len, ==, 2);
    ferry_storage_strategy_prefer_seeds(instance, &automatic, "busy");
    g_assert_true(raw->seeded && qcow2->seed_wanted);
    g_assert_cmpstr(qcow2->strategy_why, ==, "busy");
    g_assert_false(encrypted->seeded || encrypted->seed_wanted);
    ferry_storage_strategy_avoid_seeds(instance, &automatic, "no way");
    g_assert_false(raw->seeded || qcow2->seed_wanted);
}

/* What a destination may seed after all, because no mirror keeps it thin there. */
static void
test_may_seed(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const FerryDisk *raw = add_disk(instance, "vda", "raw", GIB);
    const FerryDisk *qcow2 = add_disk(instance, "vdb", "qcow2", GIB);
    FerryOrderOptions options = {0};

    choose(instance, FERRY_STORAGE_AUTO);
    g_assert_true(raw->may_seed && !raw->seeded);
    g_assert_true(qcow2->may_seed && !qcow2->seed_wanted);
    options.sparsify = true;
    ferry_storage_strategy_choose(instance, &options);
    g_assert_true(raw->may_seed && !raw->seeded);
    ferry_storage_strategy_avoid_seeds(instance, &options, "no way");
    g_assert_false(raw->may_seed);
    options.source_disks = FERRY_SOURCE_DISKS_QUARANTINE;
    ferry_storage_strategy_choose(instance, &options);
    g_assert_false(raw->may_seed);
    choose(instance, FERRY_STORAGE_MIRROR);
    g_assert_false(raw->may_seed);
}

/* Its mirror walks no holes, with a limit neither. */
static void
test_qemu_that_asks(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const FerryDisk *disk = add_disk(instance, "vda", "raw", 1024 * GIB);
    FerryOrderOptions options = {.bandwidth_mibps = 10};

    instance->qemu_version = g_strdup("10.1.0");
    ferry_storage_strategy_choose(instance, &options);
    g_assert_false(disk->seeded);
    g_assert_nonnull(strstr(disk->strategy_why, "no holes"));
}

/* It is restored without what an overlay holds. */
static void
test_quarantine_is_whole(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const FerryDisk *disk = add_disk(instance, "vda", "raw", 1024 * GIB);
    FerryOrderOptions options = {.source_disks = FERRY_SOURCE_DISKS_QUARANTINE};

    ferry_storage_strategy_choose(instance, &options);
    g_assert_false(disk->seeded);
    g_assert_nonnull(strstr(disk->strategy_why, "quarantine"));
}

static void
test_unreachable_destination(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const FerryDisk *disk = add_disk(instance, "vda", "raw", 1024 * GIB);
    FerryOrderOptions options = {.storage_strategy = FERRY_STORAGE_SEEDED};

    choose(instance, FERRY_STORAGE_SEEDED);
    ferry_storage_strategy_avoid_seeds(instance, &options, "no way");
    g_assert_true(disk->seeded);
    options.storage_strategy = FERRY_STORAGE_AUTO;
    ferry_storage_strategy_avoid_seeds(instance, &options, "no way");
    g_assert_false(disk->seeded);
    g_assert_cmpstr(disk->strategy_why, ==, "no way");
}

/* A seed onto what was prepared for a mirror would look as if all of it had arrived. */
static void
test_the_destination_was_told_otherwise(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const FerryDisk *seeded = add_disk(instance, "vda", "raw", 1024 * GIB);
    const FerryDisk *mirrored = add_disk(instance, "vdb", "raw", GIB);
    const FerryDisk *agreed = add_disk(instance, "vdc", "raw", 1024 * GIB);
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) object = json_pack("{s:[{s:s, s:b}, {s:s, s:b}]}", "volumes", "target",
                                            "vdb", "seeded", true, "target", "vdc", "seeded", true);
    g_autoptr(FerryMigrateData) migrate_data = ferry_migrate_data_from_json(object, &error);

    g_assert_no_error(error);
    choose(instance, FERRY_STORAGE_AUTO);
    ferry_storage_strategy_adopt(instance, migrate_data);
    g_assert_false(seeded->seeded);
    g_assert_true(mirrored->seeded);
    g_assert_true(agreed->seeded);
    g_assert_cmpstr(seeded->strategy_why, ==, "as the destination was prepared");
    g_assert_nonnull(strstr(agreed->strategy_why, "holes"));
    ferry_storage_strategy_adopt(instance, NULL);
    g_assert_false(agreed->seeded);
}

/* What cannot be seeded is mirrored by auto and refused where the order insists. */
static void
assert_cannot(FerryInstance *instance, const FerryDisk *disk, const char *why)
{
    guint before = instance->obstacles->len;

    choose(instance, FERRY_STORAGE_AUTO);
    g_assert_false(disk->seeded || disk->seed_wanted);
    g_assert_nonnull(strstr(disk->strategy_why, why));
    g_assert_cmpuint(instance->obstacles->len, ==, before);
    choose(instance, FERRY_STORAGE_SEEDED);
    g_assert_false(disk->seeded || disk->seed_wanted);
    g_assert_cmpuint(instance->obstacles->len, ==, before + 1);

    const FerryObstacle *obstacle = g_ptr_array_index(instance->obstacles, before);

    g_assert_cmpstr(obstacle->name, ==, "storage-strategy");
    g_assert_nonnull(strstr(obstacle->message, why));
    g_assert_nonnull(strstr(obstacle->message, "\"vda\""));
}

static void
test_what_cannot_be_seeded(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    FerryDisk *disk = add_disk(instance, "vda", "raw", 1024 * GIB);
    g_autofree char *name = g_strnfill(212 + 1, 'x');

    disk->encrypted = true;
    assert_cannot(instance, disk, "encrypted");
    disk->encrypted = false;
    g_clear_pointer(&disk->pool, g_free);
    assert_cannot(instance, disk, "no active storage pool");
    disk->pool = g_strdup("default");

    g_free(disk->type);
    disk->type = g_strdup("block");
    assert_cannot(instance, disk, "no file");
    g_free(disk->type);
    disk->type = g_strdup("file");

    g_free(disk->source);
    disk->source = g_strconcat("/images/", name, NULL);
    assert_cannot(instance, disk, "too long");
    name[212] = '\0';
    g_free(disk->source);
    disk->source = g_strconcat("/images/", name, NULL);
    choose(instance, FERRY_STORAGE_AUTO);
    g_assert_true(disk->seeded);

    g_free(disk->format);
    disk->format = g_strdup("qcow2");
    disk->qcow2.bitmaps = true;
    assert_cannot(instance, disk, "bitmaps");
}

static void
test_overlays(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const FerryDisk *disk = add_disk(instance, "vda", "raw", 1024 * GIB);

    add_disk(instance, "vdb", "qcow2", GIB);
    choose(instance, FERRY_STORAGE_AUTO);

    g_autoptr(GPtrArray) overlays = ferry_overlays_new(instance, MIGRATION);

    g_assert_cmpuint(overlays->len, ==, 1);

    const FerryOverlay *overlay = g_ptr_array_index(overlays, 0);

    g_assert_cmpstr(overlay->target, ==, "vda");
    g_assert_cmpstr(overlay->image, ==, disk->source);
    g_assert_cmpstr(overlay->pool, ==, "default");
    g_assert_cmpstr(overlay->format, ==, "raw");
    g_assert_cmpuint(overlay->capacity_bytes, ==, 1024 * GIB);
    g_assert_cmpstr(overlay->overlay, ==, "/images/vda.raw.ferry-" MIGRATION);
    g_assert_true(ferry_overlay_is_of(overlay->overlay, disk->source));
    g_assert_false(ferry_overlay_is_of(overlay->overlay, "/images/vda"));
    g_assert_false(ferry_overlay_is_of("/images/vda.raw.ferry-", disk->source));
    g_assert_false(ferry_overlay_is_of("/images/vda.raw", disk->source));
}

static void
test_snapshot_xml(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    g_autoptr(GPtrArray) targets = g_ptr_array_new();

    add_disk(instance, "vda", "raw", 1024 * GIB);
    choose(instance, FERRY_STORAGE_AUTO);

    g_autoptr(GPtrArray) overlays = ferry_overlays_new(instance, MIGRATION);

    g_ptr_array_add(targets, (gpointer) "vda");
    g_ptr_array_add(targets, (gpointer) "sda");

    g_autofree char *xml = ferry_snapshotxml_build(targets, overlays);

    g_assert_cmpstr(xml, ==,
                    "<domainsnapshot>\n"
                    "  <disks>\n"
                    "    <disk name=\"vda\" snapshot=\"external\" type=\"file\">\n"
                    "      <driver type=\"qcow2\"/>\n"
                    "      <source file=\"/images/vda.raw.ferry-" MIGRATION "\"/>\n"
                    "    </disk>\n"
                    "    <disk name=\"sda\" snapshot=\"no\"/>\n"
                    "  </disks>\n"
                    "</domainsnapshot>");
}

/* --- a busy guest ----------------------------------------------------------------------------- */

static void
test_worth(void)
{
    const guint64 mib = GIB >> 10;
    static const struct {
        guint64 image_mib;
        guint64 again_mib;
        guint64 link_mib_s;
        bool worth;
    } table[] = {
        {2000, 0, 10, true},     /* nobody can tell */
        {2000, 900, 10, true},   /* it waits for 90 s instead of 200 */
        {2000, 1100, 10, false}, /* the seed is sent for little */
        {90, 0, 10, false},      /* over in a moment */
        {2000, 0, 0, false},     /* a link that nobody knows */
        {0, 0, 10, false},       /* nothing can be seeded */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        const FerrySeedWorth worth = {.image_bytes = table[i].image_mib * mib,
                                      .again_bytes = table[i].again_mib * mib,
                                      .link_bytes_s = table[i].link_mib_s * mib};

        g_assert_cmpint(ferry_seed_is_worth(&worth), ==, table[i].worth);
    }
}

/* --- what becomes of an overlay --------------------------------------------------------------- */

static void
assert_action(FerryTop live, FerryTop defined, bool noted, bool exists, FerryOverlayAction expected)
{
    FerryTops tops = {live, defined};

    g_assert_cmpint(ferry_overlay_decide(&tops, noted, exists), ==, expected);
}

static void
test_actions(void)
{
    const FerryTop none = FERRY_TOP_NONE;
    const FerryTop image = FERRY_TOP_IMAGE;
    const FerryTop overlay = FERRY_TOP_OVERLAY;
    const FerryTop other = FERRY_TOP_OTHER;

    /* The guest runs on it, or would run on it at its next start. */
    assert_action(overlay, overlay, true, true, FERRY_OVERLAY_COMMIT);
    assert_action(overlay, none, false, true, FERRY_OVERLAY_COMMIT);
    assert_action(none, overlay, true, true, FERRY_OVERLAY_COMMIT_OFFLINE);
    /* Its file is gone: there is nothing that we could do. */
    assert_action(overlay, overlay, true, false, FERRY_OVERLAY_KEEP);
    /* Committed already, or never made. */
    assert_action(image, image, true, true, FERRY_OVERLAY_REMOVE);
    assert_action(none, image, true, true, FERRY_OVERLAY_REMOVE);
    assert_action(image, none, true, true, FERRY_OVERLAY_REMOVE);
    assert_action(image, image, false, false, FERRY_OVERLAY_NOTHING);
    assert_action(none, none, true, false, FERRY_OVERLAY_NOTHING);
    /* The file is there, but nobody saw the snapshot succeed: QEMU may write to it. */
    assert_action(image, image, false, true, FERRY_OVERLAY_KEEP);
    /* The definition has to follow the disk first. */
    assert_action(image, overlay, true, true, FERRY_OVERLAY_KEEP);
    /* Nobody names it any more. */
    assert_action(none, none, true, true, FERRY_OVERLAY_KEEP);
    assert_action(other, image, true, true, FERRY_OVERLAY_KEEP);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/storage-strategy/auto-follows-the-layout", test_auto_follows_the_layout);
    g_test_add_func("/storage-strategy/auto-knows-the-limit", test_auto_knows_the_limit);
    g_test_add_func("/storage-strategy/by-order", test_by_order);
    g_test_add_func("/storage-strategy/qcow2-by-the-destination", test_qcow2_by_the_destination);
    g_test_add_func("/storage-strategy/preferred", test_preferred);
    g_test_add_func("/storage-strategy/what-cannot-be-seeded", test_what_cannot_be_seeded);
    g_test_add_func("/storage-strategy/quarantine-is-whole", test_quarantine_is_whole);
    g_test_add_func("/storage-strategy/may-seed", test_may_seed);
    g_test_add_func("/storage-strategy/qemu-that-asks", test_qemu_that_asks);
    g_test_add_func("/storage-strategy/unreachable-destination", test_unreachable_destination);
    g_test_add_func("/storage-strategy/the-destination-was-told-otherwise",
                    test_the_destination_was_told_otherwise);
    g_test_add_func("/storage-strategy/overlays", test_overlays);
    g_test_add_func("/storage-strategy/snapshot-xml", test_snapshot_xml);
    g_test_add_func("/seed-worth", test_worth);
    g_test_add_func("/overlay/actions", test_actions);
    return g_test_run();
}
