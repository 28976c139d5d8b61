/* source-disks-hold.h: a part of the step `source-disks`: images that moved are put aside. What
 * becomes of them later is storage/quarantine.h's.
 *
 * Threads: a migration's saga thread.
 */
#pragma once

#include "source/migration.h"

/** Puts the images that moved aside; idempotent. @error: the first that could not be; the others
 * are as the journal says. */
bool ferry_source_disks_hold(FerryMigration *migration, GError **error) G_GNUC_WARN_UNUSED_RESULT;
