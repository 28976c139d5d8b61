/* rollback.h: what was made and brought for a migration that did not come is removed again.
 *
 * Removed is what the journal proves to be the migration's and nobody uses; anything else stays, and
 * is reported. Threads: any but main; one call a migration at a time (destination.h sees to it).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "destination/import.h"
#include "journal/record.h"
#include "runtime/agent.h"

/**
 * ferry_rollback_run:
 * @imports: that brought its files
 * @ret_clean: nothing had to stay
 * @error: libvirt or the journal could not be asked; call again
 * Returns: (transfer full): {"removed", "kept"}: arrays of {"kind", "pool", "path"[, "why"]}; files
 * that were brought are of no pool.
 */
json_t *ferry_rollback_run(const FerryAgent *agent,
                           FerryImports *imports,
                           virConnectPtr connection,
                           const FerryRecord *record,
                           bool *ret_clean,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
