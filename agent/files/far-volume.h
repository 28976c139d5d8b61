/* far-volume.h: what is looked at in another host's storage, by its libvirt.
 *
 * A far side that stands still is not waited for longer than half a minute.
 * Threads: any but main; blocks.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

/**
 * ferry_far_volume_length:
 * @uri: of the far libvirt; checked by ferry_migrate_data_check()
 * @path: of a volume of an active pool there
 * @ret_bytes: how long its file is
 * @cancellable: ends the waiting
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE: the far libvirt does not answer (any more);
 *   FERRY_ERROR_CANCELLED; as ferry_virt_volume_length()
 */
bool ferry_far_volume_length(const char *uri,
                             const char *path,
                             GCancellable *cancellable,
                             guint64 *ret_bytes,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
