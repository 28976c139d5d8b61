/* log.h: where the agent's log goes: systemd's journal, a file, or standard error. Set up once, on
 * main, before other threads start.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** @log_file: (nullable): NULL for standard error, structured where that is systemd's journal.
 * @error: FERRY_ERROR_CONFIG when the file cannot be opened. */
bool ferry_log_open(const char *log_file, bool debug, GError **error) G_GNUC_WARN_UNUSED_RESULT;
