#include "config.h"

#include "model/placement.h"

#include "ferry/json.h"
#include "model/block-volume.h"
#include "model/disk-plan.h"

#include <string.h>

/* What QEMU makes where nothing is said. */
static const FerryQcow2 fresh_qcow2 = {
    .known = true,
    .version = 3,
    .cluster_size_bytes = 65536,
    .refcount_bits = 16,
};

typedef struct {
    FerryInstance *instance;
    const FerryOrderOptions *options;
    FerryPoolFolderFunc folder_of;
    gpointer data;
} Placing;

G_GNUC_PRINTF(4, 5)
static void
block(const Placing *self, const char *name, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    ferry_instance_add_obstacle(self->instance, name, message, hint);
}

static void
replace(char **field, const char *value)
{
    char *copy = g_strdup(value);
    g_free(*field);
    *field = copy;
}

static bool
is_folder_of(const char *place, const FerryDisk *disk)
{
    g_autofree char *folder = g_canonicalize_filename(place, "/");
    g_autofree char *path = g_canonicalize_filename(disk->source, "/");
    g_autofree char *own = g_path_get_dirname(path);
    return strcmp(folder, own) == 0;
}

static bool
is_key_of(const char *key, const FerryDisk *disk)
{
    if (!disk->source)
        return false;
    return g_path_is_absolute(key) ? is_folder_of(key, disk) : g_strcmp0(key, disk->pool) == 0;
}

/* Returns: (transfer none) (nullable): where the map sends the disk. */
static const char *
find_place(const Placing *self, const FerryDisk *disk)
{
    const char *found = NULL;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(self->options->pool_map, key, value) {
        if (!is_key_of(key, disk))
            continue;
        if (!found || g_path_is_absolute(key))
            found = json_string_value(value);
    }
    return found;
}

/* --- formats ---------------------------------------------------------------------------------- */

static const char *
find_format(const Placing *self, const FerryDisk *disk)
{
    const char *format = ferry_json_get_string(self->options->disk_formats, disk->target);
    return format && g_strcmp0(format, disk->format) != 0 ? format : NULL;
}

static bool
can_convert(const Placing *self, const FerryDisk *disk)
{
    const char *reason = NULL;
    if (ferry_disk_is_block(disk))
        reason = "is a block volume, which stays one";
    else if (g_strv_length(disk->backing_chain) > 0)
        reason = "has backing files, which a converted image would lose";
    else if (disk->encrypted)
        reason = "is encrypted by QEMU";
    else if (disk->capacity_bytes % 512 != 0)
        reason = "has a size that is no whole number of sectors";
    if (reason)
        block(self, "disk-formats", "Leave the disk out of \"disk_formats\"", "Disk \"%s\" %s",
              disk->target, reason);
    return !reason;
}

/* web-vda.qcow2 that is raw by now would mislead whoever sees it. */
static void
rename_ending(FerryDisk *disk, const char *format)
{
    g_autofree char *old = g_strconcat(".", disk->format, NULL);
    if (!g_str_has_suffix(disk->source, old))
        return;
    g_autofree char *stem = g_strndup(disk->source, strlen(disk->source) - strlen(old));
    g_autofree char *path = g_strconcat(stem, ".", format, NULL);
    replace(&disk->source, path);
}

static void
take_format(FerryDisk *disk, const char *format)
{
    rename_ending(disk, format);
    replace(&disk->format, format);
    disk->qcow2 = (FerryQcow2){0};
    if (strcmp(format, "qcow2") != 0)
        return;
    disk->qcow2 = fresh_qcow2;
    disk->qcow2.virtual_size_bytes = disk->capacity_bytes;
}

/* --- folders ---------------------------------------------------------------------------------- */

static void
move_to_folder(FerryDisk *disk, const char *folder, const char *pool)
{
    g_autofree char *name = g_path_get_basename(disk->source);
    g_autofree char *clean = g_canonicalize_filename(folder, "/");
    g_autofree char *path = g_build_filename(clean, name, NULL);
    replace(&disk->source, path);
    replace(&disk->pool, pool);
}

static void
move_to_place(const Placing *self, FerryDisk *disk, const char *place)
{
    if (g_path_is_absolute(place)) {
        g_autofree char *name = g_path_get_basename(place);
        move_to_folder(disk, place, name);
        return;
    }
    g_autofree char *folder = self->folder_of(place, self->data);
    if (folder)
        move_to_folder(disk, folder, place);
    else
        block(self, "pool-map", "describe_host lists the pools; a folder can be named instead",
              "Disk \"%s\" is to go to the pool \"%s\", and no pool of folders has that name here",
              disk->target, place);
}

