#include "config.h"

#include "model/instance.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/json-field.h"

#include <string.h>

#define MAX_TEXT_BYTES (64 * 1024)
#define MAX_LINE_BYTES 4096 /* names and paths; longer ones are none */
#define MAX_DOCUMENT_BYTES (1024 * 1024)
#define MAX_TARGET_BYTES 31
#define MAX_DISKS 256
#define MAX_INTERFACES 256
#define MAX_BACKING_FILES 256
#define MAX_ADDRESSES 64
#define MAX_ADDRESS_BYTES 64
#define MAX_VCPUS 65535
#define MAX_BYTES (G_GUINT64_CONSTANT(1) << 62)

static json_t *
image_to_json(const FerryQcow2 *qcow2)
{
    if (!qcow2->known)
        return json_null();
    return json_pack(
        "{s:i, s:I, s:I, s:i, s:i, s:b, s:o, s:o, s:I, s:b, s:b, s:b, s:b, s:b}", "version",
        (int)qcow2->version, "virtual_size_bytes", (json_int_t)qcow2->virtual_size_bytes,
        "cluster_size_bytes", (json_int_t)qcow2->cluster_size_bytes, "refcount_bits",
        (int)qcow2->refcount_bits, "nb_snapshots", (int)qcow2->nb_snapshots, "has_backing_file",
        qcow2->has_backing_file, "backing_name", ferry_json_text(qcow2->backing_name),
        "backing_format", ferry_json_text(qcow2->backing_format), "tables_end_bytes",
        (json_int_t)qcow2->tables_end_bytes, "encrypted", qcow2->encrypted, "data_file",
        qcow2->data_file, "extended_l2", qcow2->extended_l2, "lazy_refcounts",
        qcow2->lazy_refcounts, "zstd", qcow2->zstd);
}

static json_t *
texts_to_json(char *const *texts)
{
    json_t *list = json_array();
    for (gsize i = 0; texts && texts[i]; i++)
        json_array_append_new(list, ferry_json_text(texts[i]));
    return list;
}

static json_t *
layers_to_json(const GPtrArray *layers)
{
    json_t *list = json_array();
    for (guint i = 0; i < layers->len; i++) {
        const FerryLayer *layer = g_ptr_array_index(layers, i);
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o}", "type",
                      ferry_json_text(layer->type), "path", ferry_json_text(layer->path), "format",
                      ferry_json_text(layer->format), "pool", ferry_json_text(layer->pool),
                      "capacity_bytes", (json_int_t)layer->capacity_bytes, "allocation_bytes",
                      (json_int_t)layer->allocation_bytes, "file_bytes",
                      (json_int_t)layer->file_bytes, "image", image_to_json(&layer->qcow2)));
    }
    return list;
}

