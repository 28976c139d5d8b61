/* storage-strategy.h: how each disk crosses, and why: mirrored live, or seeded. Pure, any thread.
 *
 * Mirrored: QEMU copies the image while the guest writes to it. Of a raw image that is a walk over
 * its whole length, holes included, and a bandwidth limit is charged for the holes too; and what a
 * busy guest writes meanwhile is copied again and again, or waits for the link.
 * Seeded: the image is frozen under an overlay, sent as a file that nobody writes to, only the
 * overlay is mirrored, and is committed into the image on the destination (docs/architecture.md).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "model/instance.h"
#include "model/migrate-data.h"
#include "model/order-options.h"

/* Snapshot and commit of a seed cost a second or so; a mirror walks as many holes in that time. */
#define FERRY_SEED_HOLES_BYTES (G_GUINT64_CONSTANT(4) << 30)
/* With a bandwidth limit: as many as a mirror is held up by for so long. */
#define FERRY_SEED_HOLES_S 2

/**
 * ferry_storage_strategy_choose:
 * @instance: planned (disk-plan.h). Its moving disks get `seeded` (raw) or `seed_wanted` (qcow2),
 *   and `strategy_why`; one that @options force to be seeded and that cannot be becomes an
 *   obstacle, "storage-strategy"
 */
void ferry_storage_strategy_choose(FerryInstance *instance, const FerryOrderOptions *options);

/** Mirrors what auto would have seeded: @why seeds cannot be sent to this destination. What an
 * order insists on stays. */
void ferry_storage_strategy_avoid_seeds(FerryInstance *instance,
                                        const FerryOrderOptions *options,
                                        const char *why);

/** Returns: (transfer container) (element-type FerryDisk): what auto mirrors and could seed. */
GPtrArray *ferry_storage_strategy_seedable(const FerryInstance *instance,
                                           const FerryOrderOptions *options);

/** Seeds them: @why. */
void ferry_storage_strategy_prefer_seeds(FerryInstance *instance,
                                         const FerryOrderOptions *options,
                                         const char *why);

/** What the destination has prepared is what is done, whatever was chosen: it may have been told
 * something else (by a controller), or know nothing of seeds. @migrate_data: (nullable) */
void ferry_storage_strategy_adopt(FerryInstance *instance, const FerryMigrateData *migrate_data);

/** Returns: the report's word for one disk: "mirror", "seeded" or "copy". */
const char *ferry_storage_strategy_of(const FerryInstance *instance, const FerryDisk *disk);

/** Returns: the report's word for the whole instance: "copy" of one that does not run,
 * "seeded" when any disk is, else "mirror". */
const char *ferry_storage_strategy_word(const FerryInstance *instance);
