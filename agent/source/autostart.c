#include "config.h"

#include "source/autostart.h"

#include "runtime/bounded-call.h"
#include "virt/auto.h"
#include "virt/definition.h"
#include "virt/domain.h"
#include "virt/time-limits.h"
#include "virt/virt.h"

typedef struct {
    FerryMigration *migration;
    bool seen;
    bool autostart;
} Look;

static void
look_free(gpointer data)
{
    Look *self = data;

    ferry_migration_unref(self->migration);
    g_free(self);
}

/* The agent that kept it for the time after a quarantine did not write that with it. */
static void
keep_with_definition(const Look *self, virConnectPtr connection)
{
    const FerryRecord *record = ferry_migration_record(self->migration);
    g_autoptr(GError) error = NULL;

    if (self->autostart &&
        ferry_migration_options(self->migration)->source_disks == FERRY_SOURCE_DISKS_QUARANTINE &&
        !ferry_virt_definition_keep(ferry_migration_agent(self->migration), connection,
                                    record->migration_id, record->instance_uuid, &error))
        g_warning("Migration '%s': %s", record->migration_id, error->message);
}

static bool
look(gpointer data, GError **error)
{
    Look *self = data;
    g_autoptr(virConnect) connection =
        ferry_virt_connect(ferry_migration_agent(self->migration)->virt, error);

    if (!connection)
        return false;
    self->seen = ferry_virt_domain_tells_autostart(
        connection, ferry_migration_record(self->migration)->instance_uuid, &self->autostart);
    keep_with_definition(self, connection);
    return true;
}

void
ferry_source_autostart_recall(FerryMigration *migration)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(GError) error = NULL;
    Look *self = NULL;

    if (!instance || instance->autostart_told || !instance->persistent)
        return;
    self = g_new0(Look, 1);
    self->migration = ferry_migration_ref(migration);
    self = ferry_bounded_call(
        &(FerryDetachedWork){
            .thread = "vf-check", .func = look, .data = self, .free_data = look_free},
        FERRY_CHECK_LIMIT_S, "Looking at the autostart of the instance",
        ferry_migration_agent(migration)->stopping, &error);
    if (!self) {
        g_message("Migration '%s': %s", ferry_migration_id(migration), error->message);
        return;
    }
    if (self->seen)
        ferry_migration_set_autostart(migration, self->autostart);
    look_free(self);
}
