/* held-file.h: a file that is put aside under another name in its own folder, and comes back.
 *
 * The rename is what takes it out of use: no definition names the new name. It is one step of the
 * file system, replaces nothing, and is on disk when a function returns. The mode 0400 is there for
 * eyes and for whoever opens it as a user; where the file belongs to somebody else and we may not
 * change it, it stays as it is.
 *
 * Threads: any; may block on the file system.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    guint64 inode;
    guint64 allocation_bytes;
    guint mode; /* permission bits */
} FerryHeldFile;

/** Returns: (transfer full): the name of @path in quarantine: its own with what says so behind. */
char *ferry_held_file_name(const char *path, const char *migration_id);

/** @ret_file: what lies at @path. @error: none when nothing is there; FERRY_ERROR_MIGRATION_ERROR
 * when it is no regular file or cannot be looked at. */
bool ferry_held_file_info(const char *path, FerryHeldFile *ret_file, GError **error);

/**
 * ferry_held_file_move:
 * Renames @from to @to, in the same folder. One that was renamed already, as the inode tells, is
 * fine.
 * @inode, @mode: the file that is meant, and the permission bits that it gets
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS: @to is another file; FERRY_ERROR_MIGRATION_ERROR:
 *   @from is another file or gone, or the folder may not be written; nothing was changed
 */
bool ferry_held_file_move(const char *from,
                          const char *to,
                          guint64 inode,
                          guint mode,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Deletes it, if it is the file with this @inode. One that is gone counts as deleted. */
bool
ferry_held_file_delete(const char *path, guint64 inode, GError **error) G_GNUC_WARN_UNUSED_RESULT;
