/* cold.h: what may be ordered of an instance that is shut off. Any thread; looks at paths only.
 */
#pragma once

#include "model/check.h"
#include "model/instance.h"
#include "model/order-options.h"
#include "runtime/agent.h"

/** Adds the checks "path", "persistent" and "options", as far as they fail. */
void ferry_cold_check(const FerryAgent *agent,
                      FerryChecks *checks,
                      const FerryInstance *instance,
                      const FerryOrderOptions *options);
