#include "config.h"

#include "destination/merge.h"

#include "destination/image.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "journal/journal.h"
#include "model/overlay.h"
#include "model/paths.h"
#include "runtime/fault-point.h"
#include "virt/domain.h"
#include "virt/snapshot.h"

/* How long one call stays with the commits, all disks together; the source asks again. */
#define TIMEOUT_MS 3000

typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    const char *instance_uuid;
    GPtrArray *creations;
    gint64 deadline_us;
} Merge;

/* How far it is tells the source whether it gets anywhere: a job that breaks off is begun anew. */
static bool
refuse_busy(const FerryOverlay *overlay, const FerryCommit *commit, GError **error)
{
    g_autoptr(GError) why = ferry_error_new(
        FERRY_ERROR_MIGRATION_ERROR, "Ask again; virsh blockjob shows how far it is",
        "What disk '%s' wrote on the way is still being committed into '%s'", overlay->target,
        overlay->image);

    ferry_error_set_detail(why, "retry", json_true());
    ferry_error_set_detail(why, "target", ferry_json_text(overlay->target));
    ferry_error_set_detail(why, "committed_bytes", json_integer((json_int_t)commit->cur));
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

static bool
commit(const Merge *self, const FerryOverlay *overlay, GError **error)
{
    FerryCommit commit = {0};
    gint64 left_us = self->deadline_us - g_get_monotonic_time();

    if (!ferry_virt_overlay_commit(self->connection, self->instance_uuid, overlay,
                                   (guint)(MAX(left_us, 0) / 1000), &commit, error))
        return false;
    return commit.done || refuse_busy(overlay, &commit, error);
}

/* What cannot be deleted, or is not provably ours, costs space and not the instance. */
static bool
remove_overlay(const Merge *self, const FerryCreation *creation, GError **error)
{
    g_autoptr(GError) why = NULL;
    bool removed = false;

    if (!ferry_virt_path_check_unused(self->connection, creation->path, error))
        return false;
    removed = ferry_image_undo(self->agent, self->connection, creation, &why);
    if (!removed)
        g_warning("The overlay '%s' is committed and stays: %s", creation->path, why->message);
    return ferry_journal_creation_set(self->agent->journal, creation->id,
                                      removed ? FERRY_CREATION_REMOVED : FERRY_CREATION_KEPT,
                                      removed ? NULL : why->message, error);
}

static bool
merge(const Merge *self, const FerryOverlay *overlay, GError **error)
{
    g_autofree char *path = NULL;

    /* The journal has it under its resolved name. */
    if (!ferry_path_check(overlay->overlay, (const char *const *)self->agent->config->allowed_paths,
                          &path, error))
        return false;

    const FerryCreation *creation =
        ferry_creations_find(self->creations, FERRY_CREATION_VOLUME, path);

    return !creation || (commit(self, overlay, error) && remove_overlay(self, creation, error));
}

bool
ferry_merge_overlays(const FerryAgent *agent,
                     virConnectPtr connection,
                     const FerryInstance *instance,
                     const char *migration_id,
                     GError **error)
{
    g_autoptr(GPtrArray) overlays = ferry_overlays_new(instance, migration_id);
    g_autoptr(GPtrArray) creations = NULL;

    if (overlays->len == 0)
        return true;
    creations = ferry_journal_creations(agent->journal, migration_id, error);

    Merge self = {agent, connection, instance->uuid, creations,
                  g_get_monotonic_time() + TIMEOUT_MS * 1000};

    ferry_fault_point("merge", "begin");
    for (guint i = 0; creations && i < overlays->len; i++)
        if (!merge(&self, g_ptr_array_index(overlays, i), error))
            return false;
    ferry_fault_point("merge", "end");
    return creations != NULL;
}