static json_t *
disk_to_json(const FerryDisk *disk)
{
    json_t *object = json_object();
    json_object_set_new(object, "target", ferry_json_text(disk->target));
    json_object_set_new(object, "bus", ferry_json_text(disk->bus));
    json_object_set_new(object, "device", ferry_json_text(disk->device));
    json_object_set_new(object, "type", ferry_json_text(disk->type));
    json_object_set_new(object, "source", ferry_json_text(disk->source));
    json_object_set_new(object, "format", ferry_json_text(disk->format));
    json_object_set_new(object, "pool", ferry_json_text(disk->pool));
    json_object_set_new(object, "volume_pool", ferry_json_text(disk->volume_pool));
    json_object_set_new(object, "volume_name", ferry_json_text(disk->volume_name));
    json_object_set_new(object, "owner", ferry_file_owner_to_json(&disk->owner));
    json_object_set_new(object, "folder_owner", ferry_file_owner_to_json(&disk->folder_owner));
    json_object_set_new(object, "readonly", json_boolean(disk->readonly));
    json_object_set_new(object, "shareable", json_boolean(disk->shareable));
    json_object_set_new(object, "transient", json_boolean(disk->transient));
    json_object_set_new(object, "startup_policy", ferry_json_text(disk->startup_policy));
    json_object_set_new(object, "encrypted", json_boolean(disk->encrypted));
    json_object_set_new(object, "secret_uuid", ferry_json_text(disk->secret_uuid));
    json_object_set_new(object, "capacity_bytes", json_integer((json_int_t)disk->capacity_bytes));
    json_object_set_new(object, "allocation_bytes",
                        json_integer((json_int_t)disk->allocation_bytes));
    json_object_set_new(object, "file_bytes", json_integer((json_int_t)disk->file_bytes));
    json_object_set_new(object, "backing_chain", texts_to_json(disk->backing_chain));
    json_object_set_new(object, "layers", layers_to_json(disk->layers));
    json_object_set_new(object, "image", image_to_json(&disk->qcow2));
    json_object_set_new(object, "attached", json_boolean(disk->attached));
    json_object_set_new(object, "migrate", json_boolean(disk->migrate));
    json_object_set_new(object, "carry", json_boolean(disk->carry));
    json_object_set_new(object, "why", ferry_json_text(disk->why));
    json_object_set_new(object, "seeded", json_boolean(disk->seeded));
    json_object_set_new(object, "seed_wanted", json_boolean(disk->seed_wanted));
    json_object_set_new(object, "may_seed", json_boolean(disk->may_seed));
    json_object_set_new(object, "strategy_why", ferry_json_text(disk->strategy_why));
    return object;
}

static json_t *
interface_to_json(const FerryInterface *interface)
{
    json_t *object = json_object();
    json_object_set_new(object, "type", ferry_json_text(interface->type));
    json_object_set_new(object, "mac", ferry_json_text(interface->mac));
    json_object_set_new(object, "source", ferry_json_text(interface->source));
    json_object_set_new(object, "model", ferry_json_text(interface->model));
    json_object_set_new(object, "target", ferry_json_text(interface->target));
    return object;
}

static json_t *
disks_to_json(const GPtrArray *disks)
{
    json_t *list = json_array();
    for (guint i = 0; i < disks->len; i++)
        json_array_append_new(list, disk_to_json(g_ptr_array_index(disks, i)));
    return list;
}

json_t *
ferry_instance_to_json(const FerryInstance *instance)
{
    json_t *interfaces = json_array();
    for (guint i = 0; i < instance->interfaces->len; i++)
        json_array_append_new(interfaces,
                              interface_to_json(g_ptr_array_index(instance->interfaces, i)));

    json_t *object = json_object();
    json_object_set_new(object, "name", ferry_json_text(instance->name));
    json_object_set_new(object, "uuid", ferry_json_text(instance->uuid));
    json_object_set_new(object, "state", ferry_json_text(instance->state));
    json_object_set_new(object, "state_reason", ferry_json_text(instance->state_reason));
    json_object_set_new(object, "persistent", json_boolean(instance->persistent));
    if (instance->autostart_told)
        json_object_set_new(object, "autostart", json_boolean(instance->autostart));
    json_object_set_new(object, "libvirt_version", ferry_json_text(instance->libvirt_version));
    json_object_set_new(object, "qemu_version", ferry_json_text(instance->qemu_version));
    json_object_set_new(object, "virt_type", ferry_json_text(instance->virt_type));
    json_object_set_new(object, "arch", ferry_json_text(instance->arch));
    json_object_set_new(object, "machine", ferry_json_text(instance->machine));
    json_object_set_new(object, "emulator", ferry_json_text(instance->emulator));
    json_object_set_new(object, "cpu_xml", ferry_json_text(instance->cpu_xml));
    json_object_set_new(object, "loader", ferry_json_text(instance->loader));
    json_object_set_new(object, "loader_digest", ferry_json_text(instance->loader_digest));
    json_object_set_new(object, "nvram", ferry_json_text(instance->nvram));
    json_object_set_new(object, "tpm", json_boolean(instance->tpm));
    json_object_set_new(object, "vcpus", json_integer(instance->vcpus));
    json_object_set_new(object, "memory_bytes", json_integer((json_int_t)instance->memory_bytes));
    json_object_set_new(object, "disks", disks_to_json(instance->disks));
    json_object_set_new(object, "interfaces", interfaces);
    json_object_set_new(object, "domain_xml", ferry_json_text(instance->domain_xml));
    json_object_set_new(object, "own_addresses", texts_to_json(instance->own_addresses));
    json_object_set_new(object, "persistent_xml", ferry_json_text(instance->persistent_xml));
    json_object_set_new(object, "persistent_disks", disks_to_json(instance->persistent_disks));
    return object;
}

