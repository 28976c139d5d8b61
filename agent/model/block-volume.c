#include "config.h"

#include "model/block-volume.h"

#include "ferry/error.h"
#include "model/paths.h"

#include <string.h>

/* LVM's own rule for names of volumes. */
#define NAME_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+_.-"
#define NAME_MAX_BYTES 127

bool
ferry_disk_is_block(const FerryDisk *disk)
{
    return g_strcmp0(disk->type, "block") == 0;
}

char *
ferry_block_volume_fault(const FerryDisk *disk)
{
    if (g_strcmp0(disk->device, "disk") != 0)
        return g_strdup_printf("is a %s on the block device %s", disk->device, disk->source);
    if (disk->readonly)
        return g_strdup_printf("is read-only, and on the block device %s", disk->source);
    if (g_strcmp0(disk->format, "raw") != 0 || disk->backing_chain[0])
        return g_strdup_printf("has the format %s%s on the block device %s; a volume moves raw",
                               disk->format, disk->backing_chain[0] ? " with backing files" : "",
                               disk->source);
    if (!disk->pool)
        return g_strdup_printf("is the block device %s, which is no plain volume of an active "
                               "storage pool of the type logical",
                               disk->source);
    return NULL;
}

static bool
is_name(const char *name)
{
    gsize length = strlen(name);

    return length > 0 && length <= NAME_MAX_BYTES && name[0] != '-' && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0 && strspn(name, NAME_CHARACTERS) == length;
}

static bool
check_volume(const char *path, const char *const *allowed, char **ret_resolved, GError **error)
{
    const char *slash = strrchr(path, '/');
    g_autofree char *folder = NULL;
    g_autofree char *resolved = NULL;

    if (!slash || !is_name(slash + 1)) {
        ferry_set_error(error, FERRY_ERROR_PATH_NOT_ALLOWED, "Name a volume as /dev/GROUP/VOLUME",
                        "Path \"%.200s\" does not end in the name of a volume", path);
        return false;
    }
    folder = g_strndup(path, (gsize)(slash - path));
    if (g_file_test(folder, G_FILE_TEST_IS_SYMLINK)) {
        ferry_set_error(error, FERRY_ERROR_PATH_NOT_ALLOWED, "Name a volume as /dev/GROUP/VOLUME",
                        "The volume group's folder \"%s\" is a symbolic link", folder);
        return false;
    }
    if (!ferry_path_check_folder(folder, allowed, &resolved, error))
        return false;
    if (ret_resolved)
        *ret_resolved = g_build_filename(resolved, slash + 1, NULL);
    return true;
}

bool
ferry_disk_path_check(const FerryDisk *disk,
                      const char *const *allowed,
                      char **ret_resolved,
                      GError **error)
{
    return ferry_disk_is_block(disk) ? check_volume(disk->source, allowed, ret_resolved, error)
                                     : ferry_path_check(disk->source, allowed, ret_resolved, error);
}
