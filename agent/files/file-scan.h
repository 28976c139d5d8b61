/* file-scan.h: reads a file of this host from an offset to its end, data only: time follows what is
 * allocated and not the length.
 *
 * The agent opens the file itself where its user may; otherwise libvirt reads it.
 * Threads: any but main; blocks.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

#include "virt.h"

/* No piece is longer. libvirt's stream messages of all versions take as much. */
#define FERRY_SCAN_PIECE_BYTES (256 * 1024 - 64)

/**
 * FerryScanFunc:
 * @offset: where the piece lies in the file; rises from call to call. What is not told is a hole
 * @data: @length bytes; NULL with 0 at the end, when @offset is the length of the file
 * Returns: false with @error to end the scan.
 */
typedef bool (*FerryScanFunc)(
    guint64 offset, const guint8 *data, gsize length, gpointer user, GError **error);

/**
 * ferry_file_scan:
 * @virt: (nullable): whose connection is used when the file cannot be opened
 * @path: a regular file; a symbolic link at its end is refused
 * @cancellable: (nullable): looked at between pieces
 * @error: FERRY_ERROR_MIGRATION_ERROR: it cannot be read; FERRY_ERROR_CANCELLED; or @func's
 */
bool ferry_file_scan(FerryVirt *virt,
                     const char *path,
                     guint64 offset,
                     GCancellable *cancellable,
                     FerryScanFunc func,
                     gpointer user,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