static bool
read_line(const FerryFieldScope *scope, const char *key, char **value, GError **error)
{
    return ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_LINE_BYTES, value, error);
}

static bool
read_bytes(const FerryFieldScope *scope, const char *key, guint64 *value, GError **error)
{
    return ferry_field_uint64(scope, key, 0, MAX_BYTES, value, error);
}

static bool
refuse_value(const FerryFieldScope *scope, const char *key, const char *expected, GError **error)
{
    return ferry_field_refuse(scope, key, json_object_get(scope->object, key), expected, error);
}

static bool
is_power_of_two(guint64 value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static bool
read_chars(const FerryFieldScope *scope, const char *key, char *chars, gsize size, GError **error)
{
    g_autofree char *text = NULL;
    if (!ferry_field_text(scope, key, FERRY_FIELD_LINE, size - 1, &text, error))
        return false;
    g_strlcpy(chars, text ? text : "", size);
    return true;
}

static bool
read_image(const json_t *object, const char *path, FerryQcow2 *image, GError **error)
{
    const FerryFieldScope scope = {object, path};
    FerryQcow2 read = {.known = true, .refcount_bits = 16};
    if (!ferry_field_check_object(&scope, error) ||
        !ferry_field_uint(&scope, "version", 2, 3, &read.version, error) ||
        !read_bytes(&scope, "virtual_size_bytes", &read.virtual_size_bytes, error) ||
        !ferry_field_uint64(&scope, "cluster_size_bytes", 512, 2 * 1024 * 1024,
                            &read.cluster_size_bytes, error) ||
        !ferry_field_uint(&scope, "refcount_bits", 1, 64, &read.refcount_bits, error) ||
        !ferry_field_uint(&scope, "nb_snapshots", 0, 65536, &read.nb_snapshots, error) ||
        !ferry_field_bool(&scope, "has_backing_file", &read.has_backing_file, error) ||
        !read_chars(&scope, "backing_name", read.backing_name, sizeof read.backing_name, error) ||
        !read_chars(&scope, "backing_format", read.backing_format, sizeof read.backing_format,
                    error) ||
        !read_bytes(&scope, "tables_end_bytes", &read.tables_end_bytes, error) ||
        !ferry_field_bool(&scope, "encrypted", &read.encrypted, error) ||
        !ferry_field_bool(&scope, "data_file", &read.data_file, error) ||
        !ferry_field_bool(&scope, "extended_l2", &read.extended_l2, error) ||
        !ferry_field_bool(&scope, "lazy_refcounts", &read.lazy_refcounts, error) ||
        !ferry_field_bool(&scope, "zstd", &read.zstd, error))
        return false;
    if (read.version == 0)
        return refuse_value(&scope, "version", "2 or 3", error);
    if (!is_power_of_two(read.cluster_size_bytes))
        return refuse_value(&scope, "cluster_size_bytes", "a power of two", error);
    if (!is_power_of_two(read.refcount_bits))
        return refuse_value(&scope, "refcount_bits", "a power of two", error);
    *image = read;
    return true;
}

/* What libvirt takes for a target, and what is safe in a message, a file name and a URL. */
static bool
is_target(const char *text)
{
    if (!text || *text == '\0' || strlen(text) > MAX_TARGET_BYTES)
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (!g_ascii_isalnum(*at) && *at != '_' && *at != '-' && *at != ':')
            return false;
    }
    return true;
}

