/* scan.h: reads a file of this host from an offset to its end, data only: time follows what is
 * allocated and not the length.
 *
 * The agent opens the file itself where its user may; otherwise libvirt reads it.
 * Threads: any but main; blocks.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

#include "virt/stream.h"
#include "virt/virt.h"

/* What is to be read. A plain value. */
typedef struct {
    FerryVirt *virt;      /* whose connection is used when the file cannot be opened, or NULL */
    const char *path;     /* a regular file; a symbolic link at its end is refused */
    guint64 offset_bytes; /* where to begin */
    GCancellable *cancellable; /* looked at between pieces; or NULL */
} FerryFileScan;

/**
 * ferry_file_scan:
 * @func: called with each piece
 * @error: FERRY_ERROR_MIGRATION_ERROR: it cannot be read; FERRY_ERROR_CANCELLED; or @func's
 */
bool ferry_file_scan(const FerryFileScan *request,
                     FerryScanFunc func,
                     gpointer user,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
