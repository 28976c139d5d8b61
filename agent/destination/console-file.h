/* console-file.h: the files of serial ports and consoles that libvirt makes at the destination when
 * the instance begins to arrive (nova's console.log in the instance's own folder): journaled
 * before, so that nothing of a failed attempt stays, and no folder stays because of them.
 *
 * Noted as what they are when libvirt tells of the arrival (nvram.h). An attempt that ends before
 * leaves an empty file, for a guest that has not run has said nothing: with that nothing can be
 * lost. Threads: any but main; may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "destination/preparation.h"

/** Journals those of the instance that lie in allowed folders, where nothing is yet. */
bool ferry_console_files_note(const FerryPreparation *preparation,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when @creation is one of the files that @instance, as it is here, writes to. */
bool ferry_console_file_is_of(const FerryCreation *creation, const FerryInstance *instance);

/** Removes the file that @creation tells of. One that is gone counts as removed.
 * @error: it is in use, another one, or has content and is not provably ours */
bool ferry_console_file_undo(const FerryAgent *agent,
                             virConnectPtr connection,
                             const FerryCreation *creation,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
