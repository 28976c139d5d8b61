/* known-link.h: what the link to a destination carried in migrations before this one.
 *
 * Before the first byte nobody can measure a link. What the journal says of the last migrations to
 * the same host is the next best: the fastest mirror of them, since one that shared the link with
 * another was slower than it.
 *
 * Threads: any but main; blocks for the journal only.
 */
#pragma once

#include <glib.h>

#include "runtime/agent.h"

/** Returns: bytes a second; 0 where no migration without a limit has shown it. */
guint64 ferry_known_link_bytes_s(const FerryAgent *agent, const char *destination);
