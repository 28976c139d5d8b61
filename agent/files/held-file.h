/* held-file.h: a file that is put aside under another name in its own folder, and comes back.
 *
 * The rename is what takes it out of use: no definition names the new name. It is one step of the
 * file system, replaces nothing, and is on disk when a function returns. The mode 0400 is there for
 * eyes and for whoever opens it as a user; where the file belongs to somebody else and we may not
 * change it, it stays as it is.
 *
 * What it is is noted under the migration and its own path (files/own-file.h), and nothing else is
 * renamed or deleted. Of a file that an agent of before put aside, its inode tells which one it is.
 *
 * Threads: any but main; may block on the file system.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "files/own-file.h"
#include "journal/quarantine.h"

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

/** What lies at @path, which is @file's own or its held one; OURS: it is the file. */
FerryOwnFileSeen ferry_held_file_look(const FerryAgent *agent,
                                      const FerryQuarantined *file,
                                      const char *path,
                                      GError **why);

/**
 * ferry_held_file_hold:
 * Renames it from its own name to its held one, and takes all rights but its owner's to read. One
 * that was renamed already is fine.
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS: another file has the name;
 *   FERRY_ERROR_MIGRATION_ERROR: it is another file or gone, or the folder may not be written;
 *   FERRY_ERROR_PATH_NOT_ALLOWED; nothing was changed
 */
bool ferry_held_file_hold(const FerryAgent *agent,
                          const FerryQuarantined *file,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** The other way, with its own mode. */
bool ferry_held_file_bring_back(const FerryAgent *agent,
                                const FerryQuarantined *file,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Deletes it from quarantine. One that is gone counts as deleted. @connection: as
 * ferry_own_file_delete() */
bool ferry_held_file_delete(const FerryAgent *agent,
                            const FerryQuarantined *file,
                            virConnectPtr connection,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
