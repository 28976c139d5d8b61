/* virt-domain.h: domains of the local libvirt: found, seen, described.
 *
 * Threads: any but main; every call may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "instance.h"
#include "verdict.h"

/** Returns: (transfer full): the domain with this name or UUID; NULL with
 * FERRY_ERROR_INSTANCE_NOT_FOUND or FERRY_ERROR_HYPERVISOR_UNAVAILABLE. */
virDomainPtr ferry_virt_domain_find(virConnectPtr connection,
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

/** Returns: libvirt's word for the state: running, paused, shutoff ...; "unknown" when it is gone. */
const char *ferry_virt_domain_state_word(virDomainPtr domain);

/** Returns: what the local libvirt shows of the domain with this UUID; never fails: a libvirt that
 * does not answer is FERRY_SIGHT_UNREACHABLE. */
FerrySight ferry_virt_domain_sight(virConnectPtr connection, const char *uuid);

/** The same of a domain that was found already. */
FerrySight ferry_virt_domain_state_sight(virDomainPtr domain);

/** Returns: true when the domain is shut off or crashed here for a reason that libvirt names and that
 * is no migration: then no other host can have it. */
bool ferry_virt_domain_died_here(virConnectPtr connection, const char *uuid);

/**
 * ferry_virt_domain_retire:
 * Ends what a completed migration left of the domain on its source, where libvirt did not come to it:
 * one that is still paused for the switch is destroyed, and with @undefine a definition that is shut
 * off is removed. Call it only after the instance was seen alive on the destination.
 * @error: FERRY_ERROR_MIGRATION_ERROR, also when the domain is in any other state: nothing was done
 */
bool ferry_virt_domain_retire(virConnectPtr connection,
                              const char *uuid,
                              bool undefine,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when libvirt runs a job on the domain with this UUID, or cannot tell. */
bool ferry_virt_domain_is_busy(virConnectPtr connection, const char *uuid);

/** Adds obstacles that libvirt knows and the XML does not show: snapshots, checkpoints, managed
 * save, running block jobs. */
bool ferry_virt_domain_find_obstacles(virDomainPtr domain,
                                      FerryInstance *instance,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when an active or defined domain other than @except_uuid (nullable) names @path as
 * a disk; the domain's name in @ret_name (transfer full). Unreadable domains count as users. */
bool ferry_virt_path_is_used(virConnectPtr connection,
                             const char *path,
                             const char *except_uuid,
                             char **ret_name);
