/* way.h: the way from this host, the source, to a destination: looked at before it is taken.
 *
 * Threads: any but main; blocks for seconds at most, whatever the far side does.
 */
#pragma once

#include <jansson.h>
#include <libvirt/libvirt.h>

#include "model/check.h"
#include "runtime/agent.h"

/* When the destination's answer came, by this host's clock. */
typedef struct {
    gint64 asked_us;
    gint64 answered_us;
} FerryAnswerTimes;

/**
 * ferry_way_check_data:
 * What a destination tells of itself, for the source's checks.
 * Returns: (transfer full): {"host", "libvirt_uri", "migrate_uri", "libvirt_version",
 * "qemu_version", "at"}.
 */
json_t *ferry_way_check_data(const FerryAgent *agent, virConnectPtr connection);

/**
 * ferry_way_check_run:
 * @connection: to the local libvirt
 * @data: (nullable): what ferry_way_check_data() made at the destination: untrusted; NULL from one
 *   that tells nothing, which is warned of
 * @limit_ms: how long ports are tried
 * Adds `versions`, `clock`, `destination-libvirt` and `migration-ports` to @checks.
 */
void ferry_way_check_run(const FerryAgent *agent,
                         virConnectPtr connection,
                         const json_t *data,
                         const FerryAnswerTimes *times,
                         guint limit_ms,
                         FerryChecks *checks);
