/* arrival-mark.h: by which migration a definition comes, as its metadata say. Pure, any thread.
 *
 * An instance that does not run arrives as a definition alone. Anybody may define one with the same
 * UUID, so the source marks its own, and the destination believes, and takes back, no other one.
 */
#pragma once

#include <glib.h>

/* Of the mark's element; libvirt keeps one element of each namespace. */
#define FERRY_ARRIVAL_NAMESPACE "urn:virt-ferry:arrival:1"

/**
 * ferry_arrival_mark_add:
 * @xml: a <domain>, as libvirt printed it
 * @error: FERRY_ERROR_INVALID_REQUEST: not a domain's XML
 * Returns: (transfer full): the same with the mark of this migration, instead of any other.
 */
char *ferry_arrival_mark_add(const char *xml,
                             const char *migration_id,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): @xml without the <metadata> that it has nothing in, as
 * libvirt leaves it where the mark was all that there was; NULL where there is none. */
char *ferry_arrival_mark_clean(const char *xml);

/** Returns: (transfer full) (nullable): the migration that the mark in @xml names. */
char *ferry_arrival_mark_find(const char *xml);
