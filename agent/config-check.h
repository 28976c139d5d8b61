/* config-check.h: what --check-config does with a configuration that could be read: looks at the
 * files, folders and the broker that it names, as the user that the service runs as, and sums up.
 *
 * Threads: main, of a process that does nothing else: it becomes that user.
 */
#pragma once

#include "ferry/config.h"

/**
 * ferry_config_check:
 * @files: NULL-terminated: what @config was read from
 * Prints what is wrong to standard error and a summary to standard output. Changes nothing.
 * Returns: true when the agent can work with @config. A broker that is not reached is no mistake of
 * the configuration, one that refuses us is.
 */
bool ferry_config_check(const FerryConfig *config, const char *const *files);
