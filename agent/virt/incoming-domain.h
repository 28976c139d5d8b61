/* incoming-domain.h: an instance that arrived: waited for, looked at, made persistent.
 *
 * Threads: any but main; blocks until libvirt's incoming job is over, because until then changes to
 * the domain collide with it.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/instance.h"
#include "model/order-options.h"
#include "model/outcome.h"

typedef struct {
    FerrySight sight;
    bool alive; /* running, or paused or shut off as it has to be */
    bool persistent;
    bool has_downtime;
    guint64 downtime_ms; /* what libvirt measured here */
    json_t *disks; /* NULL until looked at: [{"target", "path", "format", "capacity_bytes", ...}] */
} FerryArrival;

void ferry_arrival_clear(FerryArrival *arrival);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryArrival, ferry_arrival_clear)

/**
 * ferry_arrival_wait:
 * @instance: as described on the source, at its place here (placement.h)
 * Waits for the end of the incoming job, refreshes the pools, and where the order wants the instance
 * persistent and libvirt did not come to it, defines it from its own live XML.
 * @error: libvirt could not be asked. An instance that is not alive is no error but a sight.
 */
bool ferry_arrival_wait(virConnectPtr connection,
                        const FerryInstance *instance,
                        const FerryOrderOptions *options,
                        FerryArrival *ret_arrival,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Fills @arrival->disks: what the images occupy once nothing is done to them any more. */
void ferry_arrival_look_at_disks(virConnectPtr connection,
                                 const FerryInstance *instance,
                                 FerryArrival *arrival);

/** Returns: (transfer full): {"instance_state", "persistent", "downtime_ms", "disks"}. */
json_t *ferry_arrival_to_json(const FerryArrival *arrival);
