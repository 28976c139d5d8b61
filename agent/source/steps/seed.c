#include "config.h"

#include "source/steps/seed.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "files/copy-call.h"
#include "files/digests.h"
#include "files/far-volume.h"
#include "model/carried-file.h"
#include "model/file-answer.h"
#include "model/overlay.h"
#include "model/progress.h"
#include "peer/peer.h"
#include "runtime/fault-point.h"
#include "runtime/stall-timer.h"
#include "source/completion.h"
#include "source/lost-calls.h"
#include "source/migration-progress.h"
#include "source/overlay-room.h"
#include "source/source-image.h"
#include "virt/auto.h"
#include "virt/snapshot.h"
#include "virt/volume.h"

/* How often the watch looks at the copy. */
#define LOOK_MS 250
/* Between two attempts while a libvirtd is away. */
#define AGAIN_MS 1000

typedef struct {
    FerryMigration *migration;
    const FerryAgent *agent;
    const FerryInstance *instance;
    const GPtrArray *overlays;
    const char *to_uri;
    FerryProgress *progress;
} Seed;

/* How far an image is on its way. */
typedef struct {
    guint64 file_bytes; /* how long it is: of a qcow2 image not what the guest sees */
    guint64 arrived_bytes;
} Passage;

/* --- progress --------------------------------------------------------------------------------- */

static void
tell(const Seed *self)
{
    FerryProgressSample sample = {.phase = FERRY_PHASE_DISK, .time_us = g_get_monotonic_time()};

    ferry_progress_update(self->progress, &sample);
    ferry_migration_report_progress(self->migration, ferry_progress_to_json(self->progress));
}

/* What an earlier life sent is told by the file's length only: its share of the data is a guess,
 * and the whole is exact again at the end. */
static void
report(const Seed *self,
       const FerryOverlay *overlay,
       FerryDetachedCall *call,
       const Passage *passage)
{
    const FerryDisk *disk = ferry_instance_find_disk(self->instance, overlay->target);
    guint64 position = 0;
    guint64 sent = 0;
    guint64 before =
        (guint64)((double)disk->allocation_bytes *
                  ((double)passage->arrived_bytes / (double)MAX(passage->file_bytes, 1)));

    ferry_file_copy_call_count(call, &position, &sent);
    ferry_progress_set_disk(self->progress, overlay->target,
                            MIN(before + sent, disk->allocation_bytes), disk->allocation_bytes + 1);
    tell(self);
}

static void
report_whole(const Seed *self, const FerryOverlay *overlay)
{
    ferry_progress_set_disk_there(self->progress, overlay->target);
    tell(self);
}

/* --- one image -------------------------------------------------------------------------------- */

/* Whoever turned the disk back to its image also let the guest write to it: it is no seed any
 * more. */
static bool
is_frozen(const Seed *self, const FerryOverlay *overlay, GError **error)
{
    FerryTops tops = {0};
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    if (!connection ||
        !ferry_virt_tops_describe(connection, self->instance->uuid, overlay, &tops, error))
        return false;
    if (tops.live == FERRY_TOP_OVERLAY)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Order the migration again",
                    "The guest does not write to the overlay of disk '%s' any more",
                    overlay->target);
    return false;
}

/* Nobody makes a frozen image longer or shorter. */
static bool
measure(const Seed *self, const FerryOverlay *overlay, guint64 *ret_bytes, GError **error)
{
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    return connection && ferry_virt_volume_length(connection, overlay->image, ret_bytes, error);
}

static bool
ask_what_arrived(const Seed *self, const char *path, guint64 *ret_bytes, GError **error)
{
    return ferry_far_volume_length(self->to_uri, path, ferry_migration_cancellable(self->migration),
                                   ret_bytes, error);
}

/* A call that hangs is left behind when the migration is given up. @cancellable: what ends the
 * call, too. */
