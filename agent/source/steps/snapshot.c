#include "config.h"

#include "source/steps/snapshot.h"

#include "ferry/error.h"
#include "journal/journal.h"
#include "model/overlay.h"
#include "model/paths.h"
#include "runtime/fault-point.h"
#include "source/source-image.h"
#include "virt/auto.h"
#include "virt/domain-state.h"
#include "virt/domain.h"
#include "virt/snapshot-call.h"
#include "virt/snapshot.h"
#include "virt/time-limits.h"
#include "virt/volume.h"

#define STALL_US (FERRY_COMMIT_STALL_S * G_USEC_PER_SEC)
/* Between two looks whether the agent stops. */
#define SLICE_MS 500
/* A domain that is started for its commit alone is not held longer. */
#define STILL_MS (10 * 60 * 1000)
/* The detail of an intended overlay that only we know of. */
#define UNUSED "unused"

typedef struct {
    FerryMigration *migration;
    const FerryAgent *agent;
    const char *uuid;
    virConnectPtr connection;
    GPtrArray *overlays;
    GPtrArray *creations; /* what the journal has of this migration here */
} Freeze;

static FerryCreation *
creation_of(const Freeze *self, const FerryOverlay *overlay)
{
    return ferry_creations_find(self->creations, FERRY_CREATION_VOLUME, overlay->overlay);
}

static bool
note(const Freeze *self,
     FerryCreation *creation,
     FerryCreationState state,
     const char *detail,
     GError **error)
{
    creation->state = state;
    return ferry_journal_creation_set(self->agent->journal, creation->id, state, detail, error);
}

/* The folder may be closed to the agent's user: then libvirt has to know. */
static bool
exists(const Freeze *self, const FerryOverlay *overlay)
{
    g_autoptr(virStorageVol) volume =
        ferry_virt_volume_find(self->connection, overlay->overlay, NULL);

    return volume || ferry_path_presence(overlay->overlay) == FERRY_PATH_THERE;
}

/* --- freezing --------------------------------------------------------------------------------- */

/* @ret: whether each seeded disk writes to @top. */
static bool
all_write_to(const Freeze *self, FerryTop top, bool *ret, GError **error)
{
    *ret = true;
    for (guint i = 0; i < self->overlays->len; i++) {
        FerryTops tops = {0};

        if (!ferry_virt_tops_describe(self->connection, self->uuid,
                                      g_ptr_array_index(self->overlays, i), &tops, error))
            return false;
        *ret = *ret && tops.live == top;
    }
    return true;
}

static bool
intend(const Freeze *self, const FerryOverlay *overlay, GError **error)
{
    gint64 id = 0;

    if (!ferry_path_check(overlay->overlay, (const char *const *)self->agent->config->allowed_paths,
                          NULL, error))
        return false;
    if (exists(self, overlay)) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "Look whose it is and move it away, or mirror: storage_strategy",
                        "The file '%s' is there already", overlay->overlay);
        return false;
    }
    if (creation_of(self, overlay))
        return true;

    const FerryIntention intention = {
        .migration_id = ferry_migration_id(self->migration),
        .kind = FERRY_CREATION_VOLUME,
        .pool = overlay->pool ? overlay->pool : "",
        .path = overlay->overlay,
    };

    return ferry_journal_creation_add(self->agent->journal, &intention, &id, error);
}

static GPtrArray *
creations_of(const Freeze *self, GError **error)
{
    return ferry_journal_creations(self->agent->journal, ferry_migration_id(self->migration),
                                   error);
}

static bool
note_all(const Freeze *self, FerryCreationState state, const char *detail, GError **error)
{
    g_autoptr(GPtrArray) creations = creations_of(self, error);

    for (guint i = 0; creations && i < self->overlays->len; i++) {
        const FerryOverlay *overlay = g_ptr_array_index(self->overlays, i);
        FerryCreation *creation =
            ferry_creations_find(creations, FERRY_CREATION_VOLUME, overlay->overlay);

        if (creation && !note(self, creation, state, detail, error))
            return false;
    }
    return creations != NULL;
}

