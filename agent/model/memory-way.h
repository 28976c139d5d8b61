/* memory-way.h: over how many connections a guest's memory goes, and whether post-copy goes with
 * them. Pure, any thread.
 */
#pragma once

#include "model/host-versions.h"
#include "model/instance.h"
#include "model/order-options.h"

/* From here on TLS over one connection is a risk: QEMU may crash where GnuTLS makes new keys, after
 * about 64 GiB, while both threads use the connection. */
#define FERRY_MEMORY_WAY_LARGE_BYTES (G_GUINT64_CONSTANT(16) << 30)

/** Returns: the host whose QEMU refuses post-copy over several connections, or loses the instance
 * by it, or of which nothing is known; NULL: none. */
const FerryHostVersions *ferry_memory_way_refuser(const FerryHostVersions *here,
                                                  const FerryHostVersions *there);

/** Settles post_copy and auto_converge of @options for @instance: post-copy that the order does not
 * speak of is left where the guest does not run; of one that is shut off there is none. */
void ferry_memory_way_settle(FerryOrderOptions *options, const FerryInstance *instance);

/** @qemu: (nullable): of the source. Returns: true when it survives TLS over one connection. */
bool ferry_memory_way_tls_is_sound(const char *qemu);
