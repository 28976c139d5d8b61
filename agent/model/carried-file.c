#include "config.h"

#include "model/carried-file.h"

#include "ferry/json.h"
#include "model/digest-line.h"
#include "model/json-field.h"

#include <string.h>

#define MAX_TEXT_BYTES 4096
#define MAX_MODE 07777
#define MAX_BYTES (G_GUINT64_CONSTANT(1) << 62)

FerryCarriedFile *
ferry_carried_file_new(const char *kind, const char *path, const char *format, const char *pool)
{
    FerryCarriedFile *file = g_new0(FerryCarriedFile, 1);

    file->kind = g_strdup(kind);
    file->path = g_strdup(path);
    file->format = g_strdup(format);
    file->pool = g_strdup(pool);
    return file;
}

void
ferry_carried_file_free(FerryCarriedFile *file)
{
    if (!file)
        return;
    g_free(file->kind);
    g_free(file->path);
    g_free(file->format);
    g_free(file->pool);
    g_free(file->digest);
    g_free(file);
}

json_t *
ferry_carried_file_to_json(const FerryCarriedFile *file)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "kind", ferry_json_text(file->kind), "path",
        ferry_json_text(file->path), "format", ferry_json_text(file->format), "pool",
        ferry_json_text(file->pool), "file_bytes", (json_int_t)file->file_bytes, "data_bytes",
        (json_int_t)file->data_bytes, "digest", ferry_json_text(file->digest));

    if (file->mode != 0)
        json_object_set_new(object, "mode", json_integer(file->mode));
    if (file->owner.known)
        json_object_set_new(object, "owner", ferry_file_owner_to_json(&file->owner));
    if (file->folder_owner.known)
        json_object_set_new(object, "folder_owner", ferry_file_owner_to_json(&file->folder_owner));
    return object;
}

static bool
is_kind(const char *kind)
{
    static const char *const kinds[] = {FERRY_CARRIED_BASE, FERRY_CARRIED_MEDIUM,
                                        FERRY_CARRIED_SEED, FERRY_CARRIED_IMAGE, NULL};

    return kind && g_strv_contains(kinds, kind);
}

static bool
is_format(const char *format)
{
    return g_strcmp0(format, "raw") == 0 || g_strcmp0(format, "qcow2") == 0;
}

static bool
refuse(const FerryFieldScope *scope, const char *key, const char *expected, GError **error)
{
    return ferry_field_refuse(scope, key, json_object_get(scope->object, key), expected, error);
}

static bool
check(const FerryFieldScope *scope, const FerryCarriedFile *file, GError **error)
{
    if (!is_kind(file->kind))
        return refuse(scope, "kind", "base, medium, seed or image", error);
    if (!file->path || file->path[0] != '/')
        return refuse(scope, "path", "an absolute path", error);
    if (!is_format(file->format))
        return refuse(scope, "format", "raw or qcow2", error);
    if (!ferry_digest_line_is_valid(file->digest))
        return refuse(scope, "digest", "\"ferry1-sha256:\" and 64 hexadecimal digits", error);
    return true;
}

