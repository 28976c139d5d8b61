/* partial-file.h: the file in which something that is carried here grows, until it gets its name.
 *
 * Threads: any but main; blocks for the disk. Depends on the file system only: who may do what is
 * import.c's to decide.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "journal/imports.h"
#include "model/carried-file.h"

/**
 * ferry_partial_begin:
 * Opens the partial file of @row, or makes it.
 * @file: what is to arrive; the partial file may be read by whoever may read the source's, as far
 *   as that is told
 * @is_ours: the journal knows a file of that name; otherwise one that is there is a stranger's
 * @ret_offset: what has arrived: a copy goes on there
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS; FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR: no space for
 *   the rest of its data beside @reserved_bytes; FERRY_ERROR_MIGRATION_ERROR
 */
bool ferry_partial_begin(const FerryImport *row,
                         const FerryCarriedFile *file,
                         bool is_ours,
                         guint64 reserved_bytes,
                         guint64 *ret_offset,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Throws away what has arrived. */
bool ferry_partial_empty(const FerryImport *row, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Brings all of it to disk and notes its inode in @row. @read_only: nobody may write to it any
 * more, and those may read it who may on the source; otherwise it is its owner's alone. */
bool
ferry_partial_settle(FerryImport *row, bool read_only, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Gives it its name, never another file's. */
bool ferry_partial_give_name(const FerryImport *row, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Sets FERRY_ERROR_DESTINATION_DISK_EXISTS for @path; @how the file there differs. Returns
 * false. */
bool ferry_partial_refuse_other(const char *path, const char *how, GError **error);
