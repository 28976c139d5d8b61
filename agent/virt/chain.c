#include "config.h"

#include "virt/chain.h"

#include "model/chain.h"
#include "model/paths.h"
#include "virt/auto.h"
#include "virt/volume.h"

static void
look_at_layer(virConnectPtr connection, const FerryDisk *disk, FerryLayer *layer)
{
    g_autoptr(GError) error = NULL;
    g_auto(FerryImage) image = {0};

    if (g_strcmp0(layer->type, "file") != 0)
        return;
    if (!ferry_virt_image_info(connection, layer->path, layer->format, &image, &error)) {
        g_debug("Backing file of disk '%s' cannot be looked at: %s", disk->target, error->message);
        return;
    }
    layer->capacity_bytes = image.capacity_bytes;
    layer->allocation_bytes = image.allocation_bytes;
    layer->file_bytes = image.file_bytes;
    layer->qcow2 = image.qcow2;
    layer->pool = g_steal_pointer(&image.pool);
}

void
ferry_virt_chain_describe(virConnectPtr connection, FerryDisk *disk)
{
    for (guint i = 0; i < disk->layers->len && i < FERRY_CHAIN_MAX_DEPTH; i++)
        look_at_layer(connection, disk, g_ptr_array_index(disk->layers, i));
}

/* --- by the headers --------------------------------------------------------------------------- */

/* Returns: (nullable): what the header of the image at @path names, where that may be followed. */
static FerryLayer *
next_layer(const char *path, const FerryQcow2 *qcow2, const char *const *allowed)
{
    if (!qcow2->known || !qcow2->has_backing_file || qcow2->backing_format[0] == '\0')
        return NULL;

    g_autofree char *named = ferry_chain_resolve(path, qcow2->backing_name);

    if (!named || !ferry_path_check(named, allowed, NULL, NULL))
        return NULL;

    FerryLayer *layer = ferry_layer_new();

    layer->type = g_strdup("file");
    layer->path = g_steal_pointer(&named);
    layer->format = g_strdup(qcow2->backing_format);
    return layer;
}

/* Returns: false when @layer closes a loop. */
static bool
add_layer(FerryDisk *disk, FerryLayer *layer)
{
    bool known = g_strcmp0(disk->source, layer->path) == 0;

    for (guint i = 0; i < disk->layers->len; i++)
        known |=
            g_strcmp0(((FerryLayer *)g_ptr_array_index(disk->layers, i))->path, layer->path) == 0;
    g_ptr_array_add(disk->layers, layer);
    return !known;
}

static void
list_chain(FerryDisk *disk)
{
    g_autoptr(GStrvBuilder) chain = g_strv_builder_new();

    for (guint i = 0; i < disk->layers->len; i++)
        g_strv_builder_add(chain, ((FerryLayer *)g_ptr_array_index(disk->layers, i))->path);
    g_strfreev(disk->backing_chain);
    disk->backing_chain = g_strv_builder_end(chain);
}

static void
follow_disk(virConnectPtr connection, FerryDisk *disk, const char *const *allowed)
{
    FerryLayer *layer = next_layer(disk->source, &disk->qcow2, allowed);

    while (layer) {
        look_at_layer(connection, disk, layer);
        /* One more than may be is enough to know that the chain is too long. */
        if (!add_layer(disk, layer) || disk->layers->len > FERRY_CHAIN_MAX_DEPTH)
            break;
        layer = next_layer(layer->path, &layer->qcow2, allowed);
    }
    list_chain(disk);
}

void
ferry_virt_chain_follow(virConnectPtr connection,
                        FerryInstance *instance,
                        const char *const *allowed)
{
    if (!ferry_instance_is_shut_off(instance))
        return;
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->source && !disk->chain_told)
            follow_disk(connection, disk, allowed);
    }
}

bool
ferry_virt_chain_has(virConnectPtr connection, const FerryDisk *disk, const char *path)
{
    g_autofree char *at = g_strdup(disk->source);
    g_autofree char *format = g_strdup(disk->format);

    for (guint depth = 0; depth < FERRY_CHAIN_MAX_DEPTH && g_strcmp0(format, "qcow2") == 0;
         depth++) {
        g_auto(FerryImage) image = {0};
        g_autofree char *named = NULL;
        g_autoptr(virStorageVol) volume = NULL;

        /* libvirt would look through the whole pool for a file that is missing. */
        if (ferry_path_presence(at) == FERRY_PATH_ABSENT ||
            !ferry_virt_image_info(connection, at, format, &image, NULL) ||
            !image.qcow2.has_backing_file)
            return false;
        named = ferry_chain_resolve(at, image.qcow2.backing_name);
        if (ferry_path_is_same(named, path))
            return true;
        volume = named ? ferry_virt_volume_find(connection, named, NULL) : NULL;
        if (!volume)
            return false;
        g_free(at);
        at = g_steal_pointer(&named);
        g_free(format);
        format = g_strdup(image.qcow2.backing_format);
    }
    return false;
}
