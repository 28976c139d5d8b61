#include "config.h"

#include "model/instance.h"

#include "ferry/error.h"
#include "ferry/json.h"

#include <string.h>

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

static FerryInstance *
full_instance(void)
{
    FerryInstance *instance = ferry_instance_new();
    instance->name = g_strdup("web01 \xc3\xa4");
    instance->uuid = g_strdup(UUID);
    instance->state = g_strdup("running");
    instance->state_reason = g_strdup("booted");
    instance->persistent = true;
    instance->virt_type = g_strdup("kvm");
    instance->arch = g_strdup("x86_64");
    instance->machine = g_strdup("pc-i440fx-7.2");
    instance->emulator = g_strdup("/usr/bin/qemu-system-x86_64");
    instance->cpu_xml = g_strdup("<cpu mode='custom'>\n  <model>qemu64</model>\n</cpu>");
    instance->loader = g_strdup("/usr/share/OVMF/OVMF_CODE_4M.fd");
    instance->nvram = g_strdup("/var/lib/libvirt/qemu/nvram/web01_VARS.fd");
    instance->tpm = true;
    instance->vcpus = 2;
    instance->memory_bytes = G_GUINT64_CONSTANT(1) << 40;
    instance->domain_xml = g_strdup("<domain>\n\t</domain>\n");

    FerryDisk *disk = ferry_disk_new();
    const char *const chain[] = {"/images/b.qcow2", "/images/c.raw", NULL};
    disk->target = g_strdup("vda");
    disk->bus = g_strdup("virtio");
    disk->device = g_strdup("disk");
    disk->type = g_strdup("file");
    disk->source = g_strdup("/images/a.qcow2");
    disk->format = g_strdup("qcow2");
    disk->pool = g_strdup("default");
    disk->shareable = true;
    disk->encrypted = true;
    disk->secret_uuid = g_strdup(UUID);
    disk->capacity_bytes = G_GUINT64_CONSTANT(1) << 62;
    disk->allocation_bytes = 300 * 1024 * 1024;
    g_strfreev(disk->backing_chain);
    disk->backing_chain = g_strdupv((char **)chain);
    disk->qcow2 = (FerryQcow2){.known = true,
                               .version = 3,
                               .virtual_size_bytes = 20,
                               .cluster_size_bytes = 65536,
                               .refcount_bits = 16,
                               .nb_snapshots = 2,
                               .has_backing_file = true,
                               .data_file = true,
                               .lazy_refcounts = true};
    g_strlcpy(disk->qcow2.backing_name, "b.qcow2", sizeof disk->qcow2.backing_name);
    g_strlcpy(disk->qcow2.backing_format, "qcow2", sizeof disk->qcow2.backing_format);
    disk->qcow2.tables_end_bytes = 262144;
    disk->file_bytes = 1000;
    FerryLayer *layer = ferry_layer_new();
    layer->type = g_strdup("file");
    layer->path = g_strdup("/images/b.qcow2");
    layer->format = g_strdup("qcow2");
    layer->pool = g_strdup("bases");
    layer->capacity_bytes = 2000;
    layer->allocation_bytes = 3000;
    layer->file_bytes = 4000;
    layer->qcow2 = disk->qcow2;
    g_ptr_array_add(disk->layers, layer);
    disk->migrate = true;
    disk->carry = true;
    disk->why = g_strdup("a writable local disk");
    g_ptr_array_add(instance->disks, disk);
    FerryDisk *empty = ferry_disk_new();
    empty->target = g_strdup("sda");
    empty->device = g_strdup("cdrom");
    empty->type = g_strdup("file");
    empty->format = g_strdup("raw");
    empty->readonly = true;
    empty->transient = true;
    g_ptr_array_add(instance->disks, empty);

    FerryInterface *interface = g_new0(FerryInterface, 1);
    interface->type = g_strdup("network");
    interface->mac = g_strdup("52:54:00:12:34:56");
    interface->source = g_strdup("default");
    interface->model = g_strdup("virtio");
    interface->target = g_strdup("vnet0");
    g_ptr_array_add(instance->interfaces, interface);
    return instance;
}

static FerryInstance *
read_back(const json_t *json)
{
    g_autoptr(GError) error = NULL;
    FerryInstance *instance = ferry_instance_from_json(json, &error);
    g_assert_no_error(error);
    g_assert_nonnull(instance);
    return instance;
}

