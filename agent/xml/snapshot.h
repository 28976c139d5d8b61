/* snapshot.h: an external snapshot in libvirt's XML. Pure, any thread. */
#pragma once

#include <glib.h>

/**
 * ferry_snapshotxml_build:
 * @targets: (element-type utf8): all disks of the domain that have a medium
 * @overlays: (element-type FerryOverlay): those of them that get an overlay; the others are named
 *   as left out, because libvirt takes what is not named as meant
 * Returns: (transfer full): a <domainsnapshot> without a name.
 */
char *ferry_snapshotxml_build(const GPtrArray *targets, const GPtrArray *overlays);
