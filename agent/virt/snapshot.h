/* snapshot.h: overlays on disks of a domain that runs: put there, looked at, committed away.
 *
 * libvirt 9.0 keeps the persistent definition in step with the live one at both: after the snapshot
 * it names the overlay, after the pivot the image. Threads: any but main; blocks as long as
 * libvirtd does, and for the commit as long as the caller says.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/file-owner.h"
#include "model/overlay.h"
#include "virt/virt.h"

/**
 * ferry_virt_overlay_create:
 * Makes the file of an overlay, for a snapshot that finds it there.
 * @owner: whose it shall be
 * @error: FERRY_ERROR_MIGRATION_ERROR
 */
bool ferry_virt_overlay_create(virConnectPtr connection,
                               const FerryOverlay *overlay,
                               const FerryFileOwner *owner,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_snapshot_make:
 * @overlays: (element-type FerryOverlay): all of them in one go, or none
 * @created: their files are there, made by ferry_virt_overlay_create(); otherwise libvirt makes
 *   them, and they must not exist
 * The images below are frozen from here on. libvirt keeps no snapshot metadata, which would stand
 * in the way of a migration; the guest is not asked to quiesce, since nobody looks at the frozen
 * state alone.
 */
bool ferry_virt_snapshot_make(virDomainPtr domain,
                              const GPtrArray *overlays,
                              bool created,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when QEMU may not open the overlays. @error: of ferry_virt_snapshot_make() */
bool ferry_virt_snapshot_was_forbidden(const GError *error);

/** @error: libvirt could not be asked; a domain that is not there is no error. */
bool ferry_virt_tops_describe(virConnectPtr connection,
                              const char *uuid,
                              const FerryOverlay *overlay,
                              FerryTops *ret_tops,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How far a commit is. */
typedef struct {
    bool done;       /* the disk writes to its image again, and the definition names it */
    guint64 cur;     /* of its block job, while that runs */
    guint64 started; /* how many jobs were started: one that failed begins again */
} FerryCommit;

/**
 * ferry_virt_overlay_commit:
 * @uuid: of a domain that QEMU runs
 * @wait_ms: how long to stay; 0 looks once
 * @commit: zero before the first call; the same for all calls of one commit
 * Starts the commit of @overlay into its image unless it runs already, turns the disk over to the
 * image once both are equal, and looks that the definition follows. Idempotent: call it until
 * @commit->done, from whichever life of the agent.
 * @error: the last look failed, perhaps for the moment (a migration's own job is on the disk):
 *   libvirt's word. The overlay is as it was.
 */
bool ferry_virt_overlay_commit(virConnectPtr connection,
                               const char *uuid,
                               const FerryOverlay *overlay,
                               guint wait_ms,
                               FerryCommit *commit,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_overlay_commit_still:
 * For a domain that is shut off and whose definition names overlays: starts it paused, so that not
 * one instruction runs, commits, and ends it. libvirt ends it by itself when the agent dies.
 * @error: the domain could not be started or committed: definition and overlays are as they were
 */
bool ferry_virt_overlay_commit_still(FerryVirt *virt,
                                     const char *uuid,
                                     const GPtrArray *overlays,
                                     guint wait_ms,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
