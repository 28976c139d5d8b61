#include "config.h"

#include "model/carried-file.h"
#include "model/chain.h"

#include <string.h>

#define GIB (G_GUINT64_CONSTANT(1) << 30)

static FerryQcow2
header(const char *backing_name, const char *backing_format)
{
    FerryQcow2 qcow2 = {.known = true,
                        .version = 3,
                        .virtual_size_bytes = GIB,
                        .cluster_size_bytes = 65536,
                        .refcount_bits = 16,
                        .has_backing_file = backing_name != NULL,
                        .tables_end_bytes = 262144};

    g_strlcpy(qcow2.backing_name, backing_name ? backing_name : "", sizeof qcow2.backing_name);
    g_strlcpy(qcow2.backing_format, backing_format ? backing_format : "",
              sizeof qcow2.backing_format);
    return qcow2;
}

static FerryLayer *
add_layer(FerryDisk *disk, const char *path, const char *format, FerryQcow2 qcow2)
{
    FerryLayer *layer = ferry_layer_new();

    layer->type = g_strdup("file");
    layer->path = g_strdup(path);
    layer->format = g_strdup(format);
    layer->capacity_bytes = GIB;
    layer->file_bytes = GIB / 4;
    layer->allocation_bytes = GIB / 8;
    layer->qcow2 = qcow2;
    g_ptr_array_add(disk->layers, layer);
    return layer;
}

static FerryDisk *
new_disk(const char *backing_name)
{
    FerryDisk *disk = ferry_disk_new();

    disk->target = g_strdup("vda");
    disk->type = g_strdup("file");
    disk->device = g_strdup("disk");
    disk->source = g_strdup("/images/top.qcow2");
    disk->format = g_strdup("qcow2");
    disk->qcow2 = header(backing_name, "qcow2");
    disk->migrate = true;
    return disk;
}

/* top -> base/middle.qcow2 -> ../low.raw, all named relatively. */
static FerryDisk *
new_chain(void)
{
    FerryDisk *disk = new_disk("base/middle.qcow2");

    add_layer(disk, "/images/base/middle.qcow2", "qcow2", header("../low.raw", "raw"));
    add_layer(disk, "/images/low.raw", "raw", (FerryQcow2){0});
    return disk;
}

static FerryLayer *
layer_at(FerryDisk *disk, guint index)
{
    return g_ptr_array_index(disk->layers, index);
}

static void
assert_sound(const FerryDisk *disk)
{
    g_autofree char *fault = ferry_chain_fault(disk);

    g_assert_cmpstr(fault, ==, NULL);
}

static void
assert_fault(const FerryDisk *disk, const char *words)
{
    g_autofree char *fault = ferry_chain_fault(disk);

    g_assert_nonnull(fault);
    if (!strstr(fault, words))
        g_error("'%s' does not say '%s'", fault, words);
}

static void
set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

static void
test_sound_chains(void)
{
    g_autoptr(FerryDisk) plain = new_disk(NULL);
    g_autoptr(FerryDisk) chain = new_chain();
    g_autoptr(FerryDisk) absolute = new_disk("/images//x/../low.raw");
    g_autoptr(FerryDisk) empty = ferry_disk_new();

    add_layer(absolute, "/images/low.raw", "raw", (FerryQcow2){0});
    g_strlcpy(absolute->qcow2.backing_format, "", sizeof absolute->qcow2.backing_format);
    assert_sound(plain);
    assert_sound(chain);
    assert_sound(absolute);
    assert_sound(empty);
}

