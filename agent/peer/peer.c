#include "config.h"

#include "peer/peer.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/patient-call.h"
#include "model/instance.h"

/* One question. A destination that needs longer finishes it all the same and answers the next one
 * from its journal; a question that died with the agent that had it should not cost much. */
#define ATTEMPT_MS 5000
/* How long a peer is waited for that answers pings and nothing else: a libvirt that has just been
 * set up or upgraded asks QEMU what it can. Less than the limit of a request of ours. */
#define SLOW_LIMIT_MS 30000
#define OBSERVE_TIMEOUT_MS 5000
#define FIRST_PAUSE_MS 500
#define LAST_PAUSE_MS 8000

bool
ferry_peer_is_silent(const GError *error)
{
    return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE) ||
           g_error_matches(error, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE) ||
           g_error_matches(error, FERRY_ERROR, FERRY_ERROR_JOURNAL_UNAVAILABLE);
}

/* Nobody can be asked, which says nothing about the peer. */
static bool
is_broker_away(const GError *error)
{
    return g_strcmp0(ferry_json_get_string(ferry_error_details(error), "reason"), "no-broker") == 0;
}

json_t *
ferry_peer_call(const FerryAgent *agent, const FerryCall *call, GError **error)
{
    g_autoptr(FerryJson) args = call->args;
    gint64 begun = g_get_monotonic_time();
    gint64 deadline = begun + (gint64)call->timeout_ms * 1000;
    gint64 outage_deadline = begun + (gint64)agent->config->outcome_timeout_s * G_USEC_PER_SEC;
    GCancellable *by = call->cancellable ? call->cancellable : agent->stopping;
    guint pause_ms = FIRST_PAUSE_MS;

    for (;;) {
        g_autoptr(GError) why = NULL;
        const FerryCall attempt = {
            .server = call->server,
            .method = call->method,
            .args = json_incref(args),
            .timeout_ms = ATTEMPT_MS,
            .cancellable = by,
        };
        json_t *result = ferry_patient_call(agent->bus, &attempt, SLOW_LIMIT_MS, &why);

        if (result)
            return result;
        /* The peer lost it as we did, and may find it again some time after us. */
        if (is_broker_away(why) && call->timeout_ms > 0)
            deadline = MAX(deadline, outage_deadline);
        if (!ferry_peer_is_silent(why) ||
            g_get_monotonic_time() + (gint64)pause_ms * 1000 > deadline ||
            g_cancellable_is_cancelled(by)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return NULL;
        }
        ferry_agent_pause(agent, pause_ms, by);
        pause_ms = MIN(pause_ms * 2, LAST_PAUSE_MS);
    }
}

bool
ferry_peer_is_busy(const GError *error)
{
    json_t *details = ferry_error_details(error);

    return details && ferry_json_get_bool(details, "retry", false);
}

/* An agent of before 0.1 calls it `sight`. */
static const char *
observed_word(const json_t *instance_info)
{
    const char *word = ferry_json_get_string(instance_info, "observed_state");

    return word ? word : ferry_json_get_string(instance_info, "sight");
}

FerryObservedState
ferry_peer_observe(const FerryAgent *agent,
                   const char *host,
                   const char *instance_uuid,
                   char **ret_reason,
                   GCancellable *cancellable)
{
    FerryObservedState observed = FERRY_OBSERVED_UNREACHABLE;
    g_autoptr(GError) error = NULL;
    const FerryCall question = {
        .server = host,
        .method = "describe_instance",
        .args = json_pack("{s:s}", "instance", instance_uuid),
        .timeout_ms = OBSERVE_TIMEOUT_MS,
        .cancellable = cancellable ? cancellable : agent->stopping,
    };
    g_autoptr(FerryJson) result = ferry_bus_call(agent->bus, &question, &error);

    if (ret_reason)
        *ret_reason = g_strdup(ferry_json_get_string(result, "state_reason"));
    if (result && ferry_observed_state_from_string(observed_word(result), &observed))
        return observed;
    return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND)
               ? FERRY_OBSERVED_ABSENT
               : FERRY_OBSERVED_UNREACHABLE;
}
