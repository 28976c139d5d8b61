/* libvirt-way.h: does a libvirt answer at the URI by which other hosts reach it?
 *
 * Threads: any but main; blocks for seconds at most, whatever the far side does.
 */
#pragma once

#include <gio/gio.h>

#include "model/check.h"
#include "model/reach.h"

/** Aims @probe at the port that a libvirt at @uri (nullable) listens at: left alone where there is
 * none. The host's name is @uri's. */
void ferry_libvirt_way_aim(FerryProbe *probe, GUri *uri);

/**
 * ferry_libvirt_way_judge:
 * @whose: "The destination's libvirt"
 * @text: the URI
 * @probe: aimed, and run (checks/port-probe.h) where it has a port
 * Adds `destination-libvirt`; where the port is open libvirt is greeted.
 */
void ferry_libvirt_way_judge(const char *whose,
                             const char *text,
                             const FerryProbe *probe,
                             FerryChecks *checks);
