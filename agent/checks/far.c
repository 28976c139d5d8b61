#include "config.h"

#include "checks/far.h"

#include "checks/client-key.h"
#include "checks/qemu-conf.h"
#include "checks/virtqueues.h"
#include "checks/way.h"
#include "ferry/clock.h"
#include "ferry/json.h"
#include "model/allowed-destination.h"
#include "model/thin-way.h"
#include "model/way-judge.h"
#include "peer/peer.h"
#include "virt/auto.h"
#include "virt/virt.h"

#define WAY_LIMIT_MS 1500

static json_t *
ask(const FerryAgent *agent, const FerryFarQuestion *question, GError **error)
{
    json_t *args = json_pack("{s:O}", "instance_info", question->instance_info);
    json_t *options = ferry_order_options_for_destination(question->options, question->settled);

    if (options)
        json_object_set_new(args, "options", options);
    return ferry_peer_call(agent,
                           &(FerryCall){.server = question->host,
                                        .method = "check_can_live_migrate_destination",
                                        .args = args,
                                        .timeout_ms = question->timeout_ms,
                                        .cancellable = question->cancellable},
                           error);
}

static char *
tls_priority(void)
{
    g_auto(GStrv) lines = ferry_qemu_conf_read(FERRY_QEMU_CONF);
    char *own = ferry_qemu_conf_text(lines, "migrate_tls_priority");

    return own ? own : ferry_qemu_conf_text(lines, "default_tls_priority");
}

static void
check_memory_way(const FerryOrderOptions *options,
                 const FerryInstance *instance,
                 const FerryHostVersions *there,
                 FerryChecks *way)
{
    const FerryHostVersions here = {instance->libvirt_version, instance->qemu_version};

    if (ferry_instance_is_shut_off(instance))
        return;
    if (options->post_copy)
        ferry_way_judge_post_copy(way, there);
    ferry_way_judge_connections(way, options, &here, there);

    g_autofree char *priority = options->tls ? tls_priority() : NULL;

    ferry_way_judge_tls(way, instance, options, priority);
}

/* What depends on the instance, too. */
static void
check_instance(const FerryAgent *agent,
               const FerryFarQuestion *question,
               const json_t *data,
               FerryChecks *way)
{
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(question->instance_info, NULL);

    if (!instance)
        return;
    const FerryHostVersions there = {ferry_json_get_string(data, "libvirt_version"),
                                     ferry_json_get_string(data, "qemu_version")};

    check_memory_way(question->settled, instance, &there, way);
    ferry_way_judge_seeds(way, instance, question->settled, json_object_get(data, "seeds"));
    ferry_check_virtqueues(agent, instance, &there, way);
    ferry_thin_way_place(instance, &there);
    ferry_check_client_key(instance, ferry_json_get_string(data, "libvirt_uri"), FERRY_CLIENT_KEY,
                           way);
    ferry_way_judge_keeps(way, instance, json_object_get(data, "keeps"));
}

FerryChecks *
ferry_far_check_run(const FerryAgent *agent,
                    const FerryFarQuestion *question,
                    FerryChecks *way,
                    GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);
    FerryWay taken = {.host = question->host,
                      .limit_ms = question->ports_limit_ms,
                      .cancellable = question->cancellable,
                      .asked_us = ferry_clock_now_us()};
    g_autoptr(FerryJson) answer = connection ? ask(agent, question, error) : NULL;
    g_autoptr(FerryChecks) there = answer ? ferry_checks_from_json(answer, error) : NULL;

    if (!there)
        return NULL;
    taken.answered_us = ferry_clock_now_us();
    ferry_way_check_run(agent, connection, &taken, json_object_get(answer, "dest_check_data"), way);
    check_instance(agent, question, json_object_get(answer, "dest_check_data"), way);
    return g_steal_pointer(&there);
}

void
ferry_far_check_way(const FerryAgent *agent, const char *host, FerryChecks *checks)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, &error);
    FerryWay way = {.host = host, .limit_ms = WAY_LIMIT_MS, .asked_us = ferry_clock_now_us()};
    g_autoptr(FerryJson) answer =
        connection && ferry_destination_check_allowed(agent->config, host, &error)
            ? ferry_peer_call(agent, &(FerryCall){.server = host, .method = "check_host"}, &error)
            : NULL;

    way.answered_us = ferry_clock_now_us();
    if (answer)
        ferry_way_check_run(agent, connection, &way, json_object_get(answer, "dest_check_data"),
                            checks);
    else
        ferry_checks_add_error(checks, "destination", error);
}
