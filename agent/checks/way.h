/* way.h: the way from this host, the source, to a destination: looked at before it is taken.
 *
 * Threads: any but main; blocks for seconds at most, whatever the far side does.
 */
#pragma once

#include <gio/gio.h>
#include <jansson.h>
#include <libvirt/libvirt.h>

#include "model/check.h"
#include "runtime/agent.h"

/* The way that is looked at. */
typedef struct {
    const char *host;          /* the destination, as its agent is called */
    guint limit_ms;            /* how long ports are tried */
    GCancellable *cancellable; /* (nullable): the agent's own when NULL */
    gint64 asked_us;           /* when the destination was asked, and answered: by this host's */
    gint64 answered_us;        /* clock */
} FerryWay;

/**
 * ferry_way_check_data:
 * What a destination tells of itself, for the source's checks.
 * Returns: (transfer full): {"host", "libvirt_uri", "migrate_uri", "libvirt_version",
 * "qemu_version", "at", "keeps"}.
 */
json_t *ferry_way_check_data(const FerryAgent *agent, virConnectPtr connection);

/**
 * ferry_way_check_run:
 * @connection: to the local libvirt
 * @data: (nullable): what ferry_way_check_data() made at the destination: untrusted; NULL from one
 *   that tells nothing, which is warned of
 * Adds `versions`, `clock`, `destination-libvirt` and `migration-ports` to @checks.
 */
void ferry_way_check_run(const FerryAgent *agent,
                         virConnectPtr connection,
                         const FerryWay *way,
                         const json_t *data,
                         FerryChecks *checks);
