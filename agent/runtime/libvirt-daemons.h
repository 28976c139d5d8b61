/* libvirt-daemons.h: what is assumed of the daemons that libvirt is here: their names, and by them
 * what a person is told to look at. One daemon, libvirtd, or one for each driver: virtqemud,
 * virtstoraged and so on, and virtproxyd for connections of other hosts. Any thread.
 *
 * The agent's own connection needs to know nothing of it: libvirt's library finds the socket of
 * qemu:///system itself, and virtqemud asks the other daemons in its caller's name.
 */
#pragma once

#include <stdbool.h>

/* Where the sockets are. */
#define FERRY_LIBVIRT_SOCKETS "/run/libvirt"

/** @folder: of the sockets. Returns: true when the daemons there are one for each driver: virtqemud
 * has a socket. */
bool ferry_libvirt_is_modular(const char *folder);

/* What goes wrong with a daemon. */
typedef enum {
    FERRY_LIBVIRT_IS_AWAY,       /* nothing takes the agent's connection */
    FERRY_LIBVIRT_IS_SILENT,     /* it does not answer, or an instance's QEMU does not */
    FERRY_LIBVIRT_CANNOT_READ,   /* a file */
    FERRY_LIBVIRT_REFUSES,       /* it says why, in part */
    FERRY_LIBVIRT_FAR_IS_AWAY,   /* another host's, likewise */
    FERRY_LIBVIRT_FAR_IS_CLOSED, /* nothing listens there */
    FERRY_LIBVIRT_FAR_IS_LOST,   /* a connection to it broke */
    FERRY_LIBVIRT_FAULTS
} FerryLibvirtFault;

/** Returns: what to do about @fault, by the names that this host's daemons have; both names where
 * another host is meant. */
const char *ferry_libvirt_hint(FerryLibvirtFault fault);

/** The same, where it is known how the daemons are. */
const char *ferry_libvirt_hint_for(FerryLibvirtFault fault, bool modular);
