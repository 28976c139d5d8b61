/* silent-hosts.h: hosts that did not answer. Nobody knows all hosts, but the records of those that
 * answered name some. Main thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "session.h"

/** Complains, once each, of the hosts that records name and that are not in @hosts, which answered.
 * @records: (nullable) (element-type json_t): all that they have; NULL: they are asked for them.
 * Returns: true where there is such a host. */
bool ferry_silent_hosts_tell(FerrySession *session, char **hosts, const GPtrArray *records);
