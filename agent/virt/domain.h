/* domain.h: domains of the local libvirt: found, described, retired.
 *
 * Threads: any but main; every call may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/instance.h"

/** Returns: (transfer full): the domain with this name or UUID; NULL with
 * FERRY_ERROR_INSTANCE_NOT_FOUND or FERRY_ERROR_HYPERVISOR_UNAVAILABLE. */
virDomainPtr ferry_virt_domain_find(virConnectPtr connection,
                                    const char *name_or_uuid,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The same for what an order or a request names: the error says which host has no such instance.
 * @host: the agent's name */
virDomainPtr ferry_virt_domain_find_named(virConnectPtr connection,
                                          const char *host,
                                          const char *name_or_uuid,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_domain_describe:
 * Reads the live XML (migratable, without secrets), the state, and of each disk what the storage
 * knows: size, allocation, pool, and of qcow2 images the header.
 * A disk whose image cannot be looked at keeps zeros; the plan names that as an obstacle.
 */
FerryInstance *ferry_virt_domain_describe(virConnectPtr connection,
                                          virDomainPtr domain,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when its host starts it at boot. */
bool ferry_virt_domain_is_autostarted(virDomainPtr domain);

/** Returns: false where the host has no definition with this @uuid, or cannot be asked. */
bool
ferry_virt_domain_tells_autostart(virConnectPtr connection, const char *uuid, bool *ret_autostart);

/** @error: FERRY_ERROR_MIGRATION_ERROR. */
bool ferry_virt_domain_set_autostart(virDomainPtr domain,
                                     bool autostart,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_domain_read_persistent:
 * @ret_persistent: (transfer full) (nullable): what the next start of a domain that runs will use,
 *   with its domain_xml; its disks are not looked at. NULL for a domain that is shut off or
 *   transient
 */
bool ferry_virt_domain_read_persistent(virDomainPtr domain,
                                       FerryInstance **ret_persistent,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Adds to each disk what the storage knows of it. */
void ferry_virt_domain_look_at_disks(virConnectPtr connection, FerryInstance *instance);

/**
 * ferry_virt_domain_retire:
 * Ends what a completed migration left of the domain on its source, where libvirt did not come to
 * it: one that is still paused for the switch is destroyed; with @undefine a definition that is
 * shut off is removed, without it the definition stays and is not started at boot any more. Call it
 * only after the instance was seen alive on the destination.
 * @error: FERRY_ERROR_MIGRATION_ERROR, also when the domain is in any other state: nothing was done
 */
bool ferry_virt_domain_retire(virConnectPtr connection,
                              const char *uuid,
                              bool undefine,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Adds obstacles that libvirt knows and the XML does not show: snapshots, checkpoints, managed
 * save, running block jobs. */
bool ferry_virt_domain_find_obstacles(virDomainPtr domain,
                                      FerryInstance *instance,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_path_users:
 * @paths: NULL-terminated
 * @except_uuid: (nullable): the domain that does not count
 * @ret_users: as many, all NULL: at the place of each path the name (transfer full) of an active or
 *   defined domain that names it as a disk, now or for its next start. Unreadable domains count as
 *   users of all. NULL stays where there is none
 */
void ferry_virt_path_users(virConnectPtr connection,
                           const char *const *paths,
                           const char *except_uuid,
                           char **ret_users);

/** The same for one path. Returns: true when it is used; by whom in @ret_name (transfer full). */
bool ferry_virt_path_is_used(virConnectPtr connection,
                             const char *path,
                             const char *except_uuid,
                             char **ret_name);

/** For who is about to delete @path. @error: FERRY_ERROR_MIGRATION_ERROR naming who uses it */
bool ferry_virt_path_check_unused(virConnectPtr connection,
                                  const char *path,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
