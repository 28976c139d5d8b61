#include "config.h"

#include "virt/snapshot.h"

#include "virt/auto.h"
#include "virt/disk-volume.h"
#include "virt/domain.h"
#include "virt/error.h"
#include "virt/passing-pool.h"
#include "virt/pool.h"
#include "virt/volume.h"
#include "xml/domain.h"
#include "xml/snapshot.h"

#include <string.h>

#define LOOK_PAUSE_US (50 * 1000)
/* A job that breaks off (the file system is full) is not begun more often. */
#define MAX_STARTS 5

/* --- looking ---------------------------------------------------------------------------------- */

static FerryInstance *
read_instance(virDomainPtr domain, unsigned int flags, GError **error)
{
    const char *name = virDomainGetName(domain);
    char *raw = virDomainGetXMLDesc(domain, flags);

    if (!raw) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot read the definition of '%s'", name);
        return NULL;
    }

    g_autofree char *xml = raw;
    FerryInstance *instance = ferry_domxml_parse(xml, error);

    if (instance)
        ferry_virt_disk_volumes_resolve(virDomainGetConnect(domain), instance);
    return instance;
}

static FerryTop
top_of(const FerryInstance *instance, const FerryOverlay *overlay)
{
    const FerryDisk *disk = ferry_instance_find_disk(instance, overlay->target);

    if (!disk || !disk->source)
        return FERRY_TOP_NONE;
    if (g_strcmp0(disk->source, overlay->image) == 0)
        return FERRY_TOP_IMAGE;
    return g_strcmp0(disk->source, overlay->overlay) == 0 ? FERRY_TOP_OVERLAY : FERRY_TOP_OTHER;
}

static bool
look_at_tops(virDomainPtr domain, const FerryOverlay *overlay, FerryTops *ret_tops, GError **error)
{
    g_autoptr(FerryInstance) live = NULL;
    g_autoptr(FerryInstance) defined = NULL;

    *ret_tops = (FerryTops){FERRY_TOP_NONE, FERRY_TOP_NONE};
    if (virDomainIsActive(domain) == 1) {
        live = read_instance(domain, 0, error);
        if (!live)
            return false;
        ret_tops->live = top_of(live, overlay);
    }
    if (virDomainIsPersistent(domain) == 1) {
        defined = read_instance(domain, VIR_DOMAIN_XML_INACTIVE, error);
        if (!defined)
            return false;
        ret_tops->defined = top_of(defined, overlay);
    }
    return true;
}

bool
ferry_virt_tops_describe(virConnectPtr connection,
                         const char *uuid,
                         const FerryOverlay *overlay,
                         FerryTops *ret_tops,
                         GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(virDomain) domain = ferry_virt_domain_find(connection, uuid, &why);

    *ret_tops = (FerryTops){FERRY_TOP_NONE, FERRY_TOP_NONE};
    if (!domain && g_error_matches(why, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND))
        return true;
    if (!domain) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    return look_at_tops(domain, overlay, ret_tops, error);
}

/* --- the snapshot ----------------------------------------------------------------------------- */

bool
ferry_virt_overlay_create(virConnectPtr connection,
                          const FerryOverlay *overlay,
                          const FerryFileOwner *owner,
                          GError **error)
{
    const FerryNewImage image = {
        .path = overlay->overlay,
        .format = "qcow2",
        .capacity_bytes = overlay->capacity_bytes,
        .backing = {.path = overlay->image, .format = overlay->format},
        .owner = owner,
    };
    g_autofree char *folder = g_path_get_dirname(overlay->overlay);
    g_auto(FerryPassingPool) passing = {0};
    g_autoptr(virStoragePool) pool = NULL;

    if (!ferry_passing_pool_enter(connection, folder, &passing, error))
        return false;
    pool = ferry_virt_pool_find(connection, folder, error);
    return pool && ferry_virt_volume_create(pool, &image, error);
}

bool
ferry_virt_snapshot_was_forbidden(const GError *error)
{
    return strstr(error->message, "Permission denied") != NULL;
}

bool
ferry_virt_snapshot_make(virDomainPtr domain,
                         const GPtrArray *overlays,
                         bool created,
                         GError **error)
{
    const char *name = virDomainGetName(domain);
    unsigned int flags =
        VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA |
        VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC | (created ? VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT : 0);
    g_autoptr(FerryInstance) instance = read_instance(domain, 0, error);
    g_autoptr(GPtrArray) targets = g_ptr_array_new();

    if (!instance)
        return false;
    for (guint i = 0; i < instance->disks->len; i++)
        g_ptr_array_add(targets, ((FerryDisk *)g_ptr_array_index(instance->disks, i))->target);

    g_autofree char *xml = ferry_snapshotxml_build(targets, overlays);
    virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML(domain, xml, flags);

    if (!snapshot) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot freeze the images of '%s' under overlays", name);
        if (error && *error && ferry_virt_snapshot_was_forbidden(*error))
            ferry_error_set_hint(*error,
                                 "Order it with storage_strategy \"mirror\": QEMU's user may "
                                 "not open what libvirt makes for it");
        return false;
    }
    virDomainSnapshotFree(snapshot);
    return true;
}

/* --- the commit ------------------------------------------------------------------------------- */

static bool
start_commit(virDomainPtr domain, const FerryOverlay *overlay, FerryCommit *commit, GError **error)
{
    if (virDomainBlockCommit(domain, overlay->target, overlay->image, NULL, /* bandwidth= */ 0,
                             VIR_DOMAIN_BLOCK_COMMIT_ACTIVE) < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot commit '%s' into '%s'", overlay->overlay,
                                     overlay->image);
    commit->started++;
    return true;
}

