#include "config.h"

#include "source/cold-transfer.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "files/digests.h"
#include "files/rights.h"
#include "model/progress.h"
#include "peer/peer.h"
#include "runtime/fault-point.h"
#include "source/definition-call.h"
#include "source/file-carrier.h"
#include "source/migration-progress.h"
#include "source/source-image.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/virt.h"

#include <errno.h>
#include <sys/stat.h>

#define TELL_PERIOD_US (G_USEC_PER_SEC / 2)
/* So much longer an agent that stops waits for a definition under way. */
#define STOP_GRACE_MS 1000

typedef struct {
    FerryMigration *migration;
    const FerryInstance *instance;
    GPtrArray *files; /* FerryCarriedFile */
    GPtrArray *disks; /* FerryDisk; whose image each is, NULL for one that is of no disk */
    FerryProgress *progress;
    const FerryDisk *disk; /* whose image is carried now */
    guint64 arrived_bytes; /* of it, before this life of the agent */
    guint64 sent_bytes;
    gint64 told_us;
} Cold;

static void
cold_clear(Cold *self)
{
    g_ptr_array_unref(self->files);
    g_ptr_array_unref(self->disks);
    ferry_progress_free(self->progress);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cold, cold_clear)

/* --- progress --------------------------------------------------------------------------------- */

static void
tell(Cold *self, gint64 now)
{
    FerryProgressSample sample = {.phase = FERRY_PHASE_DISK, .time_us = now};

    ferry_progress_update(self->progress, &sample);
    ferry_migration_report_progress(self->migration, ferry_progress_to_json(self->progress));
    self->told_us = now;
}

static void
on_sent(const FerryCarriedFile *file, guint64 sent_bytes, gpointer data)
{
    Cold *self = data;
    gint64 now = g_get_monotonic_time();

    if (self->disk)
        ferry_progress_set_disk(self->progress, self->disk->target,
                                MIN(self->arrived_bytes + sent_bytes, file->data_bytes),
                                MAX(file->data_bytes, 1));
    if (now - self->told_us >= TELL_PERIOD_US)
        tell(self, now);
}

/* What the journal's last progress says of the disk. */
static guint64
arrived_before(const Cold *self, const FerryDisk *disk)
{
    const json_t *progress = ferry_migration_record(self->migration)->progress;
    const json_t *disks = json_object_get(json_object_get(progress, "disk"), "disks");

    return (guint64)MAX(
        0, ferry_json_get_int(json_object_get(disks, disk->target), "processed_bytes", 0));
}

/* --- files ------------------------------------------------------------------------------------ */

static void
add_file(Cold *self, FerryCarriedFile *file, const FerryDisk *disk)
{
    g_ptr_array_add(self->files, file);
    g_ptr_array_add(self->disks, (gpointer)disk);
}

static void
add_disk(Cold *self, const FerryDisk *disk)
{
    FerryCarriedFile *file =
        ferry_carried_file_new(FERRY_CARRIED_IMAGE, disk->source, disk->format, disk->pool);

    file->file_bytes = disk->file_bytes;
    file->data_bytes = MIN(disk->allocation_bytes, disk->file_bytes);
    ferry_progress_add_disk(self->progress, disk->target, disk->capacity_bytes, file->data_bytes);
    add_file(self, file, disk);
}

/* A running guest's are carried by QEMU. */
static bool
add_variables(Cold *self, const char *path, GError **error)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        int code = errno;
        g_autofree char *folder = g_path_get_dirname(path);
        g_autofree char *hint = ferry_rights_hint(folder, code, "x");

        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, hint,
                        "The firmware's variables '%s' cannot be looked at: %s", path,
                        g_strerror(code));
        return false;
    }

    FerryCarriedFile *file =
        ferry_carried_file_new(FERRY_CARRIED_IMAGE, path, "raw", /* pool= */ NULL);

    file->file_bytes = file->data_bytes = (guint64)st.st_size;
    add_file(self, file, /* disk= */ NULL);
    return true;
}

static bool
list_files(Cold *self, GError **error)
{
    for (guint i = 0; i < self->instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(self->instance->disks, i);

        if (disk->migrate)
            add_disk(self, disk);
    }
    return !self->instance->nvram || add_variables(self, self->instance->nvram, error);
}

static bool
carry_all(Cold *self, GError **error)
{
    FerryFileCarrier carrier = ferry_migration_file_carrier(self->migration);

    for (guint i = 0; i < self->files->len; i++) {
        FerryCarriedFile *file = g_ptr_array_index(self->files, i);
        FerryCarrierResult result = {0};

        self->disk = g_ptr_array_index(self->disks, i);
        self->arrived_bytes = self->disk ? arrived_before(self, self->disk) : 0;
        if (!ferry_file_carrier_bring(&carrier, file, on_sent, self, &result, error)) {
            g_prefix_error(error, "File '%s': ", file->path);
            return false;
        }
        self->sent_bytes += result.sent_bytes;
        self->arrived_bytes = file->data_bytes;
        on_sent(file, 0, self);
    }
    return true;
}

