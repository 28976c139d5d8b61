#include "config.h"

#include "source-fixture.h"

#include "source/steps/table.h"

void
source_set_up(SourceFixture *self, gconstpointer user_data)
{
    agent_set_up(&self->agent, "kvm01");
    self->path = agent_image(&self->agent, "web.qcow2");
    fake_image_write_qcow2(self->path, 8 * MIB);
    fake_pool_add("images", self->agent.images);

    g_autofree char *xml = agent_domain_xml(self->path, "qcow2");

    fake_domain_add(xml);
}

void
source_tear_down(SourceFixture *self, gconstpointer user_data)
{
    ferry_migration_unref(self->migration);
    g_free(self->path);
    agent_tear_down(&self->agent, user_data);
}

json_t *
source_migrate_data(const SourceFixture *self)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:[], s:[{s:s, s:s, s:s, s:s, s:I, s:b, s:b}], s:[], "
                     "s:n}",
                     "migration_id", MIGRATION, "host", "kvm02", "libvirt_uri",
                     "qemu+tls://kvm02/system", "migrate_uri", "tcp://kvm02", "pools", "volumes",
                     "target", "vda", "path", self->path, "pool", "images", "format", "qcow2",
                     "capacity_bytes", (json_int_t)(8 * MIB), "created", true, "seeded", false,
                     "files", "destination_xml");
}

static FerryRecord *
make_record(SourceFixture *self, FerryStatus status, json_t *options)
{
    FerryRecord *record = ferry_record_new(MIGRATION, FERRY_ROLE_SOURCE);

    record->instance_name = g_strdup("web-1");
    record->instance_uuid = g_strdup(UUID);
    record->source = g_strdup("kvm01");
    record->destination = g_strdup("kvm02");
    record->order = json_pack("{s:s, s:{s:s, s:o}}", "method", "live_migration", "args", "instance",
                              UUID, "options", options ? options : json_object());
    record->status = status;
    if (status != FERRY_STATUS_ACCEPTED) {
        record->instance_info = agent_instance_info(self->path, "qcow2", "running");
        record->migrate_data = source_migrate_data(self);
    }
    return record;
}

void
source_migration(SourceFixture *self, FerryStatus status, json_t *options)
{
    g_autoptr(GError) error = NULL;
    FerryRecord *record = make_record(self, status, options);
    FerryOrderOptions *parsed =
        ferry_order_options_parse(ferry_record_options(record), self->agent.config, &error);

    g_assert_no_error(error);
    g_assert_true(ferry_journal_add(self->agent.agent.journal, record, &error));
    g_assert_no_error(error);
    self->migration = ferry_migration_new(&self->agent.agent, record, parsed);
}

void
source_leave(SourceFixture *self)
{
    fake_domain_set_state(UUID, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_MIGRATED);
}

const FerrySagaStep *
source_step(const char *name)
{
    for (const FerrySagaStep *step = ferry_source_saga.steps; step->name; step++)
        if (g_strcmp0(step->name, name) == 0)
            return step;
    g_error("The source's saga has no step '%s'", name);
}