FerryCarriedFile *
ferry_carried_file_from_json(const json_t *object, GError **error)
{
    const FerryFieldScope scope = {object, "file"};
    g_autoptr(FerryCarriedFile) file = g_new0(FerryCarriedFile, 1);

    if (!ferry_field_check_object(&scope, error) ||
        !ferry_field_text(&scope, "kind", FERRY_FIELD_LINE, MAX_TEXT_BYTES, &file->kind, error) ||
        !ferry_field_text(&scope, "path", FERRY_FIELD_LINE, MAX_TEXT_BYTES, &file->path, error) ||
        !ferry_field_text(&scope, "format", FERRY_FIELD_LINE, MAX_TEXT_BYTES, &file->format,
                          error) ||
        !ferry_field_text(&scope, "pool", FERRY_FIELD_LINE, MAX_TEXT_BYTES, &file->pool, error) ||
        !ferry_field_uint64(&scope, "file_bytes", 0, MAX_BYTES, &file->file_bytes, error) ||
        !ferry_field_uint64(&scope, "data_bytes", 0, MAX_BYTES, &file->data_bytes, error) ||
        !ferry_field_text(&scope, "digest", FERRY_FIELD_LINE, MAX_TEXT_BYTES, &file->digest,
                          error) ||
        !ferry_field_uint(&scope, "mode", 0, MAX_MODE, &file->mode, error) ||
        !ferry_file_owner_from_json(&scope, "owner", &file->owner, error) ||
        !ferry_file_owner_from_json(&scope, "folder_owner", &file->folder_owner, error) ||
        !check(&scope, file, error))
        return NULL;
    return g_steal_pointer(&file);
}

/* --- of an instance --------------------------------------------------------------------------- */

static void
free_file(gpointer file)
{
    ferry_carried_file_free(file);
}

static bool
has_path(const GPtrArray *files, const char *path)
{
    for (guint i = 0; i < files->len; i++)
        if (g_strcmp0(((const FerryCarriedFile *)g_ptr_array_index(files, i))->path, path) == 0)
            return true;
    return false;
}

static FerryCarriedFile *
file_of_layer(const FerryLayer *layer)
{
    FerryCarriedFile *file =
        ferry_carried_file_new(FERRY_CARRIED_BASE, layer->path, layer->format, layer->pool);

    file->file_bytes = layer->file_bytes;
    file->data_bytes = layer->allocation_bytes;
    return file;
}

static FerryCarriedFile *
file_of_medium(const FerryDisk *disk)
{
    FerryCarriedFile *file =
        ferry_carried_file_new(FERRY_CARRIED_MEDIUM, disk->source, disk->format, disk->pool);

    file->file_bytes = disk->file_bytes;
    file->data_bytes = disk->allocation_bytes;
    return file;
}

static void
add_files_of_disk(GPtrArray *files, const FerryDisk *disk)
{
    for (guint i = disk->layers->len; i > 0; i--) {
        const FerryLayer *layer = g_ptr_array_index(disk->layers, i - 1);

        if (!has_path(files, layer->path))
            g_ptr_array_add(files, file_of_layer(layer));
    }
    if (disk->carry && disk->source && !has_path(files, disk->source))
        g_ptr_array_add(files, file_of_medium(disk));
}

static bool
has_image(const FerryInstance *instance, const char *path)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate && g_strcmp0(disk->source, path) == 0)
            return true;
    }
    return g_strcmp0(instance->nvram, path) == 0;
}

static bool
has_seeded(const FerryInstance *instance, const char *path)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->seeded && g_strcmp0(disk->source, path) == 0)
            return true;
    }
    return false;
}

bool
ferry_carried_file_is_of(const FerryCarriedFile *file, const FerryInstance *instance)
{
    if (strcmp(file->kind, FERRY_CARRIED_IMAGE) == 0)
        return ferry_instance_is_shut_off(instance) && has_image(instance, file->path);
    if (strcmp(file->kind, FERRY_CARRIED_SEED) == 0)
        return has_seeded(instance, file->path);

    g_autoptr(GPtrArray) files = ferry_carried_files_of(instance);

    for (guint i = 0; i < files->len; i++) {
        const FerryCarriedFile *known = g_ptr_array_index(files, i);

        if (strcmp(known->kind, file->kind) == 0 && g_strcmp0(known->path, file->path) == 0)
            return true;
    }
    return false;
}

GPtrArray *
ferry_carried_files_of(const FerryInstance *instance)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(free_file);

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate || disk->carry)
            add_files_of_disk(files, disk);
    }
    for (guint i = 0; i < instance->persistent_disks->len; i++)
        add_files_of_disk(files, g_ptr_array_index(instance->persistent_disks, i));
    return files;
}
