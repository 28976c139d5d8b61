#include "config.h"

#include "ferry/json.h"
#include "methods/arguments.h"
#include "methods/list.h"
#include "model/disk-plan.h"
#include "storage/quarantine.h"
#include "virt/auto.h"
#include "virt/chain.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/host.h"
#include "virt/virt.h"

json_t *
ferry_method_describe_host(const FerryMethodContext *context, FerryRequest *request, GError **error)
{
    const FerryConfig *config = context->agent->config;
    guint used = 0;
    guint queued = 0;
    g_autoptr(virConnect) connection = ferry_virt_connect(context->agent->virt, error);
    json_t *answer = connection ? ferry_virt_host_describe(connection, error) : NULL;

    if (!answer)
        return NULL;
    ferry_scheduler_count(ferry_source_scheduler(context->source), &used, &queued);

    guint limit = config->max_concurrent_live_migrations;

    json_object_set_new(answer, "quarantine", ferry_quarantine_sum(context->agent));
    json_object_set_new(answer, "host", ferry_json_text(config->host));
    json_object_set_new(answer, "version", json_string(PACKAGE_VERSION));
    json_object_set_new(answer, "migration_address",
                        ferry_json_text(config->live_migration_inbound_addr));
    json_object_set_new(
        answer, "slots",
        json_pack("{s:i, s:o, s:i}", "used", (int)used, "free",
                  limit ? json_integer(used < limit ? limit - used : 0) : json_null(), "queued",
                  (int)queued));
    return answer;
}

json_t *
ferry_method_describe_instance(const FerryMethodContext *context,
                               FerryRequest *request,
                               GError **error)
{
    const char *name = ferry_argument_name(ferry_request_args(request), "instance", error);
    g_autoptr(virConnect) connection =
        name ? ferry_virt_connect(context->agent->virt, error) : NULL;
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, name, error) : NULL;
    g_autoptr(FerryInstance) instance = NULL;

    if (!domain)
        return NULL;

    FerryObservedState observed = ferry_virt_domain_observed_state(domain);

    instance = ferry_virt_domain_describe(connection, domain, error);
    if (!instance)
        return NULL;
    ferry_virt_chain_follow(connection, instance,
                            (const char *const *)context->agent->config->allowed_paths);
    if (!ferry_disk_plan_make(instance, NULL, error))
        return NULL;

    json_t *answer = ferry_instance_to_json(instance);

    json_object_set_new(answer, "observed_state",
                        json_string(ferry_observed_state_to_string(observed)));
    /* The name of before, for a source whose agent is older. */
    json_object_set_new(answer, "sight", json_string(ferry_observed_state_to_string(observed)));
    return ferry_answer_named("instance_info", answer);
}
