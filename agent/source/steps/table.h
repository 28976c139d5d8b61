/* table.h: the steps of a migration, in their order, as the source's agent takes them:
 *
 *   check          both hosts say whether it can move; the instance is described
 *   prepare        the destination makes room for it
 *   files          what is not mirrored (bases of overlays, media) is brought there
 *   trim           the guest gives back what its file systems do not use
 *   snapshot       images that are seeded are frozen under overlays
 *   seed           the frozen images are sent
 *   transfer       the instance crosses: libvirt's call and the watch over it
 *   confirm        both hosts say what came of it
 *   finish         the destination finishes; from here on there is no way back
 *   source-domain  what libvirt left of the domain here ends
 *   source-disks   the images here are noted, deleted or put aside
 *
 * Each has a file of its name. Threads: run by saga.h in the migration's thread.
 */
#pragma once

#include "source/saga.h"

/** A migration whose record has migrate_data already (live_migration ordered by a controller) finds
 * its destination prepared. */
extern const FerrySaga ferry_source_saga;
