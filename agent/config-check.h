/* config-check.h: what --check-config does: reads the configuration, looks at the files, folders
 * and the broker that it names, as the user that the service runs as, and sums up.
 *
 * Threads: main, of a process that does nothing else: it becomes that user.
 */
#pragma once

#include <stdbool.h>

/**
 * ferry_config_check:
 * @files: NULL-terminated: the files of the configuration
 * Prints all that is wrong to standard error and a summary to standard output. Changes nothing.
 * Returns: true when the agent can work with them. A broker that is not reached is no mistake of
 * the configuration, one that refuses us is; where none is named yet, the summary says so.
 */
bool ferry_config_check(const char *const *files, const char *standard);
