/* convergence.h: whether a transfer comes nearer to its end, and what fights where it does not. The
 * rules of disks and memory find it out, the progress shows it, the event of a stall tells it.
 * Values only; any thread.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef enum {
    FERRY_CONVERGING_UNKNOWN,
    FERRY_CONVERGING_YES,
    FERRY_CONVERGING_NO,
} FerryConverging;

/* Why it does not, and what comes of it. */
typedef struct {
    const char *of;         /* static: "disk" or "memory" */
    guint64 writes_bytes_s; /* what the guest makes anew */
    guint64 link_bytes_s;   /* what is brought over in that time */
    const char *doing;      /* static, nullable: what is done about it now: one of the next */
    const char *action;     /* static, nullable: what will be done: "synchronous-writes",
                             * "switch", "pause", "post-copy", "fail" */
    guint64 action_in_ms;   /* how long until then, if nothing changes */
} FerryStall;

typedef struct {
    FerryConverging converging;
    guint64 allowed_downtime_ms; /* what QEMU was told last; 0: nothing yet */
    FerryStall stall;            /* where it does not converge; else all zero */
} FerryConvergence;

/** Returns: (transfer full): `of`, `writes_bytes_s`, `link_bytes_s`, `doing` and `action`
 * (or null), `action_in_ms`; null where @stall is all zero. */
json_t *ferry_stall_to_json(const FerryStall *stall);