static void
test_there_and_back(void)
{
    g_autoptr(FerryInstance) instance = full_instance();
    ferry_instance_add_obstacle(instance, "tpm", "it has a TPM", "remove it");
    g_autoptr(FerryJson) json = ferry_instance_to_json(instance);
    g_assert_null(json_object_get(json, "obstacles"));
    /* Over the wire: as text. */
    g_autofree char *text = ferry_json_dump(json);
    g_autoptr(FerryJson) received = json_loads(text, 0, NULL);
    g_autoptr(FerryInstance) back = read_back(received);
    g_assert_cmpuint(back->obstacles->len, ==, 0);
    g_autoptr(FerryJson) again = ferry_instance_to_json(back);
    g_assert_true(json_equal(json, again));

    g_assert_cmpstr(back->name, ==, instance->name);
    g_assert_cmpstr(back->loader, ==, instance->loader);
    g_assert_cmpstr(back->nvram, ==, instance->nvram);
    g_assert_true(back->tpm);
    const FerryDisk *disk = ferry_instance_find_disk(back, "vda");
    g_assert_cmpuint(disk->capacity_bytes, ==, G_GUINT64_CONSTANT(1) << 62);
    g_assert_cmpstr(disk->backing_chain[1], ==, "/images/c.raw");
    g_assert_true(disk->qcow2.known && disk->qcow2.data_file && disk->qcow2.lazy_refcounts);
    g_assert_false(disk->qcow2.zstd || disk->qcow2.encrypted || disk->qcow2.extended_l2);
    g_assert_cmpuint(disk->qcow2.nb_snapshots, ==, 2);
    g_assert_cmpstr(disk->qcow2.backing_name, ==, "b.qcow2");
    g_assert_cmpstr(disk->qcow2.backing_format, ==, "qcow2");
    g_assert_cmpuint(disk->layers->len, ==, 1);
    const FerryLayer *layer = g_ptr_array_index(disk->layers, 0);
    g_assert_cmpstr(layer->path, ==, "/images/b.qcow2");
    g_assert_cmpuint(layer->file_bytes, ==, 4000);
    g_assert_true(layer->qcow2.known && layer->qcow2.data_file);
    const FerryDisk *empty = ferry_instance_find_disk(back, "sda");
    g_assert_null(empty->source);
    g_assert_true(disk->carry && !empty->carry);
    g_assert_false(empty->qcow2.known);
    g_assert_true(empty->readonly && empty->transient);
    g_assert_null(ferry_instance_find_disk(back, "vdz"));
}

static void
test_names_of_the_protocol(void)
{
    static const char *const fields[] = {
        "name",  "uuid",         "state", "virt_type",  "machine",
        "vcpus", "memory_bytes", "disks", "interfaces", "domain_xml",
    };
    static const char *const disk_fields[] = {
        "target",        "bus",       "device",  "type", "source",         "format",
        "readonly",      "shareable", "migrate", "why",  "capacity_bytes", "allocation_bytes",
        "backing_chain",
    };
    g_autoptr(FerryInstance) instance = full_instance();
    g_autoptr(FerryJson) json = ferry_instance_to_json(instance);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        g_assert_nonnull(json_object_get(json, fields[i]));
    const json_t *disk = json_array_get(json_object_get(json, "disks"), 0);
    for (gsize i = 0; i < G_N_ELEMENTS(disk_fields); i++)
        g_assert_nonnull(json_object_get(disk, disk_fields[i]));
}

static void
test_minimal(void)
{
    g_autoptr(FerryJson) json = json_pack("{s:s, s:s, s:[{s:s}], s:s}", "name", "a", "uuid",
                                          "4DEA22B3-1D52-D8F3-2516-782E98AB3FA0", "disks", "target",
                                          "vda", "from_the_future", "ignored");
    g_autoptr(FerryInstance) instance = read_back(json);
    g_assert_cmpstr(instance->uuid, ==, UUID);
    g_assert_null(instance->state);
    g_assert_cmpuint(instance->vcpus, ==, 0);
    const FerryDisk *disk = ferry_instance_find_disk(instance, "vda");
    g_assert_cmpstr(disk->device, ==, "disk");
    g_assert_cmpstr(disk->type, ==, "file");
    g_assert_cmpstr(disk->format, ==, "raw");
    g_assert_nonnull(disk->backing_chain);
    g_assert_false(disk->migrate);
}

/* A sound instance with @value in place of what lies at @path ("disks/0/target"). */
static json_t *
spoil(const char *path, json_t *value)
{
    g_autoptr(FerryInstance) instance = full_instance();
    json_t *json = ferry_instance_to_json(instance);
    g_auto(GStrv) steps = g_strsplit(path, "/", -1);
    guint last = g_strv_length(steps) - 1;
    json_t *parent = json;
    for (guint i = 0; i < last; i++)
        parent = json_is_array(parent)
                     ? json_array_get(parent, (gsize)g_ascii_strtoull(steps[i], NULL, 10))
                     : json_object_get(parent, steps[i]);
    g_assert_nonnull(parent);
    if (json_is_array(parent))
        json_array_set_new(parent, (gsize)g_ascii_strtoull(steps[last], NULL, 10), value);
    else if (value == NULL)
        json_object_del(parent, steps[last]);
    else
        json_object_set_new(parent, steps[last], value);
    return json;
}

