/* tuning.h: what may be changed of a migration while it runs. Pure, any thread. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ferry/config.h"
#include "model/order-options.h"

typedef struct {
    guint64 bandwidth_mibps; /* 0: no limit */
    guint downtime_ms;
    guint max_pause_ms;
    const FerryTransferPolicy *policy; /* the configuration's */
} FerryTuning;

/** Returns: what @options say. */
FerryTuning ferry_tuning_of(const FerryOrderOptions *options);

/** Gives @options what @tuning says. */
void ferry_tuning_apply(const FerryTuning *tuning, FerryOrderOptions *options);

/** Returns: true when all is the same. */
bool ferry_tuning_equal(const FerryTuning *a, const FerryTuning *b);

/**
 * ferry_tuning_change:
 * @tuning: unchanged on failure
 * @changes: an object with those that change of bandwidth_mib_s, downtime_ms, max_pause_ms, policy
 * @options: of the order: what the transfer can do at all
 * @error: FERRY_ERROR_INVALID_REQUEST: none of them is there; a value is wrong; downtime_ms would
 *   be above max_pause_ms; the policy ends in post-copy, which the order does not use
 */
bool ferry_tuning_change(FerryTuning *tuning,
                         const json_t *changes,
                         const FerryOrderOptions *options,
                         const FerryConfig *config,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** @parameters: (nullable): ferry_tuning_to_json() of an earlier life of the agent.
 * Returns: what they and @options say. Each that this version does not know, or this host's
 * configuration does not have or permit any more, is left as @options have it; a warning names it
 * and @migration_id. */
FerryTuning ferry_tuning_recall(const json_t *parameters,
                                const FerryOrderOptions *options,
                                const FerryConfig *config,
                                const char *migration_id);

/** Returns: (transfer full): the same four keys. */
json_t *ferry_tuning_to_json(const FerryTuning *tuning);

/* How the limit of a disk's copy that runs is changed. */
typedef enum {
    FERRY_MIRROR_LIMIT_STAYS,   /* not at all: it holds for memory */
    FERRY_MIRROR_LIMIT_LIBVIRT, /* by libvirt */
    FERRY_MIRROR_LIMIT_MONITOR, /* by QEMU's own command, which libvirt notes as a taint */
} FerryMirrorLimit;

/** Returns: what QEMU is told of the link, in MiB/s, so that it reckons the pause at the switchover
 * by that and not by the limit; 0: nothing: there is no limit, the configuration says nothing, or
 * libvirt of a host does not know that. */
guint64 ferry_switchover_mibps(const FerryTuning *tuning,
                               const FerryConfig *config,
                               const char *libvirt_here,
                               const char *libvirt_there);

/** @libvirt_version: (nullable): of the source. */
FerryMirrorLimit ferry_mirror_limit_of(const char *libvirt_version, const FerryConfig *config);
