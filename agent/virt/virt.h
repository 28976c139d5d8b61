/* virt.h: the agent's libvirt: its events, and connections for whoever asks it something.
 *
 * A thread of its own runs libvirt's event loop and hands values over. The connection that tells of
 * events is opened at once and again after it was lost; a libvirtd that is not there is tried again
 * every few seconds. Questions go over others, each lent to one thread at a time (lending.h).
 * Opening can hang, so a detached call (runtime/detached-call.h) does it, for every connection that
 * is made here, and callers wait 20 s at most; a libvirtd that stands still later is given up after
 * a minute (keepalive), which ends the calls that wait for it. Every function may be called from
 * any thread; nothing here is called on the main thread.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "virt/watch.h"

typedef struct FerryVirt FerryVirt;

FerryVirt *ferry_virt_new(const char *uri);
void ferry_virt_free(FerryVirt *virt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryVirt, ferry_virt_free)

/**
 * ferry_virt_connect:
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE
 * Returns: (transfer full): a connection that is the caller's alone until it is let go (auto.h).
 * Another thread may go on with it instead, never both.
 */
virConnectPtr ferry_virt_connect(FerryVirt *virt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_connect_apart:
 * For what libvirt ends with its connection: this one is closed when it is let go.
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE
 * Returns: (transfer full): a connection of the caller's own.
 */
virConnectPtr ferry_virt_connect_apart(FerryVirt *virt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_connect_to:
 * To another host's libvirt, as the transfer itself reaches it. A far side that stands still later
 * is given up after half a minute, which ends the calls that wait for it: who cannot wait as long
 * makes them in a detached call.
 * @uri: checked by ferry_migrate_data_check()
 * @cancellable: (nullable): ends the waiting
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE, also when it does not answer; FERRY_ERROR_CANCELLED
 * Returns: (transfer full): a connection of the caller's own.
 */
virConnectPtr ferry_virt_connect_to(const char *uri,
                                    GCancellable *cancellable,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true unless @connection was lost; looks at the socket only. */
bool ferry_virt_connection_stands(virConnectPtr connection);

/** Returns: true when a connection stands; looks at nothing, never blocks. */
bool ferry_virt_is_connected(FerryVirt *virt);

/**
 * ferry_virt_standing:
 * Looks at nothing, never blocks.
 * @ret_version: (transfer full) (nullable): of the libvirt that is connected; NULL where none is
 * Returns: since when the connection stands, in microseconds of the wall clock; 0 where none does.
 * A daemon that was started anew has another one.
 */
gint64 ferry_virt_standing(FerryVirt *virt, char **ret_version);

/** Returns: true with @ret_name and @ret_uuid (transfer full) when libvirt's events have told of an
 * active domain of this name or UUID; never blocks. false says nothing: ask libvirt. */
bool ferry_virt_knows_active(FerryVirt *virt,
                             const char *name_or_uuid,
                             char **ret_name,
                             char **ret_uuid);

/** Returns: since when libvirt's events have been heard without a gap, in microseconds of the wall
 * clock, as a name of that time: two that are equal are one; 0 when nobody hears them. Never
 * blocks. */
gint64 ferry_virt_listening(FerryVirt *virt);

/** Called on libvirt's event thread, which must not wait. @runs: false: it begins to arrive by a
 * migration; true: it came to run, or arrived to stand as it has to, in whatever way. */
typedef void (*FerryVirtArrivalFunc)(const char *uuid, bool runs, gpointer user_data);

/** @func: called for each domain that arrives or comes to run here; NULL: no more. */
void ferry_virt_set_arrival_func(FerryVirt *virt, FerryVirtArrivalFunc func, gpointer user_data);

/** @uuid: whose events. Events from before are not seen. */
FerryVirtWatch *ferry_virt_watch(FerryVirt *virt, const char *uuid);
