/* daemon.h: the agent put together, from configuration to exit. The only place that names both
 * messages and machines.
 */
#pragma once

#include "ferry/config.h"

/**
 * ferry_daemon_run:
 * Threads: main. Returns when a signal told it to stop: the exit status. SIGTERM and SIGINT stop
 * taking orders, leave transfers to libvirt and flush events; a second one exits at once.
 */
int ferry_daemon_run(const FerryConfig *config);