static bool
read_image_of(const FerryFieldScope *scope, FerryQcow2 *image, GError **error)
{
    const json_t *object = json_object_get(scope->object, "image");
    g_autofree char *path = g_strdup_printf("%s.image", scope->path);
    return !object || json_is_null(object) || read_image(object, path, image, error);
}

static FerryLayer *
read_layer(const json_t *object, const char *path, GError **error)
{
    const FerryFieldScope scope = {object, path};
    g_autoptr(FerryLayer) layer = ferry_layer_new();
    layer->type = g_strdup("file");
    layer->format = g_strdup("raw");
    if (!ferry_field_check_object(&scope, error) ||
        !read_line(&scope, "type", &layer->type, error) ||
        !read_line(&scope, "path", &layer->path, error) ||
        !read_line(&scope, "format", &layer->format, error) ||
        !read_line(&scope, "pool", &layer->pool, error) ||
        !read_bytes(&scope, "capacity_bytes", &layer->capacity_bytes, error) ||
        !read_bytes(&scope, "allocation_bytes", &layer->allocation_bytes, error) ||
        !read_bytes(&scope, "file_bytes", &layer->file_bytes, error) ||
        !read_image_of(&scope, &layer->qcow2, error))
        return NULL;
    if (!layer->path) {
        (void)refuse_value(&scope, "path", "a path", error);
        return NULL;
    }
    return g_steal_pointer(&layer);
}

static bool
read_layers(const FerryFieldScope *scope, FerryDisk *disk, GError **error)
{
    const json_t *list = NULL;
    if (!ferry_field_list(scope, "layers", MAX_BACKING_FILES, &list, error))
        return false;
    for (gsize i = 0; i < json_array_size(list); i++) {
        g_autofree char *path = g_strdup_printf("%s.layers[%zu]", scope->path, i);
        FerryLayer *layer = read_layer(json_array_get(list, i), path, error);
        if (!layer)
            return false;
        g_ptr_array_add(disk->layers, layer);
    }
    return true;
}

