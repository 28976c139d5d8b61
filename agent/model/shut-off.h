/* shut-off.h: what goes along with a running instance only, because QEMU carries it. Any thread;
 * looks at paths only.
 */
#pragma once

#include "model/instance.h"

/** Adds obstacles to @instance, which is planned and shut off: "block-volume", "tpm", "nvram" that
 * lies outside @allowed_paths. */
void ferry_shut_off_find_obstacles(FerryInstance *instance, const char *const *allowed_paths);