/* Both are equal and stay so: the disk is turned over. */
static bool
pivot(virDomainPtr domain, const FerryOverlay *overlay, GError **error)
{
    if (virDomainBlockJobAbort(domain, overlay->target, VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT) == 0 ||
        ferry_virt_error_is(VIR_ERR_BLOCK_COPY_ACTIVE))
        return true;
    return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                 "Cannot turn disk '%s' from '%s' over to '%s'", overlay->target,
                                 overlay->overlay, overlay->image);
}

static bool
drive_job(virDomainPtr domain, const FerryOverlay *overlay, FerryCommit *commit, GError **error)
{
    virDomainBlockJobInfo info = {0};
    int jobs = virDomainGetBlockJobInfo(domain, overlay->target, &info, 0);

    if (jobs < 0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot look at the block job of disk '%s'", overlay->target);
    if (jobs == 0 && commit->started < MAX_STARTS)
        return start_commit(domain, overlay, commit, error);
    if (jobs == 0) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "Look whether the file system is full; QEMU's log may tell more",
                        "The commit of '%s' into '%s' breaks off again and again", overlay->overlay,
                        overlay->image);
        return false;
    }
    /* A migration that is being given up still has its mirror there: its end is awaited. */
    if (info.type != VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT)
        return true;
    commit->cur = info.cur;
    return info.end == 0 || info.cur < info.end || pivot(domain, overlay, error);
}

static bool
commit_once(virDomainPtr domain, const FerryOverlay *overlay, FerryCommit *commit, GError **error)
{
    FerryTops tops = {0};

    if (!look_at_tops(domain, overlay, &tops, error))
        return false;
    switch (tops.live) {
    case FERRY_TOP_IMAGE:
        commit->done = tops.defined != FERRY_TOP_OVERLAY;
        if (commit->done)
            return true;
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "Set the disk's source and format in the definition (virsh edit)",
                        "Disk '%s' writes to '%s', but the definition still names '%s'",
                        overlay->target, overlay->image, overlay->overlay);
        return false;
    case FERRY_TOP_OVERLAY:
        return drive_job(domain, overlay, commit, error);
    case FERRY_TOP_NONE:
    case FERRY_TOP_OTHER:
        break;
    }
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look at the disk with virsh domblklist; nothing was done to it",
                    "Disk '%s' writes neither to '%s' nor to its overlay", overlay->target,
                    overlay->image);
    return false;
}

bool
ferry_virt_overlay_commit(virConnectPtr connection,
                          const char *uuid,
                          const FerryOverlay *overlay,
                          guint wait_ms,
                          FerryCommit *commit,
                          GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)wait_ms * 1000;

    for (;;) {
        g_autoptr(GError) why = NULL;
        g_autoptr(virDomain) domain = ferry_virt_domain_find(connection, uuid, &why);
        bool fine = domain && commit_once(domain, overlay, commit, &why);

        if (commit->done)
            return true;
        if (g_get_monotonic_time() >= deadline) {
            if (!fine)
                g_propagate_error(error, g_steal_pointer(&why));
            return fine;
        }
        g_usleep(LOOK_PAUSE_US);
    }
}

/* --- without the guest ------------------------------------------------------------------------ */

static bool
commit_all(virConnectPtr connection,
           const char *uuid,
           const GPtrArray *overlays,
           guint wait_ms,
           GError **error)
{
    for (guint i = 0; i < overlays->len; i++) {
        const FerryOverlay *overlay = g_ptr_array_index(overlays, i);
        FerryCommit commit = {0};

        if (!ferry_virt_overlay_commit(connection, uuid, overlay, wait_ms, &commit, error))
            return false;
        if (commit.done)
            continue;
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL,
                        "The commit of '%s' takes longer than %u ms", overlay->overlay, wait_ms);
        return false;
    }
    return true;
}

/* Only what still stands as we started it: a guest that somebody resumed is theirs. */
static void
end_still(virDomainPtr domain, const char *uuid)
{
    int state = 0;

    if (virDomainGetState(domain, &state, NULL, 0) == 0 && state == VIR_DOMAIN_PAUSED &&
        virDomainDestroyFlags(domain, VIR_DOMAIN_DESTROY_DEFAULT) == 0)
        return;
    g_warning("The domain '%s', started paused for a commit, is left as it is", uuid);
}

bool
ferry_virt_overlay_commit_still(
    FerryVirt *virt, const char *uuid, const GPtrArray *overlays, guint wait_ms, GError **error)
{
    /* A connection of its own: libvirt ends the domain when it is closed, should we die. */
    g_autoptr(virConnect) connection = ferry_virt_connect_apart(virt, error);
    g_autoptr(virDomain) domain =
        connection ? ferry_virt_domain_find(connection, uuid, error) : NULL;

    if (!domain)
        return false;
    /* Starting would restore it, and ending would lose it. */
    if (virDomainHasManagedSaveImage(domain, 0) != 0) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "Start it, then order resolve_migration: its disks are committed running",
                        "The instance '%s' was saved by libvirt while it wrote to overlays", uuid);
        return false;
    }
    if (virDomainCreateWithFlags(domain, VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY) <
        0)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot start '%s' paused to commit its overlays", uuid);

    bool done = commit_all(connection, uuid, overlays, wait_ms, error);

    end_still(domain, uuid);
    return done;
}
