/* storage.h: can this host hold the disks: paths, what lies there already, pools, space?
 * Threads: any but main.
 */
#pragma once

#include <stdbool.h>

#include "checks/scene.h"
#include "storage/space-book.h"

void ferry_check_storage(const FerryCheckScene *scene);

/** Returns: (transfer full): what @instance, as it is placed here, still writes to this host's file
 * systems. Asks no libvirt. */
FerrySpaceBook *ferry_check_storage_book(const FerryAgent *agent, const FerryInstance *instance);

/**
 * ferry_check_storage_space:
 * The space alone: for the moment when a migration is admitted, so that two that came at the same
 * time are not both promised the same room. Asks no libvirt.
 */
void ferry_check_storage_space(const FerryAgent *agent,
                               const FerryInstance *instance,
                               FerryChecks *checks);
