#include "config.h"

#include "peer/location.h"

#include "ferry/json.h"
#include "peer/peer.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/virt.h"

/* More journeys than an instance makes within a quarantine; it ends circles, too. */
#define MAX_HOSTS 6

void
ferry_location_clear(FerryLocation *location)
{
    g_clear_pointer(&location->host, g_free);
}

static FerryObservedState
look_here(const FerryAgent *agent, const char *uuid)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, NULL);

    return connection ? ferry_virt_domain_observe(connection, uuid) : FERRY_OBSERVED_UNREACHABLE;
}

/* Its last completed journey that @host knows, as list_migrations tells it. */
static json_t *
last_journey(const FerryAgent *agent, const char *host, const char *uuid)
{
    g_autoptr(FerryJson) answer =
        ferry_peer_call(agent,
                        &(FerryCall){.server = host,
                                     .method = "list_migrations",
                                     .args = json_pack("{s:s, s:s, s:i}", "instance", uuid,
                                                       "status", "completed", "limit", 1)},
                        NULL);

    return json_is_array(answer) ? json_incref(json_array_get(answer, 0)) : NULL;
}

/* Where @host saw it leave for; NULL when it did not. Returns: false when that is not known. */
static bool
find_next(const FerryAgent *agent, const char *host, const char *uuid, char **ret_next)
{
    g_autoptr(FerryJson) journey = last_journey(agent, host, uuid);
    const char *role = ferry_json_get_string(journey, "role");

    *ret_next = g_strcmp0(role, "source") == 0
                    ? g_strdup(ferry_json_get_string(journey, "destination"))
                    : NULL;
    return role != NULL;
}

FerryLocation
ferry_location_find(const FerryAgent *agent, const char *host, const char *instance_uuid)
{
    FerryLocation found = {.host = g_strdup(host), .observed = FERRY_OBSERVED_UNREACHABLE};

    for (guint asked = 0; asked < MAX_HOSTS; asked++) {
        g_autofree char *next = NULL;
        bool home = g_strcmp0(found.host, agent->config->host) == 0;
        FerryObservedState observed =
            home ? look_here(agent, instance_uuid)
                 : ferry_peer_observe(agent, found.host, instance_uuid, NULL, NULL);

        if (ferry_observed_state_is_dead(observed) &&
            !find_next(agent, found.host, instance_uuid, &next))
            return found;
        if (!next) {
            found.observed =
                observed == FERRY_OBSERVED_MIGRATED ? FERRY_OBSERVED_UNREACHABLE : observed;
            return found;
        }
        g_free(found.host);
        found.host = g_steal_pointer(&next);
    }
    return found;
}
