/* block.h: would the instance's block volumes find their place on this host? */
#pragma once

#include "checks/scene.h"

/** One disk: its path, its pool, and that nothing is there. */
void ferry_check_block_volume(const FerryCheckScene *scene, const FerryDisk *disk);

/** Room for all of them in their volume groups, with what other incoming migrations are to get. */
void ferry_check_block_space(const FerryCheckScene *scene);
