/* far.h: a destination asked whether it can take an instance, and the way there looked at.
 *
 * Threads: any but main; blocks.
 */
#pragma once

#include <gio/gio.h>
#include <jansson.h>

#include "model/check.h"
#include "model/order-options.h"
#include "runtime/agent.h"

/* What is asked, and how patiently. */
typedef struct {
    const char *host; /* the destination */
    const json_t *instance_info;
    const json_t *options;            /* (nullable): of the order */
    const FerryOrderOptions *settled; /* what they mean here, for this instance */
    guint timeout_ms;          /* how long an agent that does not answer is asked again; 0: once */
    guint ports_limit_ms;      /* how long ports are tried */
    GCancellable *cancellable; /* (nullable): the agent's own when NULL */
} FerryFarQuestion;

/**
 * ferry_far_check_run:
 * @way: what is found of the way is added here (checks/way.h)
 * @error: the destination's own, or FERRY_ERROR_DESTINATION_UNREACHABLE: @way got nothing
 * Returns: (transfer full): the destination's results.
 */
FerryChecks *ferry_far_check_run(const FerryAgent *agent,
                                 const FerryFarQuestion *question,
                                 FerryChecks *way,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_far_check_way:
 * The way to @host alone, whatever the instance. Adds `destination` where its agent does not
 * answer, else what checks/way.h adds.
 */
void ferry_far_check_way(const FerryAgent *agent, const char *host, FerryChecks *checks);
