/* nvram-path.h: where a file of the firmware's variables may lie: below the allowed paths, or where
 * libvirt puts it when the definition names no other place.
 *
 * Threads: any; looks at the file system.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "runtime/agent.h"

/** Returns: (transfer full): the folders. */
GStrv ferry_nvram_folders(const FerryAgent *agent);

/** @error: FERRY_ERROR_PATH_NOT_ALLOWED: @path lies in none of them */
bool ferry_nvram_path_check(const FerryAgent *agent,
                            const char *path,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
