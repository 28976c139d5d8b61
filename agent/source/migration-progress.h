/* migration-progress.h: one count for the whole way of an instance, whichever step moves the bytes.
 *
 * Threads: the migration's saga thread makes it; one owner.
 */
#pragma once

#include "model/progress.h"
#include "source/migration.h"

/**
 * ferry_source_progress_new:
 * @seeds_are_there: what was seeded counts as moved: only what the guest wrote since is mirrored
 * Returns: (transfer full): knows the disks that move and the files that were brought before, and
 * goes on where the record's progress stood.
 */
FerryProgress *ferry_source_progress_new(FerryMigration *migration, bool seeds_are_there);

/** The second half of it, for who counts other things than disks that are mirrored. */
void ferry_source_progress_go_on(FerryProgress *progress, const FerryRecord *record);
