/* rights.h: how the agent's user gets a right that it lacks. Pure but for the name of the user; any
 * thread.
 */
#pragma once

#include <glib.h>

/**
 * ferry_rights_hint:
 * @folder: the folder, or the file, at which the right is missing
 * @code: errno of the attempt
 * @rights: as setfacl names them: "rwx", "x", "r"
 * Returns: (transfer full) (nullable): the command that gives it, to be followed to the letter:
 * where the unit's sandbox is what forbids (EROFS), the lines for the unit. NULL: @code is no
 * matter of rights.
 */
char *ferry_rights_hint(const char *folder, int code, const char *rights);

/** Returns: (transfer full): the command that gives the agent's user @rights at @path. */
char *ferry_rights_give(const char *path, const char *rights);
