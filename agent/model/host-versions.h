/* host-versions.h: which libvirt and QEMU a host has, and which of two is the newer. Pure, any
 * thread.
 *
 * What a host can do is told by these, asked of libvirt at run time: an agent was built anywhere.
 */
#pragma once

#include <stdbool.h>

/* As libvirt writes them, "9.0.0"; NULL where unknown. */
typedef struct {
    const char *libvirt;
    const char *qemu;
} FerryHostVersions;

/** Returns: below, at or above 0, as @a is older than, the same as, or newer than @b. */
int ferry_version_compare(const char *a, const char *b);

/** @version: (nullable). Returns: true when it is known, and @least or newer. */
bool ferry_version_is_at_least(const char *version, const char *least);

/** @version: (nullable). Returns: true when it is known, and older than @limit. */
bool ferry_version_is_before(const char *version, const char *limit);
