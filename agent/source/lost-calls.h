/* lost-calls.h: calls to the destination's libvirt that end with its daemon: one that kills it
 * twice is not made a third time.
 *
 * Whether the daemon was started anew, or hangs, the destination's agent tells by its own
 * connection (`libvirt_since` of ping). One that does not tell, or cannot be asked, is not judged.
 *
 * Threads: any but main; blocks while the destination's agent is asked.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "runtime/agent.h"

/* What another agent says of its libvirt. */
typedef struct {
    bool known;    /* it told; all else is nothing where it did not */
    char *since;   /* when its connection was opened; NULL: none stands */
    char *agent;   /* when the agent itself was started, with a connection of its own; or NULL */
    char *version; /* or NULL */
} FerryFarLibvirt;

void ferry_far_libvirt_clear(FerryFarLibvirt *libvirt);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryFarLibvirt, ferry_far_libvirt_clear)

/** @host: whose agent is asked, once. @cancellable: (nullable): the agent's own when NULL */
void ferry_far_libvirt_ask(const FerryAgent *agent,
                           const char *host,
                           GCancellable *cancellable,
                           FerryFarLibvirt *ret);

/** Returns: true when the daemon that @before was of is not there any more. */
bool ferry_far_libvirt_has_gone(const FerryFarLibvirt *before, const FerryFarLibvirt *now);

/* So many deaths in the same call, one after the other, are enough. */
#define FERRY_LOST_CALLS_MAX 2

/* Calls of one kind to one host. Begins as zeroes. */
typedef struct {
    FerryFarLibvirt libvirt; /* that the last one met */
    guint64 position;        /* how far it had come */
    guint deaths;            /* in a row, with nothing won */
} FerryLostCalls;

void ferry_lost_calls_clear(FerryLostCalls *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryLostCalls, ferry_lost_calls_clear)

/* One of them. A value that borrows all it points to. */
typedef struct {
    const FerryAgent *agent;
    const char *host;
    GCancellable *cancellable;
    guint64 position; /* how far the calls have come: one that got on was no cause of death */
} FerryLostCall;

/** Before each call. */
void ferry_lost_calls_begin(FerryLostCalls *self, const FerryLostCall *call);

/** After a call that lost its connection, and before it is made again.
 * @error: FERRY_ERROR_MIGRATION_ERROR: it killed the daemon once more */
bool ferry_lost_calls_allow(FerryLostCalls *self,
                            const FerryLostCall *call,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): that @libvirt of @host has ended in this call twice. @call: "an
 * upload" */
GError *ferry_lost_calls_error(const FerryFarLibvirt *libvirt, const char *host, const char *call);
