/* files.h: a destination's checks of what is brought as it is: backing chains and media.
 * Threads: any but main. */
#pragma once

#include "checks/scene.h"

/** Adds "backing-chain", "path", "file-exists" and "folder-rights" to the scene's checks. */
void ferry_check_files(const FerryCheckScene *scene);
