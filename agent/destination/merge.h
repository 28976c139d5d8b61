/* merge.h: seeded disks of an instance that has arrived: what it wrote on the way comes from the
 * overlay into the image. Threads: any but main; blocks for some seconds.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/instance.h"
#include "runtime/agent.h"

/**
 * ferry_merge_overlays:
 * Commits each overlay that the journal has of @migration_id, turns the disk over to its image in
 * the running domain and in its definition, and removes the overlay. Idempotent.
 * @error: with "retry" in its details: it goes on, ask again; else what stands in the way. The
 *   instance runs all the while
 * Returns: true when no overlay is left; at once where no disk was seeded.
 */
bool ferry_merge_overlays(const FerryAgent *agent,
                          virConnectPtr connection,
                          const FerryInstance *instance,
                          const char *migration_id,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