static void
assert_refused(const json_t *json, const char *named)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(json, &error);
    if (instance != NULL)
        g_error("accepted although %s is bad", named);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID_REQUEST);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", named);
    if (strstr(error->message, quoted) == NULL)
        g_error("'%s' does not name '%s'", error->message, named);
    g_assert_nonnull(strstr(error->message, "expected"));
    g_assert_cmpuint(strlen(error->message), <, 500);
}

static void
assert_spoilt(const char *path, const char *json_text, const char *named)
{
    json_t *value =
        json_text != NULL ? json_loads(json_text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    g_assert_true(json_text == NULL || value != NULL);
    g_autoptr(FerryJson) json = spoil(path, value);
    assert_refused(json, named);
}

static const struct {
    const char *path;
    const char *value; /* JSON; NULL: taken out */
    const char *named;
} hostile[] = {
    {"name", NULL, "instance_info.name"},
    {"name", "null", "instance_info.name"},
    {"name", "\"\"", "instance_info.name"},
    {"name", "7", "instance_info.name"},
    {"name", "[\"a\"]", "instance_info.name"},
    {"name", "\"a\\nb\"", "instance_info.name"},
    {"name", "\"a\\u001bb\"", "instance_info.name"},
    {"name", "\"a\\u0000b\"", "instance_info.name"},
    {"name", "\"a\\u0085b\"", "instance_info.name"},
    {"name", "\"../../etc/x\"", "instance_info.name"},
    {"name", "\"..\"", "instance_info.name"},
    {"uuid", NULL, "instance_info.uuid"},
    {"uuid", "\"4dea22b31d52d8f32516782e98ab3fa0\"", "instance_info.uuid"},
    {"uuid", "\"web01\"", "instance_info.uuid"},
    {"persistent", "1", "instance_info.persistent"},
    {"vcpus", "-1", "instance_info.vcpus"},
    {"vcpus", "65536", "instance_info.vcpus"},
    {"vcpus", "2.0", "instance_info.vcpus"},
    {"memory_bytes", "-1", "instance_info.memory_bytes"},
    {"memory_bytes", "4611686018427387905", "instance_info.memory_bytes"},
    {"memory_bytes", "1e18", "instance_info.memory_bytes"},
    {"memory_bytes", "\"1024\"", "instance_info.memory_bytes"},
    {"machine", "{\"a\": {\"b\": []}}", "instance_info.machine"},
    {"domain_xml", "\"a\\u0001\"", "instance_info.domain_xml"},
    {"disks", NULL, "instance_info.disks"},
    {"disks", "{}", "instance_info.disks"},
    {"disks", "\"vda\"", "instance_info.disks"},
    {"disks/0", "null", "instance_info.disks[0]"},
    {"disks/1", "[[[[[]]]]]", "instance_info.disks[1]"},
    {"disks/0/target", NULL, "instance_info.disks[0].target"},
    {"disks/0/target", "\"\"", "instance_info.disks[0].target"},
    {"disks/0/target", "\"../vda\"", "instance_info.disks[0].target"},
    {"disks/0/target", "\"vda vdb\"", "instance_info.disks[0].target"},
    {"disks/0/target", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "instance_info.disks[0].target"},
    {"disks/1/target", "\"vda\"", "instance_info.disks[1].target"},
    {"disks/0/source", "\"/images/a\\n.qcow2\"", "instance_info.disks[0].source"},
    {"disks/0/source", "{}", "instance_info.disks[0].source"},
    /* A disk that moves has one. */
    {"disks/0/source", NULL, "instance_info.disks[0].source"},
    {"disks/0/source", "null", "instance_info.disks[0].source"},
    {"disks/0/capacity_bytes", "-512", "instance_info.disks[0].capacity_bytes"},
    {"disks/0/allocation_bytes", "9223372036854775807", "instance_info.disks[0].allocation_bytes"},
    {"disks/0/migrate", "\"yes\"", "instance_info.disks[0].migrate"},
    {"disks/0/backing_chain", "\"/x\"", "instance_info.disks[0].backing_chain"},
    {"disks/0/backing_chain/0", "null", "instance_info.disks[0].backing_chain[0]"},
    {"disks/0/backing_chain/1", "\"a\\u0007\"", "instance_info.disks[0].backing_chain[1]"},
    {"disks/0/layers", "{}", "instance_info.disks[0].layers"},
    {"disks/0/layers/0", "1", "instance_info.disks[0].layers[0]"},
    {"disks/0/layers/0/path", NULL, "instance_info.disks[0].layers[0].path"},
    {"disks/0/layers/0/path", "\"/a\\u0007\"", "instance_info.disks[0].layers[0].path"},
    {"disks/0/layers/0/file_bytes", "-1", "instance_info.disks[0].layers[0].file_bytes"},
    {"disks/0/layers/0/image", "[]", "instance_info.disks[0].layers[0].image"},
    {"disks/0/carry", "1", "instance_info.disks[0].carry"},
    {"disks/0/image/backing_name", "\"a\\nb\"", "instance_info.disks[0].image.backing_name"},
    {"disks/0/image/backing_format", "\"a format of no image\"",
     "instance_info.disks[0].image.backing_format"},
    {"disks/0/image", "[]", "instance_info.disks[0].image"},
    {"disks/0/image", "{}", "instance_info.disks[0].image.version"},
    {"disks/0/image/version", "4", "instance_info.disks[0].image.version"},
    {"disks/0/image/cluster_size_bytes", "65535",
     "instance_info.disks[0].image.cluster_size_bytes"},
    {"disks/0/image/cluster_size_bytes", "256", "instance_info.disks[0].image.cluster_size_bytes"},
    {"disks/0/image/cluster_size_bytes", NULL, "instance_info.disks[0].image.cluster_size_bytes"},
    {"disks/0/image/refcount_bits", "12", "instance_info.disks[0].image.refcount_bits"},
    {"disks/0/image/virtual_size_bytes", "-1", "instance_info.disks[0].image.virtual_size_bytes"},
    {"disks/0/image/lazy_refcounts", "0", "instance_info.disks[0].image.lazy_refcounts"},
    {"interfaces", "1", "instance_info.interfaces"},
    {"interfaces/0", "1", "instance_info.interfaces[0]"},
    {"interfaces/0/mac", "1", "instance_info.interfaces[0].mac"},
    {"interfaces/0/source", "\"br0\\r\\n\"", "instance_info.interfaces[0].source"},
};

static void
test_hostile_fields(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++)
        assert_spoilt(hostile[i].path, hostile[i].value, hostile[i].named);
}