/* Right after they are made, while the guest writes to them. */
static bool
identify_all(const Freeze *self, GError **error)
{
    for (guint i = 0; i < self->overlays->len; i++) {
        const FerryOverlay *overlay = g_ptr_array_index(self->overlays, i);

        if (!ferry_source_image_note(self->migration, overlay->overlay, error))
            return false;
    }
    return true;
}

/* @created: the overlays are there, unused. */
static bool
call(const Freeze *self, bool created, GError **error)
{
    /* One of its own: the call may be left behind with it. */
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, self->uuid, error) : NULL;

    if (!domain)
        return false;

    const FerrySnapshotTarget target = {g_steal_pointer(&connection), g_steal_pointer(&domain),
                                        self->overlays, created};

    return ferry_snapshot_call_run(&target, ferry_migration_cancellable(self->migration), error);
}

/* As QEMU's user may open it: like the image. */
static bool
create_overlay(const Freeze *self, const FerryOverlay *overlay, GError **error)
{
    const FerryDisk *disk =
        ferry_instance_find_disk(ferry_migration_instance(self->migration), overlay->target);

    return ferry_virt_overlay_create(self->connection, overlay, &disk->owner, error) &&
           ferry_source_image_note(self->migration, overlay->overlay, error);
}

static bool
create_all(const Freeze *self, GError **error)
{
    for (guint i = 0; i < self->overlays->len; i++)
        if (!create_overlay(self, g_ptr_array_index(self->overlays, i), error))
            return false;
    return true;
}

/* libvirt said no, and the guest is seen to write to its images as before. */
static bool
is_refused(const Freeze *self, const GError *why)
{
    bool as_before = false;

    return g_error_matches(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_ERROR) &&
           all_write_to(self, FERRY_TOP_IMAGE, &as_before, NULL) && as_before;
}

/* libvirt makes overlays as root, and dynamic_ownership = 0 leaves them so; ours belong to whom the
 * images belong. QEMU knows of none that the journal has as unused. */
