/* transfer.h: the crossing itself: libvirt's peer-to-peer call and the watch over it.
 *
 * Two detached calls: the blocking one, and the sampler, which watches it: progress, phases,
 * downtime, bandwidth, clocks, and orders such as abort. The sampler's questions hang where QEMU's
 * monitor hangs, and the saga's thread, which waits for it, then says so and goes on without it
 * once the agent stops or the call came back. A transfer that runs already (after a restart of the
 * agent) has a sampler only.
 */
#pragma once

#include <glib.h>

#include "source/migration.h"
#include "virt/watch.h"

typedef enum {
    FERRY_TRANSFER_START,    /* call libvirt and watch */
    FERRY_TRANSFER_REATTACH, /* watch what runs already */
    FERRY_TRANSFER_RESUME,   /* call libvirt to take up a post-copy that broke off, and watch */
} FerryTransferMode;

/* What is known when the watch ends; not the outcome, which both hosts have to tell. */
typedef struct {
    bool detached; /* the agent stops; the transfer goes on */
    bool again;    /* we ended it for a second attempt (disk-attempt.h), which is to begin now */
    GError *error; /* what libvirt said, or why we aborted; NULL: it said success */
    FerryJobSummary summary;
    guint64 moved_bytes; /* by our own count */
    guint64 disk_ms;     /* how long the disk phase took, and what came after it */
    guint64 memory_ms;
} FerryTransferResult;

void ferry_transfer_result_clear(FerryTransferResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryTransferResult, ferry_transfer_result_clear)

/**
 * ferry_transfer_run:
 * Threads: the migration's saga thread. Blocks until the transfer ended or the agent stops.
 * @error: nothing was begun (libvirt is away, the instance is gone)
 */
bool ferry_transfer_run(FerryMigration *migration,
                        FerryTransferMode mode,
                        FerryTransferResult *ret_result,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
