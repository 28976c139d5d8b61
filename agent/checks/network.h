/* network.h: are the networks, bridges and listen addresses of the guest there on this host?
 * Threads: any but main.
 */
#pragma once

#include "checks/scene.h"

void ferry_check_network(const FerryCheckScene *scene);