static FerryDisk *
read_disk(const json_t *object, const char *path, GError **error)
{
    const FerryFieldScope scope = {object, path};
    g_autoptr(FerryDisk) disk = ferry_disk_new();
    disk->device = g_strdup("disk");
    disk->type = g_strdup("file");
    disk->format = g_strdup("raw");
    if (!ferry_field_check_object(&scope, error) ||
        !read_line(&scope, "target", &disk->target, error) ||
        !read_line(&scope, "bus", &disk->bus, error) ||
        !read_line(&scope, "device", &disk->device, error) ||
        !read_line(&scope, "type", &disk->type, error) ||
        !read_line(&scope, "source", &disk->source, error) ||
        !read_line(&scope, "format", &disk->format, error) ||
        !read_line(&scope, "pool", &disk->pool, error) ||
        !read_line(&scope, "volume_pool", &disk->volume_pool, error) ||
        !read_line(&scope, "volume_name", &disk->volume_name, error) ||
        !ferry_file_owner_from_json(&scope, "owner", &disk->owner, error) ||
        !ferry_file_owner_from_json(&scope, "folder_owner", &disk->folder_owner, error) ||
        !ferry_field_bool(&scope, "readonly", &disk->readonly, error) ||
        !ferry_field_bool(&scope, "shareable", &disk->shareable, error) ||
        !ferry_field_bool(&scope, "transient", &disk->transient, error) ||
        !read_line(&scope, "startup_policy", &disk->startup_policy, error) ||
        !ferry_field_bool(&scope, "encrypted", &disk->encrypted, error) ||
        !read_line(&scope, "secret_uuid", &disk->secret_uuid, error) ||
        !read_bytes(&scope, "capacity_bytes", &disk->capacity_bytes, error) ||
        !read_bytes(&scope, "allocation_bytes", &disk->allocation_bytes, error) ||
        !ferry_field_texts(&scope, "backing_chain", MAX_BACKING_FILES, MAX_LINE_BYTES,
                           &disk->backing_chain, error) ||
        !read_bytes(&scope, "file_bytes", &disk->file_bytes, error) ||
        !read_layers(&scope, disk, error) ||
        !ferry_field_bool(&scope, "attached", &disk->attached, error) ||
        !ferry_field_bool(&scope, "migrate", &disk->migrate, error) ||
        !ferry_field_bool(&scope, "carry", &disk->carry, error) ||
        !read_line(&scope, "why", &disk->why, error) ||
        !ferry_field_bool(&scope, "seeded", &disk->seeded, error) ||
        !ferry_field_bool(&scope, "seed_wanted", &disk->seed_wanted, error) ||
        !ferry_field_bool(&scope, "may_seed", &disk->may_seed, error) ||
        !read_line(&scope, "strategy_why", &disk->strategy_why, error))
        return NULL;
    if (!is_target(disk->target)) {
        (void)refuse_value(&scope, "target", "a disk's target such as \"vda\"", error);
        return NULL;
    }
    /* An empty drive has nothing to bring along. */
    if (!disk->source && (disk->migrate || disk->carry)) {
        (void)refuse_value(&scope, "source", "the path of a disk that moves", error);
        return NULL;
    }
    if (disk->secret_uuid && !g_uuid_string_is_valid(disk->secret_uuid)) {
        (void)refuse_value(&scope, "secret_uuid", "a UUID", error);
        return NULL;
    }
    if (!read_image_of(&scope, &disk->qcow2, error))
        return NULL;
    return g_steal_pointer(&disk);
}

static bool
read_disks(const FerryFieldScope *scope, const char *key, GPtrArray *disks, GError **error)
{
    const json_t *list = NULL;
    if (!ferry_field_list(scope, key, MAX_DISKS, &list, error))
        return false;
    for (gsize i = 0; i < json_array_size(list); i++) {
        g_autofree char *path = g_strdup_printf("%s.%s[%zu]", scope->path, key, i);
        const json_t *object = json_array_get(list, i);
        g_autoptr(FerryDisk) disk = read_disk(object, path, error);
        if (!disk)
            return false;
        if (ferry_disks_find(disks, disk->target)) {
            const FerryFieldScope disk_scope = {object, path};
            return refuse_value(&disk_scope, "target", "a target of its own", error);
        }
        g_ptr_array_add(disks, g_steal_pointer(&disk));
    }
    return true;
}

/* Only files that are carried as they are: no image is made for one of these. */
static bool
read_persistent_disks(const FerryFieldScope *scope, FerryInstance *instance, GError **error)
{
    if (!read_disks(scope, "persistent_disks", instance->persistent_disks, error))
        return false;
    for (guint i = 0; i < instance->persistent_disks->len; i++)
        if (((const FerryDisk *)g_ptr_array_index(instance->persistent_disks, i))->migrate)
            return refuse_value(scope, "persistent_disks", "media that are carried", error);
    return true;
}

static bool
read_interfaces(const FerryFieldScope *scope, FerryInstance *instance, GError **error)
{
    const json_t *list = NULL;
    if (!ferry_field_list(scope, "interfaces", MAX_INTERFACES, &list, error))
        return false;
    for (gsize i = 0; i < json_array_size(list); i++) {
        g_autofree char *path = g_strdup_printf("%s.interfaces[%zu]", scope->path, i);
        const FerryFieldScope item = {json_array_get(list, i), path};
        FerryInterface *interface = g_new0(FerryInterface, 1);
        g_ptr_array_add(instance->interfaces, interface);
        if (!ferry_field_check_object(&item, error) ||
            !read_line(&item, "type", &interface->type, error) ||
            !read_line(&item, "mac", &interface->mac, error) ||
            !read_line(&item, "source", &interface->source, error) ||
            !read_line(&item, "model", &interface->model, error) ||
            !read_line(&item, "target", &interface->target, error))
            return false;
    }
    return true;
}

