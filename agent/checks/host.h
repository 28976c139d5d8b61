/* host.h: can this host run the guest: machine, CPU, memory, a slot? Threads: any but main. */
#pragma once

#include "checks/scene.h"

/** What a definition asks of it, at its arrival or at a later start. */
void ferry_check_machine(const FerryCheckScene *scene);

/** What the arrival takes: memory and a slot. */
void ferry_check_room(const FerryCheckScene *scene);
