/* host.h: can this host run the guest: machine, CPU, memory, a slot? Threads: any but main. */
#pragma once

#include "checks/scene.h"

void ferry_check_host(const FerryCheckScene *scene);
