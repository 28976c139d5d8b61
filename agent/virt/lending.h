/* lending.h: connections to the host's own libvirt, each lent to one thread at a time.
 *
 * Of the threads that wait for answers on one connection, libvirt's client lets one poll for all of
 * them, with a watch that points into its stack. Before libvirt 10.4 the watch may stay when that
 * thread has gone, and the next one to poll writes through it (CVE-2024-4418): a libvirtd that
 * stands still with several questions waiting takes the process with it. And a call can miss the
 * moment to wake the one that polls, and then waits for the next keepalive message, seconds later.
 * So no two threads ever call on one connection, and what was got from one (a domain, a pool) is
 * used by whoever holds it.
 *
 * What is given back waits for the next who asks; a few are kept, others are closed. One is opened
 * at a time: while libvirtd stands still, one opening hangs, and everybody else waits for it.
 *
 * Threads: any but main.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>

typedef struct FerryLending FerryLending;

FerryLending *ferry_lending_new(const char *uri);

/** What is lent is closed once it is given back. */
void ferry_lending_free(FerryLending *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryLending, ferry_lending_free)

/**
 * ferry_lending_take:
 * Takes FERRY_OPEN_LIMIT_S at most.
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE
 * Returns: (transfer full): a connection that is the caller's alone until ferry_virt_let_go().
 */
virConnectPtr ferry_lending_take(FerryLending *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Gives @connection back, or closes one that was not lent. What was got from it is freed before.
 * It is what g_autoptr(virConnect) does (virt/auto.h). */
void ferry_virt_let_go(virConnectPtr connection);
