#include "config.h"

#include "source/overlay-room.h"

#include "ferry/error.h"
#include "model/instance.h"
#include "model/overlay.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#define STAT_BLOCK_BYTES 512

/* @path: of a file. Returns: false where nobody tells. */
static bool
look_beside(const char *path, guint64 *ret_free_bytes)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct statvfs space;

    if (statvfs(folder, &space) != 0)
        return false;
    *ret_free_bytes = (guint64)space.f_bavail * space.f_frsize;
    return true;
}

bool
ferry_overlay_room_allows(const GPtrArray *disks, guint64 bytes)
{
    for (guint i = 0; i < disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(disks, i);
        guint64 free_bytes = 0;

        if (!look_beside(disk->source, &free_bytes) || free_bytes < bytes)
            return false;
    }
    return true;
}

static bool
check(const FerryOverlay *overlay, GError **error)
{
    struct stat file;
    guint64 free_bytes = 0;

    if (!look_beside(overlay->overlay, &free_bytes) || stat(overlay->overlay, &file) != 0)
        return true;

    guint64 taken_bytes = (guint64)file.st_blocks * STAT_BLOCK_BYTES;

    if (free_bytes >= taken_bytes)
        return true;
    ferry_set_error(error, FERRY_ERROR_INSUFFICIENT_STORAGE,
                    "Free space in that file system, or order storage_strategy \"mirror\"",
                    "The overlay '%s' has %" G_GUINT64_FORMAT " MiB, and only %" G_GUINT64_FORMAT
                    " MiB are left beside it",
                    overlay->overlay, taken_bytes >> 20, free_bytes >> 20);
    return false;
}

bool
ferry_overlay_room_check(const GPtrArray *overlays, GError **error)
{
    for (guint i = 0; i < overlays->len; i++)
        if (!check(g_ptr_array_index(overlays, i), error))
            return false;
    return true;
}
