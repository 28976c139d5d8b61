/* memory-way.h: over how many connections a guest's memory goes, and whether post-copy goes with
 * them. Pure, any thread.
 *
 * Both hosts' QEMU decide, so that it is settled when both are known.
 */
#pragma once

#include "model/host-versions.h"
#include "model/order-options.h"

/* From here on TLS over one connection is a risk: QEMU may crash where GnuTLS makes new keys, after
 * about 64 GiB, while both threads use the connection. */
#define FERRY_MEMORY_WAY_LARGE_BYTES (G_GUINT64_CONSTANT(16) << 30)

/** Returns: the host whose QEMU refuses post-copy over several connections; NULL: none, or it is
 * not known. */
const FerryHostVersions *ferry_memory_way_refuser(const FerryHostVersions *here,
                                                  const FerryHostVersions *there);

/** Settles post_copy, auto_converge and parallel_connections of @options: what the order does not
 * speak of gives way where the two do not go together; what it says stays. */
void ferry_memory_way_settle(FerryOrderOptions *options,
                             const FerryHostVersions *here,
                             const FerryHostVersions *there);

/** @qemu: (nullable): of the source. Returns: true when it survives TLS over one connection. */
bool ferry_memory_way_tls_is_sound(const char *qemu);
