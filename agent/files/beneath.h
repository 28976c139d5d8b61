/* beneath.h: reaches the folder of a file from an allowed folder down, component by component,
 * following no link.
 *
 * Between two looks at one path somebody may put a link, or another folder, in its middle. What is
 * opened here stays what it is: it is looked at, renamed and deleted in, by name alone.
 *
 * Threads: any but main; blocks for the file system.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/file-identity.h"

/**
 * ferry_beneath_open:
 * @path: absolute and resolved (ferry_path_check())
 * @allowed: NULL-terminated folders of the configuration; they themselves may be links
 * @ret_folder: a descriptor (O_PATH) of the folder that holds @path, the caller's to close; -1
 *   where there is no such folder
 * @error: FERRY_ERROR_PATH_NOT_ALLOWED: @path does not lie below one of @allowed, a part of it is a
 *   link, or a folder on the way may be written by everybody; FERRY_ERROR_MIGRATION_ERROR: the
 *   agent's user may not look into a folder
 */
bool ferry_beneath_open(const char *path,
                        const char *const *allowed,
                        int *ret_folder,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What has a name in a folder. */
typedef enum {
    FERRY_BENEATH_NOTHING,
    FERRY_BENEATH_FILE, /* a regular one */
    FERRY_BENEATH_FOLDER,
    FERRY_BENEATH_OTHER, /* a link, a device, a socket */
    FERRY_BENEATH_ERROR, /* it cannot be looked at; errno says why */
} FerryBeneath;

/** What @name in @folder is; of @folder itself where @name is "". @ret_identity: (out): where there
 * is something. Sets errno. */
FerryBeneath ferry_beneath_look(int folder, const char *name, FerryFileIdentity *ret_identity);

/** Brings to disk which names are in @folder. Sets errno. */
bool ferry_beneath_sync(int folder) G_GNUC_WARN_UNUSED_RESULT;