static bool
watch(const Seed *self,
      const FerryOverlay *overlay,
      FerryDetachedCall *call,
      const Passage *passage,
      GCancellable *cancellable,
      GError **error)
{
    while (ferry_detached_call_wait(call, LOOK_MS, cancellable) != FERRY_CALL_OVER) {
        report(self, overlay, call, passage);
        /* The guest writes to all of them, whichever image is on its way. */
        if (!ferry_overlay_room_check(self->overlays, error))
            return false;
        if (g_cancellable_is_cancelled(cancellable)) {
            ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "The seed was given up");
            return false;
        }
    }
    return ferry_detached_call_result(call, error);
}

static bool
copy_rest(const Seed *self, const FerryOverlay *overlay, const Passage *passage, GError **error)
{
    g_autofree char *from = ferry_source_image_path(self->agent, overlay->image);
    const FerryRoomQuestion question = ferry_migration_room_question(self->migration);

    if (!ferry_room_ask(&question, /* with_rest= */ true, error))
        return false;

    g_autoptr(FerryRoomWatch) room = ferry_room_watch_start(&question);
    GCancellable *cancellable = ferry_room_watch_cancellable(room);
    FerryFileCopyRequest request = {
        .virt = self->agent->virt,
        .to_uri = self->to_uri,
        .from_path = from,
        .to_path = overlay->image,
        .offset_bytes = passage->arrived_bytes,
        .rate = ferry_migration_rate(self->migration),
        .cancellable = cancellable,
    };

    if (passage->arrived_bytes > 0)
        g_message("Migration '%s': the seed of disk '%s' goes on at byte %" G_GUINT64_FORMAT,
                  ferry_migration_id(self->migration), overlay->target, passage->arrived_bytes);

    g_autoptr(FerryDetachedCall) call = ferry_file_copy_call_start(&request);

    return watch(self, overlay, call, passage, cancellable, error) ||
           ferry_room_watch_blame(room, error);
}

/* --- proof ------------------------------------------------------------------------------------ */

static FerryCarriedFile *
describe(const FerryOverlay *overlay, guint64 file_bytes, guint64 allocation_bytes)
{
    FerryCarriedFile *file =
        ferry_carried_file_new(FERRY_CARRIED_SEED, overlay->image, overlay->format, overlay->pool);

    file->file_bytes = file_bytes;
    file->data_bytes = allocation_bytes;
    return file;
}

/* A stream that ran through is as good as its connection. One that broke off left what it had
 * written to the far host's memory: should that host have gone down since, the file is as long
 * as before and may hold less. So both ends read what they have. */
static bool
prove(const Seed *self, const FerryOverlay *overlay, guint64 file_bytes, GError **error)
{
    const FerryRecord *record = ferry_migration_record(self->migration);
    const FerryDisk *disk = ferry_instance_find_disk(self->instance, overlay->target);
    g_autoptr(FerryCarriedFile) file = describe(overlay, file_bytes, disk->allocation_bytes);
    g_autofree char *from = ferry_source_image_path(self->agent, overlay->image);

    file->digest = ferry_digests_await(self->agent->digests, from,
                                       ferry_migration_cancellable(self->migration), error);
    if (!file->digest)
        return false;
    for (;;) {
        json_t *args = json_pack("{s:s, s:o}", "migration_id", record->migration_id, "file",
                                 ferry_carried_file_to_json(file));
        g_autoptr(FerryJson) object = ferry_peer_call(
            self->agent,
            &(FerryCall){.server = record->destination,
                         .method = "prepare_file",
                         .args = args,
                         .timeout_ms = self->agent->config->outcome_timeout_s * 1000,
                         .cancellable = ferry_migration_cancellable(self->migration)},
            error);
        g_autoptr(FerryFileAnswer) answer =
            object ? ferry_file_answer_from_json(object, error) : NULL;

        if (!answer || answer->state == FERRY_FILE_PRESENT)
            return answer != NULL;
        if (answer->state == FERRY_FILE_COPY)
            break;
    }
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Order the migration again",
                    "The seed of disk '%s' is not on the destination any more", overlay->target);
    return false;
}

