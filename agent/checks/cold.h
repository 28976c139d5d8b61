/* cold.h: what an instance that is shut off may have, and what may be ordered of it. Any thread;
 * looks at paths only.
 */
#pragma once

#include "model/check.h"
#include "model/instance.h"
#include "model/order-options.h"
#include "runtime/agent.h"

/** Adds obstacles: what goes along with a running instance only. */
void ferry_cold_find_obstacles(const FerryAgent *agent, FerryInstance *instance);

/** Adds the checks "path", "persistent" and "options", as far as they fail. */
void ferry_cold_check(const FerryAgent *agent,
                      FerryChecks *checks,
                      const FerryInstance *instance,
                      const FerryOrderOptions *options);
