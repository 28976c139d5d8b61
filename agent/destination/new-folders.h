/* new-folders.h: the folders that libvirt makes on the way to a pool's, all in one go.
 *
 * Threads: any but main; blocks for the file system.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "destination/preparation.h"
#include "model/file-owner.h"

/* A plain value. */
typedef struct {
    GPtrArray *paths; /* from the top; the last one is the pool's */
    gint64 *ids;      /* their rows */
} FerryNewFolders;

/** Which are missing on the way to @folder, and itself. An allowed folder that is missing is made,
 * too, and stays: the configuration names it. */
FerryNewFolders ferry_new_folders_find(const FerryPreparation *preparation, const char *folder);
void ferry_new_folders_clear(FerryNewFolders *missing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryNewFolders, ferry_new_folders_clear)

/** Notes the intention to make them, for the pool of this name. */
bool ferry_new_folders_intend(const FerryPreparation *preparation,
                              const FerryNewFolders *missing,
                              const char *pool,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** libvirt has made them: gives the last one what libvirt cannot, @owner's special bits, where the
 * agent's user may, and notes what they are. @error: as ferry_preparation_note_file() */
bool ferry_new_folders_note(const FerryPreparation *preparation,
                            const FerryNewFolders *missing,
                            const FerryFileOwner *owner,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
