#include "config.h"

#include "xml/volume.h"

#include "ferry/error.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <string.h>

#define TIB (G_GUINT64_CONSTANT(1) << 40)

/* libvirt's own parser is asked: its test driver reads the XML and keeps it in memory. */
typedef struct {
    virConnectPtr connection;
    virStoragePoolPtr pool;
} Fixture;

static void
ignore_error(void *user_data, virErrorPtr error)
{
}

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    virSetErrorFunc(NULL, ignore_error);
    fixture->connection = virConnectOpen("test:///default");
    g_assert_nonnull(fixture->connection);
    fixture->pool = virStoragePoolLookupByName(fixture->connection, "default-pool");
    g_assert_nonnull(fixture->pool);
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    virStoragePoolFree(fixture->pool);
    virConnectClose(fixture->connection);
}

/* What libvirt made of @xml. */
static char *
create(const Fixture *fixture, const char *xml)
{
    virStorageVolPtr volume = virStorageVolCreateXML(fixture->pool, xml, 0);
    if (volume == NULL)
        g_error("%s: %s", virGetLastErrorMessage(), xml);
    char *back = virStorageVolGetXMLDesc(volume, 0);
    g_assert_nonnull(back);
    virStorageVolFree(volume);
    return back;
}

static FerryVolumeInfo
parse(const char *xml)
{
    FerryVolumeInfo info = {0};
    g_autoptr(GError) error = NULL;
    bool parsed = ferry_volxml_parse(xml, &info, &error);
    g_assert_no_error(error);
    g_assert_true(parsed);
    return info;
}

static void
test_raw_volume(Fixture *fixture, gconstpointer user_data)
{
    g_autofree char *xml = ferry_volxml_build(
        &(FerryNewImage){.path = "web01-vda.raw", .format = "raw", .capacity_bytes = TIB});
    g_autofree char *kept = create(fixture, xml);
    g_auto(FerryVolumeInfo) info = parse(kept);
    g_assert_cmpstr(info.name, ==, "web01-vda.raw");
    g_assert_cmpstr(info.path, ==, "/default-pool/web01-vda.raw");
    g_assert_cmpstr(info.format, ==, "raw");
    g_assert_cmpuint(info.capacity_bytes, ==, TIB);
    g_assert_cmpuint(info.allocation_bytes, ==, 0);
    g_assert_false(info.has_backing_store);
}

static void
test_full_volume(Fixture *fixture, gconstpointer user_data)
{
    g_autofree char *xml = ferry_volxml_build_full("web01", TIB / 1024);
    g_autofree char *kept = create(fixture, xml);
    g_auto(FerryVolumeInfo) info = parse(kept);
    g_assert_cmpstr(info.name, ==, "web01");
    g_assert_cmpuint(info.capacity_bytes, ==, TIB / 1024);
    g_assert_cmpuint(info.allocation_bytes, ==, TIB / 1024);
    g_assert_false(info.has_extents);
}

/* As libvirt tells of volumes of a group: one on extents of its own, and a thin one. */
static void
test_extents(Fixture *fixture, gconstpointer user_data)
{
    g_auto(FerryVolumeInfo) plain =
        parse("<volume type='block'><name>a</name><key>f4OTml</key><source><device path='/dev/sdb'>"
              "<extent start='0' end='1024'/></device></source><capacity unit='bytes'>1024"
              "</capacity><allocation unit='bytes'>1024</allocation></volume>");
    g_auto(FerryVolumeInfo) thin =
        parse("<volume type='block'><name>a</name><source></source><capacity unit='bytes'>1024"
              "</capacity><allocation unit='bytes'>1024</allocation></volume>");
    g_assert_true(plain.has_extents);
    g_assert_false(thin.has_extents);
}

static void
test_qcow2_volume(Fixture *fixture, gconstpointer user_data)
{
    const FerryQcow2 source = {.known = true,
                               .version = 3,
                               .cluster_size_bytes = 128 * 1024,
                               .refcount_bits = 16,
                               .lazy_refcounts = true,
                               .extended_l2 = true};
    g_autofree char *xml = ferry_volxml_build(&(FerryNewImage){
        .path = "a.qcow2", .format = "qcow2", .capacity_bytes = TIB, .qcow2 = &source});
    g_autofree char *kept = create(fixture, xml);
    g_auto(FerryVolumeInfo) info = parse(kept);
    g_assert_cmpstr(info.format, ==, "qcow2");
    g_assert_cmpuint(info.capacity_bytes, ==, TIB);
    g_assert_cmpuint(info.allocation_bytes, ==, 0);
    g_assert_nonnull(strstr(kept, "<compat>1.1</compat>"));
    g_assert_nonnull(strstr(kept, "<clusterSize unit='B'>131072</clusterSize>"));
    g_assert_nonnull(strstr(kept, "<lazy_refcounts/>"));
    g_assert_nonnull(strstr(kept, "<extended_l2/>"));
}

