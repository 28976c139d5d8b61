#include "config.h"

#include "ferry/patient-call.h"

#include "ferry/error.h"
#include "ferry/json.h"

/* A ping needs nothing but the agent's main loop. */
#define PING_MS 2000
/* By how much longer than the last one a try waits. */
#define GROWTH 3

static bool
is_silence(const GError *error)
{
    return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE) &&
           g_strcmp0(ferry_json_get_string(ferry_error_details(error), "reason"), "no-answer") == 0;
}

static bool
is_alive(FerryBus *bus, const FerryCall *call)
{
    const FerryCall ping = {.server = call->server,
                            .method = "ping",
                            .timeout_ms = PING_MS,
                            .cancellable = call->cancellable};
    g_autoptr(FerryJson) answer = ferry_bus_call(bus, &ping, NULL);

    return answer != NULL;
}

static void
set_slow_error(GError **error, const FerryCall *call, guint limit_ms)
{
    GError *slow = ferry_error_new(
        FERRY_ERROR_DESTINATION_UNREACHABLE,
        "Its libvirt is busy or hangs: try `virsh capabilities` there. After a start or an upgrade "
        "libvirt needs some seconds; then order again",
        "virt-ferryd on %s runs, but has not answered '%s' in %u s", call->server, call->method,
        limit_ms / 1000);

    ferry_error_set_detail(slow, "reason", json_string("slow"));
    g_propagate_error(error, slow);
}

json_t *
ferry_patient_call(FerryBus *bus, const FerryCall *call, guint limit_ms, GError **error)
{
    const gint64 end_us = g_get_monotonic_time() + (gint64)limit_ms * 1000;
    g_autoptr(FerryJson) args = call->args;
    FerryCall attempt = *call;

    for (;;) {
        g_autoptr(GError) why = NULL;

        attempt.args = args ? json_incref(args) : NULL;
        json_t *result = ferry_bus_call(bus, &attempt, &why);
        if (result)
            return result;
        if (!is_silence(why) || !call->server || !is_alive(bus, call)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return NULL;
        }
        const gint64 left_ms = (end_us - g_get_monotonic_time()) / 1000;
        if (left_ms <= 0) {
            set_slow_error(error, call, limit_ms);
            return NULL;
        }
        attempt.timeout_ms = (guint)MIN(left_ms, (gint64)attempt.timeout_ms * GROWTH);
    }
}
