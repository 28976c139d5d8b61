/* detached-call.h: a call that may never come back, in a thread of its own: whoever started it
 * waits for as long as it likes, and otherwise leaves it behind.
 *
 * libvirt has no time limit of its own for most calls, opening a connection among them: with a
 * libvirtd that stands still, or a QEMU whose monitor is stuck, they wait without end. Such a
 * thread ends when libvirt answers or the process does.
 *
 * Ownership: a call is held by its thread, by whoever started it, and by whoever took a reference.
 * Each lets go by itself; the last one frees the call and its data. Until the call is over the data
 * are the thread's, but for what in them is immutable or guards itself; then they are the holders'.
 *
 * Threads: any but main.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

/** Calls, in the call's thread. */
typedef bool (*FerryDetachedFunc)(gpointer data, GError **error);

/** Called in the call's thread once the call is over, unless everybody else has let go before; must
 * not use the call. */
typedef void (*FerryDetachedEndedFunc)(gpointer data);

typedef struct {
    const char *thread; /* its name: "vf-" and a word, at most 15 bytes */
    FerryDetachedFunc func;
    gpointer data;
    GDestroyNotify free_data;     /* nullable: somebody who outlives the call owns @data */
    FerryDetachedEndedFunc ended; /* nullable */
    gpointer ended_data;          /* valid until the starter lets go */
} FerryDetachedWork;

typedef struct FerryDetachedCall FerryDetachedCall;

/** @work: copied; its data are handed over. */
FerryDetachedCall *ferry_detached_call_start(const FerryDetachedWork *work);

typedef enum {
    FERRY_CALL_OVER,
    FERRY_CALL_LATE,      /* the time is up */
    FERRY_CALL_CANCELLED, /* nobody wants the answer any more */
} FerryCallState;

/**
 * ferry_detached_call_wait:
 * @timeout_ms: 0: only looks
 * @cancellable: (nullable): ends the waiting, not the call
 */
FerryCallState
ferry_detached_call_wait(FerryDetachedCall *call, guint timeout_ms, GCancellable *cancellable);

/** Of a call that is over. @error: what @func said, to each who asks. Returns: what @func did. */
bool ferry_detached_call_result(FerryDetachedCall *call, GError **error);

/** Returns: what the call works on, valid as long as the caller holds the call. */
gpointer ferry_detached_call_data(FerryDetachedCall *call);

/** Of a call that is over. Returns: (transfer full): its data; nobody else may use them any
 * more. */
gpointer ferry_detached_call_take_data(FerryDetachedCall *call);

FerryDetachedCall *ferry_detached_call_ref(FerryDetachedCall *call);

/** The caller lets go; a call that is not over is left behind. */
void ferry_detached_call_abandon(FerryDetachedCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDetachedCall, ferry_detached_call_abandon)

/** Waits until no call runs any more, held or left behind. Returns: false after @timeout_ms: what
 * those calls use must not be freed. */
bool ferry_detached_calls_await_none(guint timeout_ms);
