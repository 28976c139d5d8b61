/* domain-state.h: what the local libvirt shows of a domain.
 *
 * Threads: any but main; every call may block as long as libvirtd does, none waits for QEMU.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/outcome.h"

/** Gives libvirt's words for state and reason: running and booted, paused and migrating ...;
 * "unknown" and false when the domain is gone. */
bool
ferry_virt_domain_state_words(virDomainPtr domain, const char **ret_state, const char **ret_reason);

/** Returns: libvirt's word for the state: running, paused, shutoff ...; "unknown" when it is
 * gone. */
const char *ferry_virt_domain_state_word(virDomainPtr domain);

/** Returns: what the local libvirt shows of the domain with this UUID; never fails: a libvirt that
 * does not answer is FERRY_OBSERVED_UNREACHABLE. */
FerryObservedState ferry_virt_domain_observe(virConnectPtr connection, const char *uuid);

/** Returns: true when libvirt has a definition of it, whether it runs or not, or cannot tell. */
bool ferry_virt_domain_is_defined(virConnectPtr connection, const char *uuid);

/** The same as ferry_virt_domain_observe() of a domain that was found already. */
FerryObservedState ferry_virt_domain_observed_state(virDomainPtr domain);

/** Returns: true when the domain is shut off or crashed here for a reason that libvirt names and
 * that is no migration: then no other host can have it. */
bool ferry_virt_domain_died_here(virConnectPtr connection, const char *uuid);

/** Returns: true while somebody's call to libvirt has the domain, or its QEMU has been asked and
 * has not answered. */
bool ferry_virt_domain_is_held(virConnectPtr connection, const char *uuid);

/** Returns: true when libvirt runs a job on the domain with this UUID, or cannot tell. */
bool ferry_virt_domain_is_busy(virConnectPtr connection, const char *uuid);
