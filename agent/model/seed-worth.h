/* seed-worth.h: whether the disks of a guest that is busy had better be seeded than mirrored with
 * synchronous writes. Pure, any thread.
 *
 * A synchronous mirror lets each of the guest's writes wait for the link as long as the whole is
 * copied. Beside a seed the guest writes at its own pace, and waits only while what it has written
 * since is mirrored: dearer by a snapshot, a commit, and every byte that is written meanwhile.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What the link carries in less is mirrored: snapshot and commit cost a second or two, and nobody
 * minds to wait that long. */
#define FERRY_SEED_WORTH_S 10

typedef struct {
    guint64 image_bytes;  /* what a seed would send */
    guint64 again_bytes;  /* how much of it the guest is expected to write to meanwhile; 0: nobody
                             can tell */
    guint64 link_bytes_s; /* 0: not known */
} FerrySeedWorth;

/** Returns: true where the guest would wait less than half as long. */
bool ferry_seed_is_worth(const FerrySeedWorth *worth);
