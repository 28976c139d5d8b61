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
    FerryObservedState observed;
    bool alive; /* running, or paused or shut off as it has to be */
    bool persistent;
    bool has_downtime;
    guint64 downtime_ms; /* what libvirt measured here */
    json_t *disks; /* NULL until looked at: [{"target", "path", "format", "capacity_bytes", ...}] */
} FerryIncomingDomain;

void ferry_incoming_domain_clear(FerryIncomingDomain *incoming);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryIncomingDomain, ferry_incoming_domain_clear)

/**
 * ferry_incoming_domain_wait:
 * @instance: as described on the source, at its place here (placement.h)
 * Waits for the end of the incoming job, and where the order wants the instance persistent and
 * libvirt did not come to it, defines it from its own live XML. One that is persistent is started
 * at boot as it was on the source. One that stands by an I/O error goes on when it can
 * (stopped-domain.h).
 * @error: libvirt could not be asked, or it stands by an I/O error. An instance that is not alive
 *   is no error but a observed.
 */
bool ferry_incoming_domain_wait(virConnectPtr connection,
                                const FerryInstance *instance,
                                const FerryOrderOptions *options,
                                FerryIncomingDomain *ret_incoming,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Fills @incoming->disks: what the images occupy once nothing is done to them any more. */
void ferry_incoming_domain_read_disks(virConnectPtr connection,
                                      const FerryInstance *instance,
                                      FerryIncomingDomain *incoming);

/** Returns: (transfer full): {"instance_state", "persistent", "downtime_ms", "disks"}. */
json_t *ferry_incoming_domain_to_json(const FerryIncomingDomain *incoming);
