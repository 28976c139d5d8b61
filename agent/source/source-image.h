/* source-image.h: images of an instance that leaves this host: noted as what they are while the
 * instance uses them, so that what is deleted or put aside later is that and nothing else.
 *
 * Threads: a migration's saga thread; blocks for the file system.
 */
#pragma once

#include "files/own-file.h"
#include "source/migration.h"

/** Returns: (transfer full): the file itself, where @path leads to it by a link and within the
 * allowed folders; else @path: who reads files follows no link at its end. */
char *ferry_source_image_path(const FerryAgent *agent, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/** Notes what is at @path now. @error: as ferry_own_file_note(); FERRY_ERROR_PATH_NOT_ALLOWED */
bool ferry_source_image_note(FerryMigration *migration,
                             const char *path,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Notes those of all disks that move, of volumes of a group LVM's UUID; of one that cannot be, the
 * log tells. */
void ferry_source_image_note_all(FerryMigration *migration);

/** What is at @path now. UNKNOWN: nothing was noted; an agent of before did not. */
FerryOwnFileSeen ferry_source_image_look(FerryMigration *migration, const char *path, GError **why);

/** The same of the volume of @disk. */
FerryOwnFileSeen ferry_source_volume_look(FerryMigration *migration,
                                          virConnectPtr connection,
                                          const FerryDisk *disk,
                                          GError **why);

/** Deletes it, if it is what was noted. Errors as ferry_own_file_delete(). */
bool ferry_source_image_delete(FerryMigration *migration,
                               virConnectPtr connection,
                               const char *path,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
