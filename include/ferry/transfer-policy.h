/* transfer-policy.h: how long a guest may stop at the switchover, as a rule that grows with the
 * iterations of its memory, and what is done when even that does not do. Plain values, any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define FERRY_POLICY_MAX_STEPS 16
/* A pause as long as downtime_ms allows. */
#define FERRY_POLICY_WHOLE G_MAXUINT
/* QEMU's limit: 2000 seconds. */
#define FERRY_DOWNTIME_MAX_MS 2000000

/* When memory stalls at the last step. */
typedef enum {
    FERRY_POLICY_FAIL,      /* the migration ends as failed, the guest goes on */
    FERRY_POLICY_PAUSE,     /* one more try with max_pause_ms, then fail */
    FERRY_POLICY_POST_COPY, /* post-copy where the order may use it, else fail */
    FERRY_POLICY_WAIT,      /* nothing: the completion timeout is the only end */
} FerryPolicyEnd;

typedef struct {
    guint iteration; /* so many iterations of memory are over, from 1 */
    guint downtime_ms;
} FerryPolicyStep;

typedef struct {
    const char *name;
    guint start_ms;
    FerryPolicyStep steps[FERRY_POLICY_MAX_STEPS]; /* both numbers rise; the rest is zero */
    FerryPolicyEnd at_end;
    bool by_clock; /* steps are nova's, by live_migration_downtime_steps and _delay */
} FerryTransferPolicy;

/** Returns: (nullable): the built-in policy at @index; NULL past the last one. */
const FerryTransferPolicy *ferry_transfer_policy_built_in(guint index);

/** Returns: (nullable): the built-in policy of that name. */
const FerryTransferPolicy *ferry_transfer_policy_find_built_in(const char *name);
