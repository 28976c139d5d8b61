#include "config.h"

#include "model/chain.h"

#include <string.h>

/* One image of the chain, the top one included. */
typedef struct {
    const char *type;
    const char *path;
    const char *format;
    const FerryQcow2 *qcow2;
    guint64 file_bytes;
} Link;

static Link
link_at(const FerryDisk *disk, guint index)
{
    if (index == 0)
        return (Link){disk->type, disk->source, disk->format, &disk->qcow2, disk->file_bytes};

    const FerryLayer *layer = g_ptr_array_index(disk->layers, index - 1);

    return (Link){layer->type, layer->path, layer->format, &layer->qcow2, layer->file_bytes};
}

static bool
is_qcow2(const Link *link)
{
    return g_strcmp0(link->format, "qcow2") == 0;
}

/* As QEMU reads it: a colon before any slash ends a protocol's name. */
static bool
is_plain_name(const char *name)
{
    gsize length = strcspn(name, ":/");

    return name[0] != '\0' && name[length] != ':';
}

char *
ferry_chain_resolve(const char *path, const char *name)
{
    if (!is_plain_name(name))
        return NULL;

    g_autofree char *folder = g_path_get_dirname(path);

    return g_canonicalize_filename(name, folder);
}

static char *
find_wrong_kind(const Link *link)
{
    if (g_strcmp0(link->type, "file") != 0)
        return g_strdup_printf("has a backing image of type %s, %s; only files are carried",
                               link->type, link->path);
    if (!link->path || link->path[0] != '/')
        return g_strdup_printf("has a backing file without an absolute path, %s", link->path);
    if (!is_qcow2(link) && g_strcmp0(link->format, "raw") != 0)
        return g_strdup_printf("has a backing file of format %s, %s", link->format, link->path);
    return NULL;
}

static char *
find_wrong_header(const Link *link)
{
    const FerryQcow2 *qcow2 = link->qcow2;

    if (link->file_bytes == 0)
        return g_strdup_printf("has a backing file that cannot be looked at, %s", link->path);
    if (!is_qcow2(link))
        return NULL;
    if (!qcow2->known)
        return g_strdup_printf("has a backing file whose header cannot be read, %s", link->path);
    if (qcow2->tables_end_bytes > link->file_bytes)
        return g_strdup_printf(
            "has a backing file whose header lies about its size: %s has %" G_GUINT64_FORMAT
            " bytes, its tables end at %" G_GUINT64_FORMAT,
            link->path, link->file_bytes, qcow2->tables_end_bytes);
    if (qcow2->encrypted || qcow2->data_file)
        return g_strdup_printf("has a backing file that is encrypted or keeps its data elsewhere, "
                               "%s",
                               link->path);
    return NULL;
}

/* What @upper's header says of the image below it, against the XML's @lower (NULL: none). */
static char *
find_wrong_name(const Link *upper, const Link *lower)
{
    const FerryQcow2 *qcow2 = upper->qcow2;
    bool named = is_qcow2(upper) && qcow2->known && qcow2->has_backing_file;

    if (!lower)
        return named ? g_strdup_printf("has a chain that ends at %s, whose header names one more "
                                       "backing file: \"%.200s\" (%s)",
                                       upper->path, qcow2->backing_name,
                                       qcow2->backing_format[0] ? qcow2->backing_format
                                                                : "of no stated format")
                     : NULL;
    if (!named)
        return g_strdup_printf("has a chain that goes on below %s, whose header names no backing "
                               "file",
                               upper->path);

    g_autofree char *resolved = ferry_chain_resolve(upper->path, qcow2->backing_name);
    g_autofree char *expected = g_canonicalize_filename(lower->path, "/");

    if (!resolved)
        return g_strdup_printf("has an image whose backing file is named by a URL or not at all: "
                               "%s names \"%.200s\"",
                               upper->path, qcow2->backing_name);
    if (g_strcmp0(resolved, expected) != 0)
        return g_strdup_printf("has an image whose header lies about its backing file: %s names "
                               "\"%.200s\", in use is %s",
                               upper->path, qcow2->backing_name, lower->path);
    if (qcow2->backing_format[0] != '\0' && g_strcmp0(qcow2->backing_format, lower->format) != 0)
        return g_strdup_printf("has an image whose header lies about its backing file: %s calls it "
                               "%s, in use is %s",
                               upper->path, qcow2->backing_format, lower->format);
    return NULL;
}

static char *
find_loop(const FerryDisk *disk, guint index)
{
    g_autofree char *path = g_canonicalize_filename(link_at(disk, index).path, "/");

    for (guint i = 0; i < index; i++) {
        g_autofree char *upper = g_canonicalize_filename(link_at(disk, i).path, "/");

        if (g_strcmp0(path, upper) == 0)
            return g_strdup_printf("has a chain that loops at %s", path);
    }
    return NULL;
}

static char *
find_fault_at(const FerryDisk *disk, guint index)
{
    Link upper = link_at(disk, index - 1);
    Link link = link_at(disk, index);
    char *fault = find_wrong_kind(&link);

    if (!fault)
        fault = find_loop(disk, index);
    if (!fault)
        fault = find_wrong_header(&link);
    return fault ? fault : find_wrong_name(&upper, &link);
}

char *
ferry_chain_fault(const FerryDisk *disk)
{
    guint depth = disk->layers->len;
    char *fault = NULL;

    if (!disk->source)
        return NULL;
    if (depth > FERRY_CHAIN_MAX_DEPTH)
        return g_strdup_printf("has a chain of %u backing files; %d are the most", depth,
                               FERRY_CHAIN_MAX_DEPTH);
    for (guint i = 1; i <= depth && !fault; i++)
        fault = find_fault_at(disk, i);
    if (fault)
        return fault;

    Link last = link_at(disk, depth);

    return find_wrong_name(&last, NULL);
}

/* --- without the chain ------------------------------------------------------------------------ */

static bool
is_written_to(const FerryDisk *disk)
{
    return !disk->readonly && g_strcmp0(disk->device, "cdrom") != 0;
}

static void
flatten_disk(FerryDisk *disk)
{
    for (guint i = 0; i < disk->layers->len; i++) {
        const FerryLayer *layer = g_ptr_array_index(disk->layers, i);

        disk->allocation_bytes =
            MIN(disk->allocation_bytes + layer->allocation_bytes, disk->capacity_bytes);
    }
    g_ptr_array_set_size(disk->layers, 0);
    disk->qcow2.has_backing_file = false;
    disk->qcow2.backing_name[0] = '\0';
    disk->qcow2.backing_format[0] = '\0';
}

void
ferry_chain_flatten(FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (is_written_to(disk))
            flatten_disk(disk);
    }
}

bool
ferry_chain_is_flattened(const FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate && disk->layers->len == 0 && g_strv_length(disk->backing_chain) > 0)
            return true;
    }
    return false;
}
