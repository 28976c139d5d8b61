/* paths.h: which paths of this host an order may touch. Any thread; looks at the file system, never
 * opens a file.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What is seen at a path; HIDDEN: the agent's user is kept out of a folder, so nobody can tell. */
typedef enum { FERRY_PATH_ABSENT, FERRY_PATH_THERE, FERRY_PATH_HIDDEN } FerryPathSeen;

/** Whatever is there counts, also a link that leads nowhere. */
FerryPathSeen ferry_path_presence(const char *path);

/**
 * ferry_path_check:
 * @path: an absolute path from an order; the file itself need not exist
 * @allowed: NULL-terminated folders of the configuration
 * @ret_resolved: (nullable) (out) (transfer full): @path with `.`, `..` and symbolic links
 *   resolved, one at its end too; what a link leads to need not exist. Whoever acts goes by this
 *   one
 * @error: FERRY_ERROR_PATH_NOT_ALLOWED: relative, with control characters, longer than PATH_MAX,
 *   not below one of @allowed once resolved (the allowed folders are resolved too), in a folder
 *   that everybody may write to, by a link in one, or by a link that belongs neither to root, nor
 *   to the agent's user, nor to the owner of the folder that it leads to; the hint names the way
 *   out
 */
bool ferry_path_check(const char *path,
                      const char *const *allowed,
                      char **ret_resolved,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The same for a folder, which may be one of @allowed itself. */
bool ferry_path_check_folder(const char *path,
                             const char *const *allowed,
                             char **ret_resolved,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Sets @ret_root to the one of @allowed, resolved, below which the resolved @path lies. @error: as
 * ferry_path_check(), when there is none. */
bool ferry_path_find_root(const char *path,
                          const char *const *allowed,
                          char **ret_root,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** @error: FERRY_ERROR_PATH_NOT_ALLOWED: @mode lets everybody write into @folder, who could put
 * another file under a name of ours. */
bool ferry_path_check_writers(const char *folder, guint mode, GError **error);

/** Returns: true when the two are the same file, folder or device, whatever they are called: links,
 * mounts and nodes of a device lead to it. What is not there has its name alone. */
bool ferry_path_is_same(const char *a, const char *b);

/** Returns: true when nobody but root can make, change or replace what is at @path, wherever links
 * lead; also where nothing is. @path: absolute, without `.`, `..` and doubled slashes, or false. */
bool ferry_path_is_roots(const char *path);