static bool
read_scalars(const FerryFieldScope *scope, FerryInstance *instance, GError **error)
{
    instance->autostart_told = json_object_get(scope->object, "autostart") != NULL;
    return read_line(scope, "name", &instance->name, error) &&
           read_line(scope, "uuid", &instance->uuid, error) &&
           read_line(scope, "state", &instance->state, error) &&
           read_line(scope, "state_reason", &instance->state_reason, error) &&
           ferry_field_bool(scope, "persistent", &instance->persistent, error) &&
           ferry_field_bool(scope, "autostart", &instance->autostart, error) &&
           read_line(scope, "libvirt_version", &instance->libvirt_version, error) &&
           read_line(scope, "qemu_version", &instance->qemu_version, error) &&
           read_line(scope, "virt_type", &instance->virt_type, error) &&
           read_line(scope, "arch", &instance->arch, error) &&
           read_line(scope, "machine", &instance->machine, error) &&
           read_line(scope, "emulator", &instance->emulator, error) &&
           ferry_field_text(scope, "cpu_xml", FERRY_FIELD_LINES, MAX_TEXT_BYTES, &instance->cpu_xml,
                            error) &&
           read_line(scope, "loader", &instance->loader, error) &&
           read_line(scope, "loader_digest", &instance->loader_digest, error) &&
           read_line(scope, "nvram", &instance->nvram, error) &&
           ferry_field_bool(scope, "tpm", &instance->tpm, error) &&
           ferry_field_uint(scope, "vcpus", 0, MAX_VCPUS, &instance->vcpus, error) &&
           read_bytes(scope, "memory_bytes", &instance->memory_bytes, error) &&
           ferry_field_text(scope, "domain_xml", FERRY_FIELD_LINES, MAX_DOCUMENT_BYTES,
                            &instance->domain_xml, error) &&
           ferry_field_text(scope, "persistent_xml", FERRY_FIELD_LINES, MAX_DOCUMENT_BYTES,
                            &instance->persistent_xml, error) &&
           ferry_field_texts(scope, "own_addresses", MAX_ADDRESSES, MAX_ADDRESS_BYTES,
                             &instance->own_addresses, error);
}

bool
ferry_instance_is_name(const char *name)
{
    return name && *name != '\0' && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static bool
check_identity(const FerryFieldScope *scope, FerryInstance *instance, GError **error)
{
    if (!ferry_instance_is_name(instance->name))
        return refuse_value(scope, "name", "a domain's name", error);
    if (!instance->uuid || !g_uuid_string_is_valid(instance->uuid))
        return refuse_value(scope, "uuid", "a UUID with dashes", error);
    g_autofree char *uuid = g_steal_pointer(&instance->uuid);
    instance->uuid = g_ascii_strdown(uuid, -1);
    return true;
}

FerryInstance *
ferry_instance_from_json(const json_t *object, GError **error)
{
    const FerryFieldScope scope = {object, "instance_info"};
    g_autoptr(FerryInstance) instance = ferry_instance_new();
    if (!ferry_field_check_object(&scope, error) || !read_scalars(&scope, instance, error) ||
        !check_identity(&scope, instance, error))
        return NULL;
    if (!json_is_array(json_object_get(object, "disks"))) {
        (void)refuse_value(&scope, "disks", "a list", error);
        return NULL;
    }
    if (!read_disks(&scope, "disks", instance->disks, error) ||
        !read_persistent_disks(&scope, instance, error) ||
        !read_interfaces(&scope, instance, error))
        return NULL;
    return g_steal_pointer(&instance);
}
