/* scratch-folder.h: a folder of a test's own, gone with it. */
#pragma once

#include <glib.h>

/** Returns: (transfer full): the path of a new, empty folder; free it with
 * ferry_scratch_remove(). */
char *ferry_scratch_make(void);

/** Removes the folder with all that is in it, and frees the path. */
void ferry_scratch_remove(char *path);

typedef char FerryScratch;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryScratch, ferry_scratch_remove)
