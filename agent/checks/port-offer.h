/* port-offer.h: ports of the range that QEMU listens at during a migration, at which the
 * destination's agent listens for a moment (port-listener.h): asked for and tried from the source.
 *
 * Threads: any but main; blocks for seconds at most, whatever the far side does.
 */
#pragma once

#include "checks/way.h"
#include "model/reach.h"

/* What the destination listens at for us. A plain value. */
typedef struct {
    json_t *answer; /* NULL: none, and @error says why */
    GError *error;
    gint64 until_us; /* monotonic: from then on a port may be QEMU's */
    FerryProbe probes[2];
    gsize count;
} FerryPortOffer;

void ferry_port_offer_clear(FerryPortOffer *offer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryPortOffer, ferry_port_offer_clear)

/** Asks the destination for @ret. @address: of its QEMU; the caller's, as long as @ret is used. */
void ferry_port_offer_ask(const FerryAgent *agent,
                          const FerryWay *way,
                          const char *address,
                          FerryPortOffer *ret);

/** Tries the ports of @offer and, at the same time, @libvirt, where that has a port. */
void ferry_port_offer_try(const FerryWay *way, FerryPortOffer *offer, FerryProbe *libvirt);

/** Adds `migration-ports` to @checks. */
void ferry_port_offer_judge(const FerryPortOffer *offer, const char *address, FerryChecks *checks);
