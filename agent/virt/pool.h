/* pool.h: storage pools of the local libvirt.
 *
 * Threads: any but main; every call may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/** Returns: (transfer full) (nullable): the pool, active or not, whose target is @directory; NULL
 * without @error when there is none. @directory: resolved. */
virStoragePoolPtr
ferry_virt_pool_find(virConnectPtr connection, const char *directory, GError **error);

/** Returns: (transfer full) (nullable): the target of the pool @name, active or not; NULL when
 * there is none, or it is no pool of files. */
char *ferry_virt_pool_folder(virConnectPtr connection, const char *name);

/** Returns: false when libvirt says that it has no such pools: their backend is not installed. */
bool ferry_virt_pool_type_is_known(virConnectPtr connection, const char *type);

/** Refreshes @pool, patiently while another job works on it. */
bool ferry_virt_pool_refresh(virStoragePoolPtr pool, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Has libvirt look again at the folder of @path, where a pool has it; a failure is only logged, as
 * the next look makes up for it. */
void ferry_virt_folder_refresh(virConnectPtr connection, const char *path);

/** Returns: (transfer full): @wanted, or the first of "@wanted-2", "-3" ... that no pool has. */
char *ferry_virt_pool_free_name(virConnectPtr connection, const char *wanted);