static bool
send_once(const Seed *self, const FerryOverlay *overlay, Passage *passage, GError **error)
{
    if (!is_frozen(self, overlay, error) || !measure(self, overlay, &passage->file_bytes, error) ||
        !ask_what_arrived(self, overlay->image, &passage->arrived_bytes, error))
        return false;
    return passage->arrived_bytes == passage->file_bytes ||
           copy_rest(self, overlay, passage, error);
}

static bool
may_try_again(const Seed *self, const GError *why, FerryStallTimer *stall, guint64 arrived)
{
    gint64 limit_us = (gint64)self->agent->config->outcome_timeout_s * G_USEC_PER_SEC;
    bool lasts = ferry_stall_timer_allows(stall, arrived, g_get_monotonic_time(), limit_us);
    bool away = g_error_matches(why, FERRY_ERROR, FERRY_ERROR_HYPERVISOR_UNAVAILABLE) ||
                !ferry_virt_is_connected(self->agent->virt);

    return away && lasts &&
           !g_cancellable_is_cancelled(ferry_migration_cancellable(self->migration));
}

/* A libvirtd that is away for a while costs that while, not what was sent. */
static bool
send_image(const Seed *self, const FerryOverlay *overlay, GError **error)
{
    FerryStallTimer stall = {0};
    g_auto(FerryLostCalls) lost = {0};
    bool interrupted = false;

    for (;;) {
        Passage passage = {0};
        g_autoptr(GError) why = NULL;
        FerryLostCall call = {.agent = self->agent,
                              .host = ferry_migration_record(self->migration)->destination,
                              .cancellable = ferry_migration_cancellable(self->migration)};

        ferry_lost_calls_begin(&lost, &call);
        if (send_once(self, overlay, &passage, &why)) {
            interrupted = interrupted || passage.arrived_bytes > 0;
            report_whole(self, overlay);
            return !interrupted || prove(self, overlay, passage.file_bytes, error);
        }
        interrupted = interrupted || passage.arrived_bytes > 0;
        if (!may_try_again(self, why, &stall, passage.arrived_bytes)) {
            g_propagate_prefixed_error(error, g_steal_pointer(&why),
                                       "Disk '%s': ", overlay->target);
            return false;
        }
        call.position = passage.arrived_bytes;
        if (!ferry_lost_calls_allow(&lost, &call, error))
            return false;
        g_message("Migration '%s': the seed of disk '%s' waits: %s",
                  ferry_migration_id(self->migration), overlay->target, why->message);
        ferry_agent_pause(self->agent, AGAIN_MS, ferry_migration_cancellable(self->migration));
    }
}

/* --- the step --------------------------------------------------------------------------------- */

static bool
send_all(gpointer data, GError **error)
{
    const Seed *self = data;

    for (guint i = 0; i < self->overlays->len; i++)
        if (!send_image(self, g_ptr_array_index(self->overlays, i), error))
            return false;
    return true;
}

FerryStepEnd
ferry_seed_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(GPtrArray) overlays = ferry_overlays_new(instance, ferry_migration_id(migration));

    if (overlays->len == 0)
        return FERRY_STEP_DONE;

    g_autoptr(FerryProgress) progress = ferry_source_progress_new(migration, false);
    Seed self = {.migration = migration,
                 .agent = ferry_migration_agent(migration),
                 .instance = instance,
                 .overlays = overlays,
                 .to_uri = ferry_migration_migrate_data(migration)->libvirt_uri,
                 .progress = progress};

    ferry_migration_enter_phase(migration, FERRY_PHASE_DISK);
    return ferry_completion_run(migration, send_all, &self, error)
               ? FERRY_STEP_DONE
               : ferry_saga_step_broken(migration);
}