static void
test_qcow2_without_features(Fixture *fixture, gconstpointer user_data)
{
    const FerryQcow2 plain = {.known = true, .version = 3, .cluster_size_bytes = 65536};
    g_autofree char *xml = ferry_volxml_build(&(FerryNewImage){
        .path = "b.qcow2", .format = "qcow2", .capacity_bytes = TIB, .qcow2 = &plain});
    g_autofree char *kept = create(fixture, xml);
    g_assert_null(strstr(kept, "_"));
    g_assert_nonnull(strstr(kept, "<clusterSize unit='B'>65536</clusterSize>"));

    const FerryQcow2 old = {
        .known = true, .version = 2, .cluster_size_bytes = 65536, .lazy_refcounts = true};
    g_autofree char *old_xml = ferry_volxml_build(&(FerryNewImage){
        .path = "c.qcow2", .format = "qcow2", .capacity_bytes = TIB, .qcow2 = &old});
    g_autofree char *old_kept = create(fixture, old_xml);
    g_assert_nonnull(strstr(old_kept, "<compat>0.10</compat>"));
    g_assert_null(strstr(old_kept, "lazy_refcounts"));

    const FerryQcow2 unknown = {.known = false};
    g_autofree char *unknown_xml = ferry_volxml_build(&(FerryNewImage){
        .path = "d.qcow2", .format = "qcow2", .capacity_bytes = TIB, .qcow2 = &unknown});
    g_autofree char *none_xml = ferry_volxml_build(
        &(FerryNewImage){.path = "d.qcow2", .format = "qcow2", .capacity_bytes = TIB});
    g_assert_cmpstr(unknown_xml, ==, none_xml);
    g_autofree char *unknown_kept = create(fixture, unknown_xml);
    g_assert_null(strstr(unknown_kept, "clusterSize"));
    g_assert_nonnull(strstr(unknown_kept, "<format type='qcow2'/>"));
}

static void
test_overlay(Fixture *fixture, gconstpointer user_data)
{
    FerryBacking backing = {.path = "/images/a&b.raw", .format = "raw"};
    g_autofree char *xml = ferry_volxml_build(&(FerryNewImage){
        .path = "e.qcow2", .format = "qcow2", .capacity_bytes = TIB, .backing = backing});
    g_autofree char *kept = create(fixture, xml);
    g_auto(FerryVolumeInfo) info = parse(kept);
    g_assert_true(info.has_backing_store);
    g_assert_nonnull(strstr(kept, "<path>/images/a&amp;b.raw</path>"));
    g_assert_cmpuint(info.capacity_bytes, ==, TIB);
}

static void
test_luks(Fixture *fixture, gconstpointer user_data)
{
    const FerryQcow2 source = {.known = true, .version = 3, .cluster_size_bytes = 65536};
    g_autofree char *xml =
        ferry_volxml_build(&(FerryNewImage){.path = "f.qcow2",
                                            .format = "qcow2",
                                            .capacity_bytes = TIB,
                                            .qcow2 = &source,
                                            .secret_uuid = "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"});
    g_autofree char *kept = create(fixture, xml);
    g_assert_nonnull(strstr(kept, "<encryption format='luks'>"));
    g_assert_nonnull(
        strstr(kept, "<secret type='passphrase' uuid='4dea22b3-1d52-d8f3-2516-782e98ab3fa0'/>"));
}

