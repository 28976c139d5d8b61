/* storage.h: can this host hold the disks: paths, what lies there already, pools, space?
 * Threads: any but main.
 */
#pragma once

#include <stdbool.h>

#include "checks/scene.h"

void ferry_check_storage(const FerryCheckScene *scene);

/**
 * ferry_check_storage_space:
 * The space alone: for the moment when a migration is admitted, so that two that came at the same
 * time are not both promised the same room. Asks no libvirt.
 */
void ferry_check_storage_space(const FerryAgent *agent,
                               const FerryInstance *instance,
                               FerryChecks *checks);