static void
test_not_an_object(void)
{
    assert_refused(NULL, "instance_info");
    static const char *const values[] = {"null", "[]", "1", "\"a\"", "true"};
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(FerryJson) json = json_loads(values[i], JSON_DECODE_ANY, NULL);
        assert_refused(json, "instance_info");
    }
}

static json_t *
string_of(gsize bytes)
{
    g_autofree char *text = g_strnfill(bytes, 'x');
    return json_string(text);
}

static void
test_limits(void)
{
    g_autoptr(FerryJson) long_name = spoil("name", string_of(4097));
    assert_refused(long_name, "instance_info.name");
    g_autoptr(FerryJson) longest_name = spoil("name", string_of(4096));
    g_autoptr(FerryInstance) with_longest_name = read_back(longest_name);
    g_assert_cmpuint(strlen(with_longest_name->name), ==, 4096);
    g_autoptr(FerryJson) long_xml = spoil("domain_xml", string_of(1024 * 1024 + 1));
    assert_refused(long_xml, "instance_info.domain_xml");
    g_autoptr(FerryJson) longest_xml = spoil("domain_xml", string_of(1024 * 1024));
    g_autoptr(FerryInstance) with_longest_xml = read_back(longest_xml);
    g_assert_cmpuint(strlen(with_longest_xml->domain_xml), ==, 1024 * 1024);

    json_t *disks = json_array();
    for (int i = 0; i < 256; i++) {
        g_autofree char *target = g_strdup_printf("vd%d", i);
        json_array_append_new(disks, json_pack("{s:s}", "target", target));
    }
    g_autoptr(FerryJson) many = spoil("disks", disks);
    g_autoptr(FerryInstance) with_many = read_back(many);
    g_assert_cmpuint(with_many->disks->len, ==, 256);
    for (int i = 256; i < 300; i++)
        json_array_append_new(disks, json_pack("{s:s}", "target", "vdz"));
    assert_refused(many, "instance_info.disks");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/instance/there-and-back", test_there_and_back);
    g_test_add_func("/instance/names-of-the-protocol", test_names_of_the_protocol);
    g_test_add_func("/instance/minimal", test_minimal);
    g_test_add_func("/instance/hostile-fields", test_hostile_fields);
    g_test_add_func("/instance/not-an-object", test_not_an_object);
    g_test_add_func("/instance/limits", test_limits);
    return g_test_run();
}
