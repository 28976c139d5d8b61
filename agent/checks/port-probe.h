/* port-probe.h: do packets from here get to ports of another host? Tried, all ports at the same
 * time.
 *
 * Only ports that somebody is known to listen at for everybody (libvirtd), or for us: QEMU takes
 * whoever connects for the migration that it waits for. Threads: any but main; blocks up to the
 * longest limit. Opens TCP connections and closes them at once.
 */
#pragma once

#include "model/reach.h"

/** Fills `reach` of all @count @probes, each in its limit at most, names' look-up included. */
void ferry_port_probe_run(FerryProbe *probes, gsize count);
