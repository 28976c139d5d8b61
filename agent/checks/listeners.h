/* listeners.h: displays and ports of an instance that listen at an address of the source's own:
 * here they listen at one of this host's.
 *
 * Threads: any but main; a name may be looked up.
 */
#pragma once

#include "model/instance.h"

/**
 * ferry_listeners_place:
 * @instance: as the source describes it; from here on its definitions name the addresses that it
 *   has here, and `moved_addresses` says which
 * @ordered: (nullable): the IP address of the order
 * @inbound: this host's live_migration_inbound_addr: used where no address is ordered
 * An address that this host has, too, stays as it is.
 */
void ferry_listeners_place(FerryInstance *instance, const char *ordered, const char *inbound);
