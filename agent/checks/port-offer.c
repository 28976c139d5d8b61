#include "config.h"

#include "checks/port-offer.h"

#include "checks/port-listener.h"
#include "checks/port-probe.h"
#include "ferry/json.h"
#include "model/way-judge.h"

#include <string.h>

#define ASK_MS 1000
/* The destination lets its ports go by its own clock. */
#define MARGIN_MS 300
#define LONGEST_MS 10000

void
ferry_port_offer_clear(FerryPortOffer *offer)
{
    g_clear_pointer(&offer->answer, json_decref);
    g_clear_error(&offer->error);
}

static void
read_ports(FerryPortOffer *offer, const char *address)
{
    const json_t *list = json_object_get(offer->answer, "ports");

    for (gsize i = 0; i < json_array_size(list) && offer->count < G_N_ELEMENTS(offer->probes);
         i++) {
        const json_t *each = json_array_get(list, i);
        json_int_t port = json_integer_value(json_object_get(each, "port"));
        const char *token = ferry_json_get_string(each, "token");

        if (port > 0 && port <= G_MAXUINT16 && token && strlen(token) == 2 * FERRY_PORT_TOKEN_HALF)
            offer->probes[offer->count++] =
                (FerryProbe){.host = address, .port = (guint16)port, .token = token};
    }
}

/* Asks once: what is answered late is of no use. The ports are ours from some moment after the
 * question on, so the time is counted from the question. */
void
ferry_port_offer_ask(const FerryAgent *agent,
                     const FerryWay *way,
                     const char *address,
                     FerryPortOffer *offer)
{
    gint64 asked_us = g_get_monotonic_time();
    const FerryCall call = {
        .server = way->host,
        .method = "open_migration_ports",
        .timeout_ms = ASK_MS,
        .cancellable = way->cancellable ? way->cancellable : agent->stopping,
    };

    offer->answer = ferry_bus_call(agent->bus, &call, &offer->error);
    if (!offer->answer)
        return;

    json_int_t for_ms = json_integer_value(json_object_get(offer->answer, "for_ms"));

    offer->until_us = asked_us + (CLAMP(for_ms, 0, LONGEST_MS) - MARGIN_MS) * 1000;
    read_ports(offer, address);
}

/* Returns: how long that port may be tried; 0: it is too late. */
static guint
limit_of(const FerryWay *way, const FerryPortOffer *offer)
{
    gint64 left_ms = (offer->until_us - g_get_monotonic_time()) / 1000;

    return left_ms <= 0 ? 0 : (guint)MIN(left_ms, (gint64)way->limit_ms);
}

static void
try_other_ports(const FerryWay *way, FerryPortOffer *offer)
{
    for (gsize i = 1; i < offer->count; i++)
        offer->probes[i].limit_ms = limit_of(way, offer);
    if (offer->probes[0].reach == FERRY_REACH_OPEN && limit_of(way, offer) > 0)
        ferry_port_probe_run(&offer->probes[1], offer->count - 1);
    else
        offer->count = 1;
}

/* The first port shows whether the address leads to the host that answered at all: at another one
 * the ports may be QEMU's, and the lower of them rather than the highest. */
void
ferry_port_offer_try(const FerryWay *way, FerryPortOffer *offer, FerryProbe *libvirt)
{
    FerryProbe first[2] = {0};
    gsize count = 0;

    if (libvirt->port > 0)
        first[count++] = *libvirt;
    if (offer->count > 0)
        offer->probes[0].limit_ms = limit_of(way, offer);
    if (offer->count > 0 && offer->probes[0].limit_ms > 0)
        first[count++] = offer->probes[0];
    else
        offer->count = 0;
    ferry_port_probe_run(first, count);
    if (libvirt->port > 0)
        *libvirt = first[0];
    if (offer->count > 0) {
        offer->probes[0] = first[count - 1];
        try_other_ports(way, offer);
    }
}

void
ferry_port_offer_judge(const FerryPortOffer *offer, const char *address, FerryChecks *checks)
{
    const char *why = ferry_json_get_string(offer->answer, "why");
    const json_t *range = json_object_get(offer->answer, "range");
    FerryPortsSeen seen = {
        .address = address,
        .first = (guint16)json_integer_value(json_object_get(range, "first")),
        .last = (guint16)json_integer_value(json_object_get(range, "last")),
        .probes = offer->probes,
        .count = offer->count,
        .why = offer->error ? offer->error->message
               : why        ? why
                            : "it named none in time",
    };

    ferry_way_judge_ports(checks, &seen);
}
