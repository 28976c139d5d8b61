#include "config.h"

#include "source/definition-call.h"

#include "ferry/json.h"
#include "virt/arrival.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/migrate.h"
#include "virt/redefine.h"
#include "virt/virt.h"

/* Immutable. */
typedef struct {
    FerryMigration *migration;
    char *uuid;
    char *libvirt_uri;
} Call;

static void
call_free(gpointer data)
{
    Call *self = data;

    ferry_migration_unref(self->migration);
    g_free(self->uuid);
    g_free(self->libvirt_uri);
    g_free(self);
}

static bool
run_call(gpointer data, GError **error)
{
    const Call *self = data;
    g_autoptr(virConnect) connection =
        ferry_virt_connect(ferry_migration_agent(self->migration)->virt, error);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, self->uuid, error) : NULL;

    g_autofree char *marked =
        domain ? ferry_virt_arrival_document(domain, ferry_migration_id(self->migration), error)
               : NULL;
    g_autofree char *placed =
        marked
            ? ferry_redefinition_of_definition(marked, ferry_migration_instance(self->migration),
                                               ferry_migration_migrate_data(self->migration), error)
            : NULL;
    FerryTransferParameters parameters = {
        .offline = true,
        .libvirt_uri = self->libvirt_uri,
        .dest_name = ferry_migration_options(self->migration)->dest_name,
        .dest_xml = placed,
    };

    return placed && ferry_virt_migrate(domain, &parameters, error);
}

FerryDetachedCall *
ferry_definition_call_start(FerryMigration *migration)
{
    Call *self = g_new0(Call, 1);
    FerryDetachedWork work = {
        .thread = "vf-define", .func = run_call, .data = self, .free_data = call_free};

    self->migration = ferry_migration_ref(migration);
    self->uuid = g_strdup(ferry_migration_instance(migration)->uuid);
    self->libvirt_uri = g_strdup(ferry_migration_migrate_data(migration)->libvirt_uri);
    return ferry_detached_call_start(&work);
}
