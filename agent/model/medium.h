/* medium.h: what the guest only reads, and drives whose medium is gone. Any thread; looks at the
 * file system, never opens a file. */
#pragma once

#include <stdbool.h>

#include "model/instance.h"

/** Returns: true for a disk that is brought along as it is: a CD-ROM is read-only whatever its XML
 * says. */
bool ferry_medium_is(const FerryDisk *disk);

/** Returns: true when libvirt lets the instance arrive, or start, with an empty drive where the
 * file is missing (startupPolicy). */
bool ferry_medium_may_be_missing(const FerryDisk *disk);

/** After the plan: media whose file was removed on this host under the drive that has it are not
 * carried. Where libvirt lets the drive arrive empty that is a warning of @instance, elsewhere an
 * obstacle. */
void ferry_medium_plan_missing(FerryInstance *instance);