/* --- the moment before ------------------------------------------------------------------------ */

static bool
refuse_changed(const Cold *self, const char *how, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_INSTANCE_INVALID_STATE,
                    "Leave it alone while it moves, or move it running",
                    "The instance '%s' %s while its files were carried", self->instance->name, how);
    return false;
}

static bool
is_still_shut_off(const Cold *self, virConnectPtr connection, GError **error)
{
    FerryObservedState observed = ferry_virt_domain_observe(connection, self->instance->uuid);

    if (observed == FERRY_OBSERVED_ABSENT)
        return refuse_changed(self, "was undefined", error);
    if (observed == FERRY_OBSERVED_UNREACHABLE) {
        ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE, "Send the order again",
                        "Whether '%s' was started meanwhile cannot be seen", self->instance->name);
        return false;
    }
    return ferry_observed_state_is_dead(observed) || refuse_changed(self, "was started", error);
}

/* Started and stopped again it looks as before, but for what it wrote. Cheap where nobody wrote:
 * what a file holds is remembered. */
static bool
is_unchanged(const Cold *self, const FerryCarriedFile *file, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(self->migration);
    g_autofree char *path = ferry_source_image_path(agent, file->path);
    g_autofree char *digest = ferry_digests_await(
        agent->digests, path, ferry_migration_cancellable(self->migration), error);

    if (!digest)
        return false;
    return g_strcmp0(digest, file->digest) == 0 || refuse_changed(self, "was written to", error);
}

static bool
is_as_it_was(const Cold *self, virConnectPtr connection, GError **error)
{
    /* Seen running is the better reason than an image that is written to. */
    if (!is_still_shut_off(self, connection, error))
        return false;
    for (guint i = 0; i < self->files->len; i++)
        if (!is_unchanged(self, g_ptr_array_index(self->files, i), error))
            return false;
    return is_still_shut_off(self, connection, error);
}

/* --- the definition --------------------------------------------------------------------------- */

/* libvirt cannot be told to stop it, so an abort waits for its end as everybody does: until then
 * nobody knows where the instance is. Returns: false when the agent stops before. */
static bool
await_definition(const Cold *self, FerryDetachedCall *call, GError **error)
{
    while (ferry_detached_call_wait(call, STOP_GRACE_MS, NULL) != FERRY_CALL_OVER) {
        if (!ferry_migration_is_detached(self->migration))
            continue;
        ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL,
                        "The definition of '%s' was not waited for", self->instance->name);
        return false;
    }
    return true;
}

static bool
is_defined_there(const Cold *self)
{
    FerryObservedState observed = ferry_peer_observe(
        ferry_migration_agent(self->migration),
        ferry_migration_record(self->migration)->destination, self->instance->uuid, NULL, NULL);

    return observed == FERRY_OBSERVED_SHUT_OFF || observed == FERRY_OBSERVED_RUNNING;
}

static bool
bring_over(Cold *self, FerryTransferResult *result, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(self->migration);

    if (!list_files(self, error))
        return false;
    ferry_source_progress_go_on(self->progress, ferry_migration_record(self->migration));
    if (!carry_all(self, error))
        return false;

    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);

    if (!connection || !is_as_it_was(self, connection, error))
        return false;
    if (ferry_migration_abort_requested(self->migration)) {
        ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "The migration was aborted by order");
        return false;
    }
    ferry_fault_point("define", "begin");

    g_autoptr(FerryDetachedCall) call = ferry_definition_call_start(self->migration);

    if (!await_definition(self, call, error))
        return false;
    if (!ferry_detached_call_result(call, &result->error))
        g_message("Migration '%s': %s", ferry_migration_id(self->migration),
                  result->error->message);
    ferry_fault_point("define", "end");
    return true;
}

bool
ferry_cold_transfer_run(FerryMigration *migration,
                        bool resumed,
                        FerryTransferResult *ret_result,
                        GError **error)
{
    gint64 begun_us = g_get_monotonic_time();
    g_auto(Cold) self = {
        .migration = migration,
        .instance = ferry_migration_instance(migration),
        .files = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_carried_file_free),
        .disks = g_ptr_array_new(),
        .progress = ferry_progress_new(begun_us, /* memory_bytes= */ 0),
    };

    ferry_migration_enter_phase(migration, FERRY_PHASE_DISK);
    if (resumed && is_defined_there(&self))
        return true;
    if (!bring_over(&self, ret_result, error)) {
        ret_result->detached = ferry_migration_is_detached(migration);
        return false;
    }
    ferry_progress_finish(self.progress, g_get_monotonic_time());
    tell(&self, g_get_monotonic_time());
    ret_result->moved_bytes = self.sent_bytes;
    ret_result->disk_ms = (guint64)(g_get_monotonic_time() - begun_us) / 1000;
    return true;
}