/* The header's name of the base is written anew as it is; a relative one means the image's
 * folder. */
static bool
may_leave_folder(const Placing *self, const FerryDisk *disk)
{
    const char *base = disk->qcow2.backing_name;
    if (ferry_disk_is_block(disk)) {
        block(self, "pool-map", "Leave it out of \"pool_map\"",
              "Disk \"%s\" is a block volume, and keeps its path", disk->target);
        return false;
    }
    if (disk->layers->len == 0 || g_path_is_absolute(base))
        return true;
    block(self, "pool-map", "Rebase the image to the base's absolute path, or leave it where it is",
          "Disk \"%s\" names its backing file '%s' as seen from its own folder", disk->target,
          base);
    return false;
}

static void
place_disk(const Placing *self, FerryDisk *disk)
{
    const char *place = find_place(self, disk);
    const char *format = find_format(self, disk);
    if (format && can_convert(self, disk))
        take_format(disk, format);
    if (place && may_leave_folder(self, disk))
        move_to_place(self, disk, place);
}

/* --- what the order names in vain ------------------------------------------------------------- */

/* Returns: (transfer full): what a key may be: the pools and folders of the disks that move. */
static char *
list_places(const FerryInstance *instance)
{
    GString *places = g_string_new("Its disks that move lie in");
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        if (!disk->migrate)
            continue;
        g_autofree char *folder = g_path_get_dirname(disk->source);
        g_string_append_printf(places, " %s%s%s (%s)", folder, disk->pool ? ", pool " : "",
                               disk->pool ? disk->pool : "", disk->target);
    }
    return g_string_free(places, FALSE);
}

static void
check_pool_map(const Placing *self)
{
    const char *key = NULL;
    json_t *ignored = NULL;
    json_object_foreach(self->options->pool_map, key, ignored) {
        bool used = false;
        for (guint i = 0; i < self->instance->disks->len; i++)
            used = used || is_key_of(key, g_ptr_array_index(self->instance->disks, i));
        if (used)
            continue;
        g_autofree char *hint = list_places(self->instance);
        block(self, "pool-map", hint,
              "Option \"pool_map\" names \"%s\", which holds no disk of \"%s\"", key,
              self->instance->name);
    }
}

static void
check_disk_formats(const Placing *self)
{
    const char *target = NULL;
    json_t *ignored = NULL;
    json_object_foreach(self->options->disk_formats, target, ignored) {
        const FerryDisk *disk = ferry_instance_find_disk(self->instance, target);
        if (disk && disk->migrate)
            continue;
        g_autofree char *targets = ferry_disk_plan_targets(self->instance, true);
        g_autofree char *hint = g_strdup_printf("Those that move are %s", targets);
        block(self, "disk-formats", hint,
              "Option \"disk_formats\" names \"%s\", which is no disk of \"%s\" that moves", target,
              self->instance->name);
    }
}

static void
check_own_path(const Placing *self, guint index)
{
    const FerryDisk *disk = g_ptr_array_index(self->instance->disks, index);
    for (guint i = 0; i < index; i++) {
        const FerryDisk *other = g_ptr_array_index(self->instance->disks, i);
        if (!other->migrate || g_strcmp0(other->source, disk->source) != 0)
            continue;
        block(self, "disk-path", "Send the two to different folders",
              "Disks \"%s\" and \"%s\" would both become '%s' here", other->target, disk->target,
              disk->source);
        return;
    }
}

void
ferry_placement_apply(FerryInstance *instance,
                      const FerryOrderOptions *options,
                      FerryPoolFolderFunc folder_of,
                      gpointer data)
{
    const Placing self = {instance, options, folder_of, data};
    check_pool_map(&self);
    check_disk_formats(&self);
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        if (!disk->migrate || !disk->source)
            continue;
        place_disk(&self, disk);
        disk->seeded = disk->seeded || disk->seed_wanted;
        check_own_path(&self, i);
    }
    if (options->dest_name)
        replace(&instance->name, options->dest_name);
}

void
ferry_placement_restore(FerryInstance *instance,
                        const FerryMigrateData *migrate_data,
                        const char *dest_name)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        const FerryMigrateVolume *volume = ferry_migrate_data_find(migrate_data, disk->target);

        if (disk->migrate && volume)
            disk->seeded = volume->seeded;
        if (!volume || !volume->path || !volume->format)
            continue;
        replace(&disk->source, volume->path);
        replace(&disk->format, volume->format);
    }
    if (dest_name)
        replace(&instance->name, dest_name);
}