static void
test_names_that_lie(void)
{
    static const struct {
        const char *name;
        const char *words;
    } names[] = {
        {"json:{\"driver\":\"raw\"}", "named by a URL"},
        {"nbd://host/disk", "named by a URL"},
        {"file:/images/base/middle.qcow2", "named by a URL"},
        {"http://host/a", "named by a URL"},
        {"", "named by a URL or not at all"},
        {"/etc/shadow", "lies about its backing file"},
        {"middle.qcow2", "lies about its backing file"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(FerryDisk) disk = new_chain();

        disk->qcow2 = header(names[i].name, "qcow2");
        assert_fault(disk, names[i].words);
    }
}

static void
test_headers_that_lie(void)
{
    g_autoptr(FerryDisk) format = new_chain();
    g_autoptr(FerryDisk) size = new_chain();
    g_autoptr(FerryDisk) unread = new_chain();
    g_autoptr(FerryDisk) gone = new_chain();
    g_autoptr(FerryDisk) encrypted = new_chain();

    format->qcow2 = header("base/middle.qcow2", "raw");
    assert_fault(format, "calls it raw");
    layer_at(size, 0)->qcow2.tables_end_bytes = GIB;
    assert_fault(size, "lies about its size");
    layer_at(unread, 0)->qcow2.known = false;
    assert_fault(unread, "header cannot be read");
    layer_at(gone, 1)->file_bytes = 0;
    assert_fault(gone, "cannot be looked at");
    layer_at(encrypted, 0)->qcow2.encrypted = true;
    assert_fault(encrypted, "encrypted");
}

static void
test_wrong_length(void)
{
    g_autoptr(FerryDisk) hidden = new_disk("low.raw");
    g_autoptr(FerryDisk) hidden_below = new_chain();
    g_autoptr(FerryDisk) too_much = new_disk(NULL);
    g_autoptr(FerryDisk) below_raw = new_chain();

    assert_fault(hidden, "names one more");
    g_ptr_array_remove_index(hidden_below->layers, 1);
    assert_fault(hidden_below, "names one more");
    add_layer(too_much, "/images/low.raw", "raw", (FerryQcow2){0});
    assert_fault(too_much, "names no backing file");
    add_layer(below_raw, "/images/lower.raw", "raw", (FerryQcow2){0});
    assert_fault(below_raw, "names no backing file");
}

static void
test_loop(void)
{
    g_autoptr(FerryDisk) own = new_disk("top.qcow2");
    g_autoptr(FerryDisk) lower = new_disk("a.qcow2");

    add_layer(own, "/images/top.qcow2", "qcow2", header("top.qcow2", "qcow2"));
    assert_fault(own, "loops at /images/top.qcow2");
    add_layer(lower, "/images/a.qcow2", "qcow2", header("b.qcow2", "qcow2"));
    add_layer(lower, "/images/b.qcow2", "qcow2", header("a.qcow2", "qcow2"));
    add_layer(lower, "/images//a.qcow2", "qcow2", header(NULL, NULL));
    assert_fault(lower, "loops at /images/a.qcow2");
}

static void
test_depth(void)
{
    g_autoptr(FerryDisk) disk = new_disk("0.qcow2");

    for (guint i = 0; i <= FERRY_CHAIN_MAX_DEPTH; i++) {
        bool last = i == FERRY_CHAIN_MAX_DEPTH - 1;
        g_autofree char *path = g_strdup_printf("/images/%u.qcow2", i);
        g_autofree char *next = g_strdup_printf("%u.qcow2", i + 1);

        add_layer(disk, path, "qcow2", header(last ? NULL : next, last ? NULL : "qcow2"));
        if (last)
            assert_sound(disk);
    }
    assert_fault(disk, "17 backing files");
}

static void
test_wrong_kinds(void)
{
    g_autoptr(FerryDisk) network = new_chain();
    g_autoptr(FerryDisk) vmdk = new_chain();
    g_autoptr(FerryDisk) relative = new_chain();

    set_text(&layer_at(network, 1)->type, "network");
    assert_fault(network, "of type network");
    set_text(&layer_at(vmdk, 1)->format, "vmdk");
    assert_fault(vmdk, "of format vmdk");
    set_text(&layer_at(relative, 1)->path, "low.raw");
    assert_fault(relative, "without an absolute path");
}

static const FerryCarriedFile *
file_at(GPtrArray *files, guint index)
{
    g_assert_cmpuint(index, <, files->len);
    return g_ptr_array_index(files, index);
}

static void
test_files_deepest_first_and_once(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    FerryDisk *medium = new_disk(NULL);
    FerryDisk *blocked = new_chain();

    set_text(&medium->source, "/images/a.iso");
    medium->migrate = false;
    medium->carry = true;
    medium->file_bytes = 77;
    blocked->migrate = false;
    set_text(&layer_at(blocked, 0)->path, "/images/other.qcow2");
    g_ptr_array_add(instance->disks, new_chain());
    g_ptr_array_add(instance->disks, medium);
    g_ptr_array_add(instance->disks, new_chain());
    g_ptr_array_add(instance->disks, blocked);

    g_autoptr(GPtrArray) files = ferry_carried_files_of(instance);

    g_assert_cmpuint(files->len, ==, 3);
    g_assert_cmpstr(file_at(files, 0)->path, ==, "/images/low.raw");
    g_assert_cmpstr(file_at(files, 0)->kind, ==, "base");
    g_assert_cmpstr(file_at(files, 1)->path, ==, "/images/base/middle.qcow2");
    g_assert_cmpstr(file_at(files, 1)->format, ==, "qcow2");
    g_assert_cmpuint(file_at(files, 1)->file_bytes, ==, GIB / 4);
    g_assert_cmpuint(file_at(files, 1)->data_bytes, ==, GIB / 8);
    g_assert_cmpstr(file_at(files, 2)->path, ==, "/images/a.iso");
    g_assert_cmpstr(file_at(files, 2)->kind, ==, "medium");
    g_assert_cmpuint(file_at(files, 2)->file_bytes, ==, 77);
}

/* What the guest writes to becomes a plain disk that takes what all layers took; media do not. */
static void
test_flattened(void)
{
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    const char *const chain[] = {"/images/base/middle.qcow2", "/images/low.raw", NULL};
    FerryDisk *disk = new_chain();
    FerryDisk *medium = new_chain();

    disk->capacity_bytes = 10 * GIB;
    disk->allocation_bytes = GIB;
    disk->backing_chain = (g_strfreev(disk->backing_chain), g_strdupv((char **)chain));
    medium->migrate = false;
    medium->carry = true;
    medium->readonly = true;
    g_ptr_array_add(instance->disks, disk);
    g_ptr_array_add(instance->disks, medium);
    g_assert_false(ferry_chain_is_flattened(instance));
    ferry_chain_flatten(instance);
    g_assert_true(ferry_chain_is_flattened(instance));
    g_assert_cmpuint(disk->layers->len, ==, 0);
    g_assert_cmpuint(disk->allocation_bytes, ==, GIB + GIB / 4);
    g_assert_cmpuint(g_strv_length(disk->backing_chain), ==, 2);
    g_assert_cmpuint(medium->layers->len, ==, 2);
    assert_sound(disk);
    ferry_chain_flatten(instance);
    g_assert_cmpuint(disk->allocation_bytes, ==, GIB + GIB / 4);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chain/sound", test_sound_chains);
    g_test_add_func("/chain/names-that-lie", test_names_that_lie);
    g_test_add_func("/chain/headers-that-lie", test_headers_that_lie);
    g_test_add_func("/chain/wrong-length", test_wrong_length);
    g_test_add_func("/chain/loop", test_loop);
    g_test_add_func("/chain/depth", test_depth);
    g_test_add_func("/chain/wrong-kinds", test_wrong_kinds);
    g_test_add_func("/chain/flattened", test_flattened);
    g_test_add_func("/chain/files", test_files_deepest_first_and_once);
    return g_test_run();
}
