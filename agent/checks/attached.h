/* attached.h: whether the destination reaches what is not brought along: disks that the order calls
 * attached, folders of 9p. */
#pragma once

#include "checks/scene.h"

/** Adds the checks "attached-disk" and "filesystem". Files and folders are looked at inside
 * allowed_paths only: an order must not tell by its answer what a host has. Threads: any but main.
 */
void ferry_check_attached(const FerryCheckScene *scene);
