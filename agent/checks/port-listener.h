/* port-listener.h: the way to QEMU's ports, proven from the destination's side. QEMU takes whoever
 * connects to a port of its own for the migration that it waits for; so nobody else ever connects
 * there. Instead this agent listens for a moment at ports of the range that are free.
 *
 * libvirt hands out the lowest free port, tries it by binding to it, and a moment later QEMU
 * listens there. So the ports are taken from high in the range, where no QEMU is about to listen,
 * and are few; libvirt skips those that it finds taken.
 *
 * Who connects says the first half of a port's token and is answered with the second; then the port
 * is let go, at the latest after `for_ms`. Threads: any; the listening has one of its own.
 */
#pragma once

#include <jansson.h>

#include "checks/qemu-conf.h"

/* The bytes of each half of a token. */
#define FERRY_PORT_TOKEN_HALF 16

/**
 * ferry_port_listener_open:
 * Returns: (transfer full): {"range": {"first", "last"}, "ports": [{"port", "token"}], "for_ms",
 * "why"}: `ports` is empty where none can be spared now, and `why` says why.
 */
json_t *ferry_port_listener_open(FerryPortRange range);
