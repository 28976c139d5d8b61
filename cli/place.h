/* place.h: where an instance is, and what was meant where nobody knows its name. Main thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "route.h"
#include "session.h"

/** Returns: true when nobody has to be asked: the source is named, and @name is no beginning of a
 * UUID. Pure. */
bool ferry_place_is_complete(const FerryRoute *route, const char *name);

/**
 * ferry_place_complete:
 * @route: where its source is left out, every agent is asked, and the one host that has the
 *   instance is filled in
 * @name: the instance's name, UUID, or the beginning of that
 * @error: FERRY_ERROR_INSTANCE_NOT_FOUND, with the nearest name; FERRY_ERROR_INVALID_REQUEST when
 *   several hosts have it, whatever its state there: nothing is guessed about an instance
 * Returns: (transfer full): the name to order with; NULL with @error set.
 */
char *ferry_place_complete(FerrySession *session,
                           FerryRoute *route,
                           const char *name,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Adds to @error, if it says that there is no such instance or host, the nearest name that there
 * is. Asks the agents for that. @instance: (nullable): the name that was ordered. @hosts:
 * (nullable) the names of hosts that were, NULL-terminated. */
void ferry_place_explain(FerrySession *session,
                         const char *instance,
                         const char *const *hosts,
                         GError *error);
