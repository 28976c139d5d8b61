/* disk-convergence.h: whether the mirrors of a transfer catch up with what the guest writes, and
 * what is to be done where they do not. Pure; one thread a value.
 *
 * QEMU's mirror copies whole pieces (64 KiB as a rule) while the guest goes on: what is left grows
 * by each piece that was copied already and is written to again. Its block job tells what was
 * copied (cur) and, with it, what has to be (end), so that two looks show both rates: copied, and
 * dirtied. The guest's own bytes are much less where it writes small blocks, and say what
 * synchronous writes would have to carry.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ferry/config.h"

typedef struct FerryDiskConvergence FerryDiskConvergence;

/* One look at all mirrors together. */
typedef struct {
    gint64 time_us; /* monotonic */
    guint mirrors;  /* that there are; what follows is their sum */
    guint64 copied_bytes;
    guint64 remaining_bytes;
    guint64 capacity_bytes; /* the most that beginning anew would copy; 0: not known */
    guint64 written_bytes;  /* by the guest, since any moment; 0: not known */
} FerryDiskSample;

/* Of the window that was looked at last. */
typedef struct {
    guint64 copied_bytes_s;
    guint64 dirtied_bytes_s; /* added to what is left */
    guint64 written_bytes_s; /* by the guest */
} FerryDiskRates;

typedef enum {
    FERRY_DISKS_UNKNOWN,    /* too early to tell, or nothing moves for now */
    FERRY_DISKS_CONVERGING, /* what is left falls */
    FERRY_DISKS_DIVERGING,  /* it does not, or would take far too long */
    FERRY_DISKS_STALLED,    /* no byte moves */
} FerryDisksState;

typedef enum {
    FERRY_DISK_ACTION_NONE,
    FERRY_DISK_ACTION_SYNCHRONOUS,  /* the guest's writes have to wait for the destination */
    FERRY_DISK_ACTION_GIVE_UP,      /* they do, and it does not help */
    FERRY_DISK_ACTION_GIVE_UP_STALL /* nothing helps */
} FerryDiskAction;

/** @stall_us: no byte may move for so long; 0: without limit. @synchronous: the guest's writes wait
 * for the destination. */
FerryDiskConvergence *ferry_disk_convergence_new(gint64 stall_us, bool synchronous);
void ferry_disk_convergence_free(FerryDiskConvergence *convergence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDiskConvergence, ferry_disk_convergence_free)

/** The running mirrors were changed to synchronous writes: what was seen before counts no more. */
void ferry_disk_convergence_set_synchronous(FerryDiskConvergence *convergence);

/** The limit was changed: what was copied before is no measure of what will be. */
void ferry_disk_convergence_forget_link(FerryDiskConvergence *convergence);

void ferry_disk_convergence_add(FerryDiskConvergence *convergence, const FerryDiskSample *sample);

bool ferry_disk_convergence_is_synchronous(const FerryDiskConvergence *convergence);

/** Returns: (transfer none): the last look; all 0 before the first. */
const FerryDiskSample *ferry_disk_convergence_last(const FerryDiskConvergence *convergence);

FerryDisksState ferry_disk_convergence_state(const FerryDiskConvergence *convergence);

/** Returns: since when it is so (monotonic); 0 where all is well. */
gint64 ferry_disk_convergence_since_us(const FerryDiskConvergence *convergence);

/** Returns: how long the disks have to go on diverging until something is done; 0: now. */
gint64 ferry_disk_convergence_action_in_us(const FerryDiskConvergence *convergence);

/** Returns: how long the disks have to go on like this until there is no hope for them without
 * synchronous writes: going on has been in vain for a minute, and nothing is gained. G_MAXINT64
 * while there is. */
gint64 ferry_disk_convergence_hopeless_in_us(const FerryDiskConvergence *convergence);

/** Returns: false while no window is full; all rates are 0 then. */
bool ferry_disk_convergence_rates(const FerryDiskConvergence *convergence,
                                  FerryDiskRates *ret_rates);

/** Returns: how much the guest will have written to, as it looks now, when all of it has been
 * copied once: of what was copied so far, what is left to be copied again. */
guint64 ferry_disk_convergence_again_bytes(const FerryDiskConvergence *convergence);

/** Returns: the most that a window has copied a second since the limit was changed last; 0: none
 * was full. */
guint64 ferry_disk_convergence_link_bytes_s(const FerryDiskConvergence *convergence);

/** @writes: the order's. */
FerryDiskAction ferry_disk_convergence_action(const FerryDiskConvergence *convergence,
                                              FerryDiskWrites writes);

/** Returns: true where it is clear before the first byte that a mirror in the background cannot
 * follow: the guest writes what the link carries. @link_bytes_s: 0: not known. */
bool ferry_disk_writes_exceed(guint64 written_bytes_s, guint64 link_bytes_s);
