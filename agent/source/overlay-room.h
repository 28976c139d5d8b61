/* overlay-room.h: whether this host's file systems have room for what guests write beside their
 * frozen images. Folders that nobody may look at are not judged.
 *
 * Threads: any; blocks like a look at a file.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** @disks: (element-type FerryDisk): overlays are going to lie beside their images, and may all
 * grow in one file system. Returns: true where each is seen to have room for @bytes. */
bool ferry_overlay_room_allows(const GPtrArray *disks, guint64 bytes);

/**
 * ferry_overlay_room_check:
 * An overlay that fills its file system would stop the guest, and its way back into the image needs
 * as much room again as it takes.
 * @overlays: (element-type FerryOverlay): that guests write to
 * @error: FERRY_ERROR_INSUFFICIENT_STORAGE: less than that is left beside one of them
 */
bool ferry_overlay_room_check(const GPtrArray *overlays, GError **error) G_GNUC_WARN_UNUSED_RESULT;
