/* files.h: a destination's checks of what is brought as it is, and of images that the agent makes
 * itself: backing chains, media, images of instances that are off, rights and owners.
 * Threads: any but main. */
#pragma once

#include "checks/scene.h"

/** Adds "backing-chain", "path", "file-exists", "folder-rights" and "image-owner" to the scene's
 * checks. */
void ferry_check_files(const FerryCheckScene *scene);
