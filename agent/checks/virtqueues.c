#include "config.h"

#include "checks/virtqueues.h"

#include "model/way-judge.h"
#include "runtime/bounded-call.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/time-limits.h"
#include "virt/virt.h"
#include "virt/virtqueues.h"

typedef struct {
    const FerryAgent *agent;
    char *uuid;
    char *found;
} Question;

static void
question_free(gpointer data)
{
    Question *self = data;

    g_free(self->uuid);
    g_free(self->found);
    g_free(self);
}

static bool
run_question(gpointer data, GError **error)
{
    Question *self = data;
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, self->uuid, error) : NULL;

    return domain && ferry_virt_find_long_queue(domain, &self->found, error);
}

/* Returns: (transfer full): with what was found; NULL with @error. */
static Question *
ask(const FerryAgent *agent, const char *uuid, GError **error)
{
    Question *question = g_new0(Question, 1);
    FerryDetachedWork work = {
        .thread = "vf-queues", .func = run_question, .data = question, .free_data = question_free};

    question->agent = agent;
    question->uuid = g_strdup(uuid);
    return ferry_bounded_call(&work, FERRY_CHECK_LIMIT_S, "QEMU's answer about its queues",
                              agent->stopping, error);
}

void
ferry_check_virtqueues(const FerryAgent *agent,
                       const FerryInstance *instance,
                       const FerryHostVersions *there,
                       FerryChecks *checks)
{
    const FerryHostVersions here = ferry_instance_host_versions(instance);
    g_autoptr(GError) error = NULL;

    bool may_ask = agent->config->monitor_commands;
    bool made_here = ferry_way_has_long_queues(instance, &here, there);

    /* Brought here by a former journey: nothing but QEMU knows, so without it nothing is said. */
    if (!made_here && !(may_ask && ferry_way_may_bring_long_queues(instance, &here, there)))
        return;

    Question *answer = may_ask ? ask(agent, instance->uuid, &error) : NULL;
    FerryQueuesSeen seen = {.why = "[migration] monitor_commands is off, so QEMU was not asked"};

    if (answer) {
        seen.asked = true;
        seen.found = answer->found;
    } else if (error) {
        seen.why = error->message;
    }
    if (made_here || seen.found)
        ferry_way_judge_virtqueues(checks, instance, there, &seen);
    if (answer)
        question_free(answer);
}