static bool
snapshot_onto_own(const Freeze *self, GError **error)
{
    g_autoptr(GError) why = NULL;

    g_message("Migration '%s': QEMU may not open what libvirt makes for it; its overlays are made "
              "like its images",
              ferry_migration_id(self->migration));
    if (!note_all(self, FERRY_CREATION_INTENDED, UNUSED, error) || !create_all(self, error) ||
        !note_all(self, FERRY_CREATION_INTENDED, NULL, error))
        return false;
    if (call(self, true, &why))
        return true;
    if (is_refused(self, why) && !note_all(self, FERRY_CREATION_INTENDED, UNUSED, error))
        return false;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* libvirt made none, or took them away again. */
static bool
none_is_there(const Freeze *self)
{
    for (guint i = 0; i < self->overlays->len; i++)
        if (exists(self, g_ptr_array_index(self->overlays, i)))
            return false;
    return true;
}

static bool
snapshot(const Freeze *self, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (call(self, false, &why))
        return true;
    if (ferry_virt_snapshot_was_forbidden(why) && is_refused(self, why) && none_is_there(self))
        return snapshot_onto_own(self, error);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

static bool
make_snapshot(const Freeze *self, GError **error)
{
    for (guint i = 0; i < self->overlays->len; i++)
        if (!intend(self, g_ptr_array_index(self->overlays, i), error))
            return false;
    ferry_fault_point("overlay", "begin");
    if (!snapshot(self, error))
        return false;
    ferry_fault_point("overlay", "end");
    return true;
}

static bool
freeze(const Freeze *self, bool resumed, GError **error)
{
    bool stand = false;

    if (resumed && !all_write_to(self, FERRY_TOP_OVERLAY, &stand, error))
        return false;
    return (stand || make_snapshot(self, error)) && identify_all(self, error) &&
           note_all(self, FERRY_CREATION_MADE, NULL, error);
}

FerryStepEnd
ferry_snapshot_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(GPtrArray) overlays = ferry_overlays_new(instance, ferry_migration_id(migration));
    const FerryAgent *agent = ferry_migration_agent(migration);

    if (overlays->len == 0)
        return FERRY_STEP_DONE;

    g_autoptr(GPtrArray) creations =
        ferry_journal_creations(agent->journal, ferry_migration_id(migration), error);
    g_autoptr(virConnect) connection = creations ? ferry_virt_connect(agent->virt, error) : NULL;
    Freeze self = {.migration = migration,
                   .agent = agent,
                   .uuid = instance->uuid,
                   .connection = connection,
                   .overlays = overlays,
                   .creations = creations};

    return creations && connection && freeze(&self, resumed, error) ? FERRY_STEP_DONE
                                                                    : FERRY_STEP_FAILED;
}

bool
ferry_snapshot_step_leave(FerryMigration *migration, GError **error)
{
    g_autoptr(GPtrArray) overlays =
        ferry_overlays_new(ferry_migration_instance(migration), ferry_migration_id(migration));
    Freeze self = {
        .migration = migration, .agent = ferry_migration_agent(migration), .overlays = overlays};

    return overlays->len == 0 || note_all(&self, FERRY_CREATION_DELIVERED, NULL, error);
}

/* --- thawing ---------------------------------------------------------------------------------- */

/* @ret_off: the guest ended meanwhile, and with it the block job. */
static bool
commit(const Freeze *self, guint index, bool *ret_off, GError **error)
{
    const FerryOverlay *overlay = g_ptr_array_index(self->overlays, index);
    const FerryCommitTarget target = {self->agent->virt, self->uuid, self->overlays, index};
    FerryCommit commit = {0};
    guint64 last = 0;
    gint64 moved_us = g_get_monotonic_time();

    for (;;) {
        g_autoptr(GError) why = NULL;

        if (ferry_commit_call_run(&target, SLICE_MS, &commit, &why) && commit.done)
            return true;
        *ret_off =
            ferry_virt_domain_observe(self->connection, self->uuid) == FERRY_OBSERVED_SHUT_OFF;
        if (*ret_off)
            return false;
        if (commit.cur > last)
            moved_us = g_get_monotonic_time();
        last = MAX(last, commit.cur);
        if (g_get_monotonic_time() - moved_us < STALL_US &&
            !ferry_migration_is_detached(self->migration))
            continue;
        if (!why)
            why = ferry_error_new(FERRY_ERROR_MIGRATION_ERROR,
                                  "virsh blockjob shows the job; resolve_migration tries again",
                                  "The commit of '%s' does not go on", overlay->overlay);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
}

static bool
remove_overlay(const Freeze *self,
               const FerryOverlay *overlay,
               FerryCreation *creation,
               GError **error)
{
    return ferry_virt_path_check_unused(self->connection, overlay->overlay, error) &&
           ferry_source_image_delete(self->migration, self->connection, overlay->overlay, error) &&
           note(self, creation, FERRY_CREATION_REMOVED, NULL, error);
}

static bool
keep_overlay(const Freeze *self,
             const FerryOverlay *overlay,
             FerryCreation *creation,
             GError **error)
{
    ferry_set_error(
        error, FERRY_ERROR_MIGRATION_ERROR,
        "It may hold what the guest wrote last. Look with virsh domblklist and qemu-img "
        "info, then commit it into its image (qemu-img commit) or delete it",
        "The overlay '%s' is kept: it is not certain that '%s' has its content", overlay->overlay,
        overlay->image);
    return note(self, creation, FERRY_CREATION_KEPT, "not certain to be committed", NULL) && false;
}

/* libvirt changes the definition together with the running disk: nothing to edit here. */
static bool
commit_still(const Freeze *self, GError **error)
{
    g_message("Migration '%s': the instance is off; its overlays are committed without it",
              ferry_migration_id(self->migration));
    return ferry_virt_overlay_commit_still(self->agent->virt, self->uuid, self->overlays, STILL_MS,
                                           error);
}

static bool
commit_somehow(const Freeze *self, guint index, FerryOverlayAction action, GError **error)
{
    bool off = action == FERRY_OVERLAY_COMMIT_OFFLINE;

    return off ? commit_still(self, error)
               : commit(self, index, &off, error) || (off && commit_still(self, error));
}

/* It stands, or it is noted as made: then only an agent of before did not note what it is. */
static bool
identify(const Freeze *self, const FerryOverlay *overlay, GError **error)
{
    return ferry_source_image_look(self->migration, overlay->overlay, NULL) !=
               FERRY_OWN_FILE_UNKNOWN ||
           ferry_source_image_note(self->migration, overlay->overlay, error);
}

/* Made by us, and by nobody put under a disk. */
static bool
is_unused(const Freeze *self, const FerryOverlay *overlay, const FerryCreation *creation)
{
    return creation->state == FERRY_CREATION_INTENDED && g_strcmp0(creation->detail, UNUSED) == 0 &&
           ferry_source_image_look(self->migration, overlay->overlay, NULL) == FERRY_OWN_FILE_OURS;
}

static bool
thaw(const Freeze *self, guint index, FerryCreation *creation, GError **error)
{
    const FerryOverlay *overlay = g_ptr_array_index(self->overlays, index);
    FerryTops tops = {0};

    if (!ferry_virt_tops_describe(self->connection, self->uuid, overlay, &tops, error))
        return false;

    bool known = creation->state == FERRY_CREATION_MADE || is_unused(self, overlay, creation);
    FerryOverlayAction action = ferry_overlay_decide(&tops, known, exists(self, overlay));

    /* It stands, so it was made; noted before the next life finds it gone from the disk. */
    if ((action == FERRY_OVERLAY_COMMIT || action == FERRY_OVERLAY_COMMIT_OFFLINE) &&
        !note(self, creation, FERRY_CREATION_MADE, NULL, error))
        return false;
    if (action != FERRY_OVERLAY_NOTHING && action != FERRY_OVERLAY_KEEP &&
        !identify(self, overlay, error))
        return false;
    switch (action) {
    case FERRY_OVERLAY_NOTHING:
        return note(self, creation, FERRY_CREATION_REMOVED, NULL, error);
    case FERRY_OVERLAY_COMMIT:
    case FERRY_OVERLAY_COMMIT_OFFLINE:
        return commit_somehow(self, index, action, error) &&
               remove_overlay(self, overlay, creation, error);
    case FERRY_OVERLAY_REMOVE:
        return remove_overlay(self, overlay, creation, error);
    case FERRY_OVERLAY_KEEP:
        return keep_overlay(self, overlay, creation, error);
    }
    return false;
}

static bool
thaw_all(const Freeze *self, GError **error)
{
    for (guint i = 0; i < self->overlays->len; i++) {
        FerryCreation *creation = creation_of(self, g_ptr_array_index(self->overlays, i));

        /* Never intended, or gone already. */
        if (creation && !thaw(self, i, creation, error))
            return false;
    }
    return true;
}

static bool
await_others(const Freeze *self, GError **error)
{
    gint64 until = g_get_monotonic_time() + FERRY_OTHERS_CALL_LIMIT_S * G_USEC_PER_SEC;

    while (ferry_virt_domain_is_held(self->connection, self->uuid)) {
        if (g_get_monotonic_time() > until || ferry_migration_is_detached(self->migration)) {
            ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                            "Look whether its QEMU answers (virsh domcontrol, virsh domstats); "
                            "resolve_migration tries again",
                            "A call to libvirt that concerns '%s' does not come to an end; its "
                            "overlays are left as they are",
                            self->uuid);
            return false;
        }
        ferry_agent_pause(self->agent, SLICE_MS, NULL);
    }
    return true;
}

bool
ferry_snapshot_step_undo(FerryMigration *migration, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(GPtrArray) overlays = NULL;

    if (!ferry_migration_check_described(migration, /* destination_too= */ false, error))
        return false;
    overlays = ferry_overlays_new(instance, ferry_migration_id(migration));
    if (overlays->len == 0)
        return true;

    g_autoptr(GPtrArray) creations =
        ferry_journal_creations(agent->journal, ferry_migration_id(migration), error);
    g_autoptr(virConnect) connection = creations ? ferry_virt_connect(agent->virt, error) : NULL;
    Freeze self = {migration, agent, instance->uuid, connection, overlays, creations};

    ferry_fault_point("thaw", "begin");
    /* A snapshot that was left behind may still come to stand: what is seen now is not the end. */
    return connection &&
           (creations->len == 0 || (await_others(&self, error) && thaw_all(&self, error)));
}
