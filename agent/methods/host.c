#include "config.h"

#include "checks/far.h"
#include "checks/own-host.h"
#include "checks/way.h"
#include "ferry/bus.h"
#include "ferry/clock.h"
#include "ferry/json.h"
#include "methods/arguments.h"
#include "methods/list.h"
#include "storage/instance-plan.h"
#include "storage/quarantine.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/host.h"
#include "virt/virt.h"

#define MAX_TIME_BYTES 64

bool
ferry_method_ping(FerryMethodCall *call, GError **error)
{
    const FerryMethodContext *context = call->context;
    g_autofree char *version = NULL;
    gint64 since_us = ferry_virt_standing(context->agent->virt, &version);
    g_autofree char *since = since_us > 0 ? ferry_clock_format_iso(since_us) : NULL;

    return ferry_method_answer(
        call, json_pack("{s:o, s:o, s:s, s:s, s:s, s:b, s:o, s:o}", "host",
                        ferry_json_text(context->agent->config->host), "machine",
                        ferry_json_text(g_get_host_name()), "version", PACKAGE_VERSION,
                        "api_version", FERRY_API_VERSION, "started_at", context->started_at,
                        "libvirt_connected", since_us > 0, "libvirt_since", ferry_json_text(since),
                        "libvirt_version", ferry_json_text(version)));
}

static json_t *
describe_slots(const FerryMethodContext *context)
{
    guint limit = context->agent->config->max_concurrent_live_migrations;
    guint used = 0;
    guint queued = 0;

    ferry_scheduler_count(ferry_source_scheduler(context->source), &used, &queued);
    return json_pack("{s:i, s:o, s:i}", "used", (int)used, "free",
                     limit ? json_integer(used < limit ? limit - used : 0) : json_null(), "queued",
                     (int)queued);
}

bool
ferry_method_describe_host(FerryMethodCall *call, GError **error)
{
    const FerryMethodContext *context = call->context;
    const FerryConfig *config = context->agent->config;
    g_autoptr(virConnect) connection = ferry_virt_connect(context->agent->virt, error);
    json_t *answer = connection ? ferry_virt_host_describe(connection, error) : NULL;

    if (!answer)
        return false;
    json_object_set_new(answer, "quarantine", ferry_quarantine_sum(context->agent));
    json_object_set_new(answer, "host", ferry_json_text(config->host));
    json_object_set_new(answer, "version", json_string(PACKAGE_VERSION));
    json_object_set_new(answer, "migration_address",
                        ferry_json_text(config->live_migration_inbound_addr));
    json_object_set_new(answer, "slots", describe_slots(context));
    return ferry_method_answer(call, answer);
}

bool
ferry_method_describe_instance(FerryMethodCall *call, GError **error)
{
    const FerryAgent *agent = call->context->agent;
    const char *name = ferry_field_name(&call->args, "instance", error);
    g_autoptr(virConnect) connection = name ? ferry_virt_connect(agent->virt, error) : NULL;
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find_named(connection, agent->config->host, name, error)
                   : NULL;
    g_autoptr(FerryInstance) instance = NULL;

    if (!domain)
        return false;

    FerryObservedState observed = ferry_virt_domain_observed_state(domain);

    instance = ferry_instance_plan_default(agent, connection, domain, error);
    if (!instance)
        return false;

    json_t *answer = ferry_instance_to_json(instance);

    json_object_set_new(answer, "observed_state",
                        json_string(ferry_observed_state_to_string(observed)));
    /* The name of before, for a source whose agent is older. */
    json_object_set_new(answer, "sight", json_string(ferry_observed_state_to_string(observed)));
    return ferry_method_answer(call, ferry_answer_named("instance_info", answer));
}

/* Of this host; with `host` also the way to that one. */
bool
ferry_method_check_host(FerryMethodCall *call, GError **error)
{
    const FerryAgent *agent = call->context->agent;
    g_autofree char *at = NULL;
    const char *host = NULL;

    if (!ferry_field_text(&call->args, "at", FERRY_FIELD_LINE, MAX_TIME_BYTES, &at, error) ||
        !ferry_field_optional_name(&call->args, "host", &host, error))
        return false;

    g_autoptr(FerryChecks) checks = ferry_own_host_check(agent, ferry_clock_parse_iso(at), error);

    if (!checks)
        return false;
    if (host)
        ferry_far_check_way(agent, host, checks);

    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);

    if (!connection)
        return false;

    json_t *answer = ferry_checks_to_json(checks);

    json_object_set_new(answer, "dest_check_data", ferry_way_check_data(agent, connection));
    return ferry_method_answer(call, answer);
}
