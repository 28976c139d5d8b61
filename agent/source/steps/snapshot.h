/* snapshot.h: the step `snapshot` of a seeded migration's source: images frozen under overlays, and
 * thawed again when the instance stays.
 *
 * The overlay holds what the guest has written since. So nothing here removes one unless libvirt's
 * word and the journal together say that its content is in the image.
 * Threads: a migration's saga thread.
 */
#pragma once

#include "source/saga.h"

FerryStepEnd ferry_snapshot_step_run(FerryMigration *migration, bool resumed, GError **error);

/** The instance has moved: image and overlay lie here as what it left behind, no longer as
 * something that this migration would undo. */
bool ferry_snapshot_step_leave(FerryMigration *migration, GError **error);

/** Idempotent. Also for an instance that ended meanwhile: its overlay is committed all the same.
 * @error: an overlay could not be committed or must not be removed; nothing is lost */
bool ferry_snapshot_step_undo(FerryMigration *migration, GError **error);
