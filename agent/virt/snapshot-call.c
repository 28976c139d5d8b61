#include "config.h"

#include "virt/snapshot-call.h"

#include "ferry/error.h"
#include "runtime/bounded-call.h"
#include "runtime/libvirt-daemons.h"
#include "virt/auto.h"
#include "virt/time-limits.h"

/* --- the snapshot ----------------------------------------------------------------------------- */

static void
snapshot_free(gpointer data)
{
    FerrySnapshotTarget *self = data;

    virDomainFree(self->domain);
    ferry_virt_let_go(self->connection);
    g_ptr_array_unref(self->overlays);
    g_free(self);
}

static bool
make_snapshot(gpointer data, GError **error)
{
    const FerrySnapshotTarget *self = data;

    return ferry_virt_snapshot_make(self->domain, self->overlays, self->created, error);
}

/* One that is left behind can still come to stand, and then nobody may take the overlay away. So an
 * abort has to wait for the moment that a snapshot takes. */
static FerryCallState
await_snapshot(FerryDetachedCall *call, GCancellable *cancellable)
{
    FerryCallState state =
        ferry_detached_call_wait(call, FERRY_SNAPSHOT_SURE_S * 1000, /* cancellable= */ NULL);

    return state == FERRY_CALL_LATE
               ? ferry_detached_call_wait(
                     call, (FERRY_SNAPSHOT_LIMIT_S - FERRY_SNAPSHOT_SURE_S) * 1000, cancellable)
               : state;
}

bool
ferry_snapshot_call_run(const FerrySnapshotTarget *target,
                        GCancellable *cancellable,
                        GError **error)
{
    FerrySnapshotTarget *self = g_memdup2(target, sizeof *target);
    FerryDetachedWork work = {
        .thread = "vf-snapshot", .func = make_snapshot, .data = self, .free_data = snapshot_free};

    g_ptr_array_ref(self->overlays);

    g_autoptr(FerryDetachedCall) call = ferry_detached_call_start(&work);

    switch (await_snapshot(call, cancellable)) {
    case FERRY_CALL_OVER:
        return ferry_detached_call_result(call, error);
    case FERRY_CALL_LATE:
        ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                        ferry_libvirt_hint(FERRY_LIBVIRT_IS_SILENT),
                        "The snapshot did not come to an end in %d s; libvirt or QEMU may hang",
                        FERRY_SNAPSHOT_LIMIT_S);
        break;
    case FERRY_CALL_CANCELLED:
        ferry_set_error(error, FERRY_ERROR_CANCELLED, NULL, "The snapshot was not waited for");
        break;
    }
    return false;
}

/* --- the commit ------------------------------------------------------------------------------- */

typedef struct {
    FerryCommitTarget target; /* with a reference and a text of its own */
    char *uuid;
    guint wait_ms;
    FerryCommit commit;
    GError *why;
    bool looked;
} Commit;

static void
commit_free(gpointer data)
{
    Commit *self = data;

    g_ptr_array_unref(self->target.overlays);
    g_clear_error(&self->why);
    g_free(self->uuid);
    g_free(self);
}

/* Always over with its data, which say how far it is also where the look failed. */
static bool
look_at_commit(gpointer data, GError **error)
{
    Commit *self = data;
    const FerryCommitTarget *target = &self->target;
    g_autoptr(virConnect) connection = ferry_virt_connect(target->virt, &self->why);

    self->looked =
        connection && ferry_virt_overlay_commit(connection, self->uuid,
                                                g_ptr_array_index(target->overlays, target->index),
                                                self->wait_ms, &self->commit, &self->why);
    return true;
}

bool
ferry_commit_call_run(const FerryCommitTarget *target,
                      guint wait_ms,
                      FerryCommit *commit,
                      GError **error)
{
    Commit *self = g_new0(Commit, 1);
    FerryDetachedWork work = {
        .thread = "vf-commit", .func = look_at_commit, .data = self, .free_data = commit_free};

    self->target = *target;
    self->target.overlays = g_ptr_array_ref(target->overlays);
    self->uuid = g_strdup(target->uuid);
    self->wait_ms = wait_ms;
    self->commit = *commit;
    self = ferry_bounded_call(&work, FERRY_COMMIT_STALL_S, "A look at the commit", NULL, error);
    if (!self)
        return false;

    bool looked = self->looked;

    *commit = self->commit;
    if (self->why)
        g_propagate_error(error, g_steal_pointer(&self->why));
    commit_free(self);
    return looked;
}
