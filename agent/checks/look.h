/* look.h: which files of this host a check may look for. An order must not tell by its answer what
 * files a host has.
 *
 * Threads: any but main; looks at the file system.
 */
#pragma once

#include "checks/scene.h"
#include "model/paths.h"

/** @folders: (nullable): NULL-terminated: what is looked into beside [storage] allowed_paths.
 * Returns: what is at @path, or where it leads; HIDDEN: it is not looked at, or nobody can tell. */
FerryPathSeen
ferry_check_look(const FerryCheckScene *scene, const char *path, const char *const *folders);
