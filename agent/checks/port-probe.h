/* port-probe.h: do packets from here get to ports of another host? Tried, all ports at the same
 * time.
 *
 * Threads: any but main; blocks up to the limit. Opens TCP connections and closes them at once.
 */
#pragma once

#include "model/reach.h"

/** Fills `reach` of all @count @probes in @limit_ms at most, names' look-up included. */
void ferry_port_probe_run(FerryProbe *probes, gsize count, guint limit_ms);
