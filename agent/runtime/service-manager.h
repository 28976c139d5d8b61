/* service-manager.h: what systemd wants to hear: ready, alive, stopping. All of it does nothing
 * without libsystemd, or when systemd did not start us. Threads: main only.
 */
#pragma once

#include <glib.h>

/** Tells that requests are served from now on, and starts to feed the watchdog where there is
 * one. */
void ferry_service_manager_ready(GMainContext *context);
void ferry_service_manager_stopping(void);
