/* resolver.h: goes on asking both hosts about migrations that ended in `error`.
 *
 * When the answer comes, `error` turns into `completed` or `failed`, told by one
 * migration.resolved. A thread of its own asks with back-off while there is something to ask about
 * and sleeps otherwise; an operator's order asks at once.
 *
 * Threads: new and free on main, the rest from any.
 */
#pragma once

#include <jansson.h>

#include "runtime/agent.h"
#include "source/saga.h"

typedef struct FerryResolver FerryResolver;

FerryResolver *ferry_resolver_new(const FerryAgent *agent, const FerrySaga *saga);

/** Joins the thread; end agent->stopping first, so that it does not wait for a peer. */
void ferry_resolver_free(FerryResolver *resolver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryResolver, ferry_resolver_free)

/** Something ended in `error`: look soon. */
void ferry_resolver_wake(gpointer resolver);

/**
 * ferry_resolver_resolve:
 * Asks both hosts now. One that was resolved already answers with what was found. @error:
 * FERRY_ERROR_MIGRATION_NOT_FOUND, or FERRY_ERROR_INVALID_MIGRATION_STATE when it is not in `error`
 * Returns: (transfer full): {"migration_id", "status", "evidence", "action"}; the status stays
 * `error` when the answer is not certain or the clean-up failed again: then "error" says why.
 */
json_t *ferry_resolver_resolve(FerryResolver *resolver,
                               const char *migration_id,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