/* A name is text, whatever is in it. */
static void
test_names_are_no_markup(Fixture *fixture, gconstpointer user_data)
{
    const char *name = "a'b\"c<name><target><path>&amp;]]>\xc3\xa4 .qcow2";
    g_autofree char *xml =
        ferry_volxml_build(&(FerryNewImage){.path = name, .format = "raw", .capacity_bytes = 512});
    g_auto(FerryVolumeInfo) info = parse(xml);
    g_assert_cmpstr(info.name, ==, name);
    g_assert_null(info.path);
    g_autofree char *kept = create(fixture, xml);
    g_auto(FerryVolumeInfo) kept_info = parse(kept);
    g_assert_cmpstr(kept_info.name, ==, name);

    g_autofree char *pool_xml = ferry_poolxml_build(name, NULL, "/srv/a&b<c>", NULL);
    g_autofree char *pool_name = NULL;
    g_autofree char *path = NULL;
    g_assert_true(ferry_poolxml_parse(pool_xml, &pool_name, NULL, &path, NULL));
    g_assert_cmpstr(pool_name, ==, name);
    g_assert_cmpstr(path, ==, "/srv/a&b<c>");
}

static void
test_pool(Fixture *fixture, gconstpointer user_data)
{
    g_autofree char *xml = ferry_poolxml_build("ferry-1", NULL, "/var/lib/libvirt/images", NULL);
    virStoragePoolPtr pool = virStoragePoolDefineXML(fixture->connection, xml, 0);
    g_assert_nonnull(pool);
    g_autofree char *kept = virStoragePoolGetXMLDesc(pool, 0);
    g_assert_cmpint(virStoragePoolUndefine(pool), ==, 0);
    virStoragePoolFree(pool);

    g_autofree char *name = NULL;
    g_autofree char *type = NULL;
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(ferry_poolxml_parse(kept, &name, &type, &path, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(name, ==, "ferry-1");
    g_assert_cmpstr(type, ==, "dir");
    g_assert_cmpstr(path, ==, "/var/lib/libvirt/images");
}

static void
test_parsing_volumes(Fixture *fixture, gconstpointer user_data)
{
    g_auto(FerryVolumeInfo) chained =
        parse("<volume type='file'><name>a</name><capacity unit='GiB'>2</capacity>"
              "<allocation unit='KiB'>196</allocation><target><path>/i/a</path>"
              "<format type='qcow2'/></target><backingStore><path>/i/base</path>"
              "<format type='raw'/></backingStore></volume>");
    g_assert_true(chained.has_backing_store);
    g_assert_cmpuint(chained.capacity_bytes, ==, 2 * (G_GUINT64_CONSTANT(1) << 30));
    g_assert_cmpuint(chained.allocation_bytes, ==, 196 * 1024);
    g_assert_cmpstr(chained.path, ==, "/i/a");
    g_auto(FerryVolumeInfo) bare = parse("<volume><capacity>5</capacity><backingStore/></volume>");
    g_assert_cmpuint(bare.capacity_bytes, ==, 5);
    g_assert_cmpstr(bare.format, ==, "raw");
    g_assert_false(bare.has_backing_store);
}

static void
test_refused(Fixture *fixture, gconstpointer user_data)
{
    static const char *const volumes[] = {
        "",
        "<pool/>",
        "<volume><capacity>much</capacity></volume>",
        "<volume><allocation unit='x'>1</allocation></volume>",
        "<!DOCTYPE volume><volume/>",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(volumes); i++) {
        FerryVolumeInfo info = {.capacity_bytes = 7};
        g_autoptr(GError) error = NULL;
        g_assert_false(ferry_volxml_parse(volumes[i], &info, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
        g_assert_cmpuint(info.capacity_bytes, ==, 7);
        g_assert_null(info.format);
    }
    static const char *const pools[] = {"<volume/>", "<pool/>", "<pool type='dir'/>",
                                        "<pool><name>a</name></pool>"};
    for (gsize i = 0; i < G_N_ELEMENTS(pools); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(ferry_poolxml_parse(pools[i], NULL, NULL, NULL, &error));
        g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    }
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/volxml/raw", test_raw_volume);
    add("/volxml/full", test_full_volume);
    add("/volxml/extents", test_extents);
    add("/volxml/qcow2", test_qcow2_volume);
    add("/volxml/qcow2-without-features", test_qcow2_without_features);
    add("/volxml/overlay", test_overlay);
    add("/volxml/luks", test_luks);
    add("/volxml/names-are-no-markup", test_names_are_no_markup);
    add("/volxml/pool", test_pool);
    add("/volxml/parsing-volumes", test_parsing_volumes);
    add("/volxml/refused", test_refused);
    return g_test_run();
}
