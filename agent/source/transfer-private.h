/* transfer-private.h: one transfer as its files share it. Only agent/source/transfer*.c includes
 * it.
 *
 * transfer.c has its threads, beginning and end; transfer-watch.c the sampler's loop;
 * transfer-look.c what a look sees; transfer-disks.c and transfer-memory.c how disks and memory are
 * led to their end; transfer-orders.c what is ordered and which clock ran out.
 */
#pragma once

#include "model/disk-convergence.h"
#include "model/memory-convergence.h"
#include "model/progress.h"
#include "runtime/detached-call.h"
#include "source/room-watch.h"
#include "source/transfer.h"
#include "virt/migrate.h"

/* How often we look when libvirt tells nothing by itself. */
#define FERRY_TRANSFER_LOOK_MS 250

/* What the guest has written to the disks that move, as two looks saw it. */
typedef struct {
    guint64 first_bytes; /* 0: not seen so far */
    gint64 first_us;     /* monotonic */
    guint64 last_bytes;
    gint64 last_us;
} FerryWrittenBytes;

/* libvirt's call and the sampler, which looks at it: both detached. These are the sampler's data;
 * it alone asks libvirt, and may hang there. */
typedef struct {
    FerryMigration *migration;        /* immutable */
    FerryOrderOptions tuned;          /* the sampler's: a copy that borrows from the migration's,
                                       * with what was changed since */
    const FerryOrderOptions *options; /* immutable; `tuned` */
    const FerryInstance *instance;    /* immutable */
    virConnectPtr connection;         /* immutable */
    virDomainPtr domain;              /* immutable; on that connection */
    FerryVirtWatch *watch;            /* immutable */
    FerryDetachedCall *call;          /* immutable; NULL when re-attached */
    FerryRoomWatch *room;             /* immutable; NULL where no disk is on its way any more */
    gint64 deadline_us;               /* immutable; monotonic */

    GMutex lock;
    bool abandoned; /* guarded by lock, set by the saga's thread, which went on: touch the migration
                      * no more */
    gint64 heard_us; /* guarded by lock; monotonic, when libvirt last answered */

    /* The sampler's; the saga's thread's once the sampler is over. */
    FerryTransferResult result;
    FerryProgress *progress;
    FerryDiskConvergence *disks;
    FerryWrittenBytes written;
    GError *abort_reason; /* why we ended it ourselves */
    FerryPhase phase;
    gint64 started_us; /* monotonic */
    gint64 memory_us;  /* when the memory phase began; 0 before */
    guint downtime_ms; /* last set */
    guint conceded_ms; /* to memory that does not converge, beyond what the policy's steps allow */
    FerryMemoryConvergence *memory; /* NULL before the memory phase */
    guint idle_looks;
    bool resuming;    /* a post-copy is to be taken up, and has not been so far */
    gint64 lifted_us; /* when the limit was last lifted for the switchover; 0: never */
    bool is_lifted;
    bool mirrors_due;     /* the limit was changed, and not all copies have it */
    bool told_switchover; /* immutable: QEMU knows what the link takes, by the call */
    bool was_limited;     /* libvirt was given a bandwidth for disks or memory */
    bool copying;         /* a disk or memory is on its way */
    bool aborting;
    bool again;         /* once more, when this attempt has ended */
    bool ending;        /* by an earlier life; the first attempt's job has not been seen so far */
    bool beginning;     /* likewise the second attempt's */
    bool forced;        /* by post-copy or a pause: nothing is left to be done */
    bool paused;        /* it is we who paused the guest */
    bool force_failed;  /* by order; libvirt refused */
    bool stalled;       /* memory is, and it was told */
    bool switch_tried;  /* QEMU was asked to make running mirrors synchronous */
    bool disks_stalled; /* likewise */
} FerryTransfer;

/* --- transfer-watch.c ------------------------------------------------------------------------ */

/* The sampler's thread: looks and obeys until the transfer is over or nobody waits for it, and
 * fills the result. */
void ferry_transfer_watch(FerryTransfer *self);
/* Any thread. Returns: true once libvirt answered; then *ret_error is its error, or stays NULL. */
bool ferry_transfer_has_answered(const FerryTransfer *self, GError **ret_error);

/* --- transfer-look.c ------------------------------------------------------------------------- */

/* The sampler's. Returns: true when a job was seen. */
bool ferry_transfer_look(FerryTransfer *self);
/* Reports progress and phase, unless the saga gave the watch up and went on. */
void ferry_transfer_tell(FerryTransfer *self);
/* Likewise the event of a stall that began. @since_us: monotonic. */
void ferry_transfer_tell_stall(FerryTransfer *self, const FerryStall *stall, gint64 since_us);

/* --- transfer-disks.c ------------------------------------------------------------------------ */

/* The sampler's, while disks are on their way. */
void ferry_transfer_look_at_disks(FerryTransfer *self, gint64 now_us);
/* The sampler's, after each look: makes the guest's writes synchronous where the mirrors do not
 * catch up, and ends what cannot end by itself. */
void ferry_transfer_steer_disks(FerryTransfer *self);
/* Before the sampler starts: an earlier life of the agent may have begun to begin once more. */
void ferry_transfer_take_up_attempt(FerryTransfer *self);
/* The sampler's: a job is seen. */
void ferry_transfer_see_attempt(FerryTransfer *self);
/* Says in @error what was copied and written, and what is left. */
void ferry_transfer_add_disk_rates(const FerryTransfer *self, GError *error);
/* The sampler's, when the transfer is over: says in the result whether another attempt follows. */
void ferry_transfer_end_disks(FerryTransfer *self);

/* --- transfer-tuning.c ----------------------------------------------------------------------- */

/* The sampler's, at each look that saw a job: what was changed by order holds from now on, and a
 * limit of memory does not keep the guest from switching over. */
void ferry_transfer_tune(FerryTransfer *self, const FerryProgressSample *sample);
/* The sampler's. Memory gets the limit that holds. */
void ferry_transfer_limit_memory(FerryTransfer *self);

/* --- transfer-memory.c ----------------------------------------------------------------------- */

/* The sampler's. The memory phase begins. */
void ferry_transfer_enter_memory(FerryTransfer *self, gint64 now_us);
/* The sampler's, after each look that saw a job: allows the pause that the policy allows, and does
 * what has to be done about memory that does not converge. */
void ferry_transfer_steer_memory(FerryTransfer *self, const FerryJobInfo *info);

/* Returns: (transfer full): that memory does not converge or has had its time, with the rates and
 * what would do. In the memory phase. */
GError *ferry_transfer_memory_error(const FerryTransfer *self);
/* Returns: whether forcing it now means a pause of no more than max_pause_ms, or post-copy over a
 * link that is well. In the memory phase. */
bool ferry_transfer_is_short(const FerryTransfer *self);
/* Says in @error which budget was spent, and the rates that were seen. In the memory phase. */
void ferry_transfer_add_rates(const FerryTransfer *self, GError *error, const char *budget);

/* --- transfer-orders.c ----------------------------------------------------------------------- */

/* The sampler's, after each look: obeys orders, and ends what has no time or room left. */
void ferry_transfer_obey(FerryTransfer *self, gint64 now_us);
/* The sampler's. The transfer ends for good with @reason (taken over), unless it already does. */
void ferry_transfer_abort(FerryTransfer *self, GError *reason);
/* Likewise: forces it to complete, by post-copy or a pause that lasts as long as it takes. @error:
 * libvirt refused. */
bool ferry_transfer_force(FerryTransfer *self, GError **error);
