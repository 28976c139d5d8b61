#include "config.h"

#include "destination-fixture.h"

#include "ferry/json.h"
#include "files/digests.h"

void
destination_set_up(DestinationFixture *self, const char *disk)
{
    FerryAgent *agent = &self->agent.agent;

    agent_set_up(&self->agent, "kvm02");
    agent->digests = ferry_digests_new(agent->journal, agent->virt, agent->stopping);
    self->destination = ferry_destination_new(agent);
    self->path = agent_image(&self->agent, disk);
    self->info = agent_instance_info(self->path, "raw", "running");
}

void
destination_tear_down(DestinationFixture *self, gconstpointer user_data)
{
    g_cancellable_cancel(self->agent.agent.stopping);
    ferry_destination_free(self->destination);
    ferry_digests_free(self->agent.agent.digests);
    json_decref(self->info);
    g_free(self->path);
    agent_tear_down(&self->agent, user_data);
}

static void
accept(gpointer data)
{
}

json_t *
destination_prepare(DestinationFixture *self, GError **error)
{
    g_autoptr(FerryJson) order = json_pack(
        "{s:s, s:{s:s, s:O, s:{}, s:s}}", "method", "pre_live_migration", "args", "migration_id",
        MIGRATION, "instance_info", self->info, "options", "source", "kvm01");

    return ferry_destination_prepare(self->destination, MIGRATION, order, accept, NULL, error);
}

json_t *
destination_prepare_well(DestinationFixture *self)
{
    g_autoptr(GError) error = NULL;
    json_t *data = destination_prepare(self, &error);

    g_assert_no_error(error);
    return data;
}

json_t *
destination_roll_back(DestinationFixture *self)
{
    g_autoptr(GError) error = NULL;
    json_t *answer = ferry_destination_roll_back(self->destination, MIGRATION, &error);

    g_assert_no_error(error);
    return answer;
}
