/* time-limits.h: how long calls into libvirt may take. libvirt has no limits of its own: with a
 * QEMU whose monitor is stuck, or a libvirtd that stands still, a call waits without end. The calls
 * run in threads that can be left behind (runtime/detached-call.h); the waiting for them ends as
 * said here.
 *
 * Limits of a whole migration are not here: they are options (model/order-options.h).
 */
#pragma once

/* Opening a connection, here or there: a libvirtd that takes it and then says nothing. */
#define FERRY_OPEN_LIMIT_S 10
/* A check's greeting to the destination's libvirt, once its port has answered. */
#define FERRY_GREETING_LIMIT_S 1

/* A libvirtd that is silent for so many intervals is given up, and every call that waits for it
 * ends. The far one may be behind a link that is cut; but answers queue behind what is sent, so a
 * slow link needs more. */
#define FERRY_KEEPALIVE_S 15
#define FERRY_KEEPALIVE_COUNT 3
#define FERRY_FAR_KEEPALIVE_S 5
#define FERRY_FAR_KEEPALIVE_COUNT 5

/* Describing and checking an instance before it moves: milliseconds, unless its QEMU hangs. */
#define FERRY_CHECK_LIMIT_S 30
/* The snapshot of seeded disks: milliseconds, unless QEMU hangs. For the first of these seconds it
 * is waited for whatever is ordered. */
#define FERRY_SNAPSHOT_LIMIT_S 30
#define FERRY_SNAPSHOT_SURE_S 3
/* A call of another that has the domain: a look of a monitoring program. */
#define FERRY_OTHERS_CALL_LIMIT_S 10
/* How long a file of the destination is: longer than connecting may take. */
#define FERRY_FAR_LOOK_LIMIT_S 30
/* The agent in the guest, with `fstrim`: trimming walks the lists of free blocks of file systems.
 * libvirt waits for it so long; the call gets some more, so that libvirt's own word comes first. */
#define FERRY_TRIM_LIMIT_S 60
#define FERRY_TRIM_CALL_LIMIT_S (FERRY_TRIM_LIMIT_S + 10)
/* The watch of a transfer that libvirt does not answer: then this is said, and at the end of the
 * transfer the watch is not waited for. */
#define FERRY_WATCH_SILENCE_S 10
/* The incoming job at the destination outlives the switch by moments only. */
#define FERRY_INCOMING_JOB_LIMIT_S 30
/* A commit of an overlay that gets no further: the disk is full, or QEMU is stuck. */
#define FERRY_COMMIT_STALL_S 60
/* A whole request of another program: it is answered with HypervisorUnavailable then. Longer than
 * every wait that a method makes by design. */
#define FERRY_REQUEST_LIMIT_S 45
