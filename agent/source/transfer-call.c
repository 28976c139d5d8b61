#include "config.h"

#include "source/transfer-call.h"

#include "ferry/json.h"
#include "model/chain.h"
#include "model/migrate-data.h"
#include "model/thin-way.h"
#include "source/disk-attempt.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/migrate.h"
#include "virt/redefine.h"
#include "virt/virt.h"

/* Immutable. */
typedef struct {
    FerryMigration *migration;
    virConnectPtr connection;
    virDomainPtr domain; /* on that connection */
    char *libvirt_uri;
    char *migrate_uri;
    GPtrArray *disks; /* targets, NULL-terminated */
    GPtrArray *unmap; /* those whose zeroes are to become holes, NULL-terminated */
    guint64 disk_share_mibps;
    guint64 switchover_mibps;
    bool in_full; /* backing files are copied along */
    FerryRedefinition becomes;
    bool synchronous; /* the guest's writes wait for the destination */
    bool resume;
} Call;

static void
call_free(gpointer data)
{
    Call *self = data;

    virDomainFree(self->domain);
    ferry_virt_let_go(self->connection);
    ferry_migration_unref(self->migration);
    g_ptr_array_unref(self->disks);
    g_ptr_array_unref(self->unmap);
    g_free(self->libvirt_uri);
    g_free(self->migrate_uri);
    ferry_redefinition_clear(&self->becomes);
    g_free(self);
}

static bool
or_default(FerryOption option, bool fallback)
{
    return option == FERRY_OPTION_DEFAULT ? fallback : option == FERRY_OPTION_YES;
}

guint64
ferry_transfer_disk_share(const FerryInstance *instance, guint64 bandwidth_mibps)
{
    guint disks = 0;

    for (guint i = 0; i < instance->disks->len; i++)
        disks += ((const FerryDisk *)g_ptr_array_index(instance->disks, i))->migrate;
    return bandwidth_mibps == 0 ? 0 : MAX(1, bandwidth_mibps / MAX(1, disks));
}

/* What QEMU is told of the link at the switchover; 0: nothing. Noted in the report, for a life of
 * the agent in which another limit holds. */
static guint64
tell_switchover(FerryMigration *migration)
{
    const FerryTuning tuning = ferry_migration_tuning(migration);
    guint64 mibps =
        ferry_switchover_mibps(&tuning, ferry_migration_agent(migration)->config,
                               ferry_migration_instance(migration)->libvirt_version,
                               ferry_migration_migrate_data(migration)->libvirt_version);

    if ((mibps > 0) != ferry_transfer_told_switchover(migration)) {
        ferry_migration_add_report(migration, json_pack("{s:b}", "told_switchover", mibps > 0));
        ferry_migration_save(migration);
    }
    return mibps;
}

bool
ferry_transfer_told_switchover(const FerryMigration *migration)
{
    const json_t *report = ferry_migration_record(migration)->report;

    return ferry_json_get_bool(report, "told_switchover", false);
}

static bool
run_call(gpointer data, GError **error)
{
    const Call *self = data;
    const FerryOrderOptions *options = ferry_migration_options(self->migration);
    const FerryConfig *config = ferry_migration_agent(self->migration)->config;
    bool was_persistent = virDomainIsPersistent(self->domain) == 1;
    FerryTransferParameters parameters = {
        .libvirt_uri = self->libvirt_uri,
        .migrate_uri = self->migrate_uri,
        .disks = (const char *const *)self->disks->pdata,
        .unmap = (const char *const *)self->unmap->pdata,
        .in_full = self->in_full,
        .dest_name = options->dest_name,
        .dest_xml = self->becomes.live,
        .persist_xml = self->becomes.persistent,
        .disk_bandwidth_mibps = self->disk_share_mibps,
        .persist_destination = or_default(options->persistent, was_persistent),
        .undefine_source = was_persistent && options->undefine_source,
        .paused = options->paused,
        .auto_converge = options->auto_converge,
        .auto_converge_initial = config->auto_converge_initial,
        .auto_converge_increment = config->auto_converge_increment,
        .switchover_mibps = self->switchover_mibps,
        .post_copy = options->post_copy,
        .resume_post_copy = self->resume,
        .tls = options->tls,
        .synchronous_writes = self->synchronous,
        .parallel_connections = options->parallel_connections,
    };

    return ferry_virt_migrate(self->domain, &parameters, error);
}

static void
find_targets(Call *self, const FerryInstance *instance, const FerryMigrateData *migrate_data)
{
    self->disks = g_ptr_array_new_with_free_func(g_free);
    self->unmap = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (!disk->migrate)
            continue;
        g_ptr_array_add(self->disks, g_strdup(disk->target));
        if (ferry_thin_way_of(instance, disk, migrate_data).detect_zeroes)
            g_ptr_array_add(self->unmap, g_strdup(disk->target));
    }
    g_ptr_array_add(self->disks, NULL);
    g_ptr_array_add(self->unmap, NULL);
}

static void
report_left_out(FerryMigration *migration, guint iothreads)
{
    if (iothreads == 0)
        return;
    g_message("Migration '%s': %u SCSI controllers of '%s' arrive outside of their iothreads; QEMU "
              "there cannot take a disk into one",
              ferry_migration_id(migration), iothreads, ferry_migration_instance(migration)->name);
    ferry_migration_add_report(migration, json_pack("{s:[s]}", "left_out", "scsi-iothread"));
    ferry_migration_save(migration);
}

static void
wake(gpointer watch)
{
    ferry_virt_watch_wake(watch);
}

FerryDetachedCall *
ferry_transfer_call_start(FerryMigration *migration,
                          FerryVirtWatch *watch,
                          bool resume,
                          GError **error)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    const FerryOrderOptions *options = ferry_migration_options(migration);
    const FerryMigrateData *migrate_data = ferry_migration_migrate_data(migration);
    g_autoptr(virConnect) connection =
        ferry_virt_connect(ferry_migration_agent(migration)->virt, error);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, instance->uuid, error) : NULL;

    g_auto(FerryRedefinition) becomes = {0};

    if (!domain || !ferry_redefinition_make(domain, instance, migrate_data, options->sparsify,
                                            &becomes, error))
        return NULL;
    report_left_out(migration, becomes.left_iothreads);

    Call *self = g_new0(Call, 1);
    FerryDetachedWork work = {.thread = "vf-transfer",
                              .func = run_call,
                              .data = self,
                              .free_data = call_free,
                              .ended = wake,
                              .ended_data = watch};

    self->migration = ferry_migration_ref(migration);
    self->connection = g_steal_pointer(&connection);
    self->domain = g_steal_pointer(&domain);
    self->libvirt_uri = g_strdup(migrate_data->libvirt_uri);
    self->migrate_uri = g_strdup(migrate_data->migrate_uri);
    find_targets(self, instance, migrate_data);
    self->disk_share_mibps =
        ferry_transfer_disk_share(instance, ferry_migration_tuning(migration).bandwidth_mibps);
    self->switchover_mibps = resume ? 0 : tell_switchover(migration);
    self->in_full = ferry_chain_is_flattened(instance);
    self->becomes = becomes;
    becomes = (FerryRedefinition){0};
    self->synchronous = ferry_disk_attempt_is_synchronous(migration);
    self->resume = resume;
    return ferry_detached_call_start(&work);
}
