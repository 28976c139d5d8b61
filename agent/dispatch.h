/* dispatch.h: from a request to its answer: runs methods in a pool, bounds how long each may take.
 *
 * Threads: new and free on main; ferry_dispatch_handle() is the bus' callback and runs on main too.
 */
#pragma once

#include "methods/call.h"

typedef struct FerryDispatch FerryDispatch;

/** @methods: its texts are copied. @context: main's. */
FerryDispatch *ferry_dispatch_new(const FerryMethodContext *methods, GMainContext *context);

/** Waits for methods that run; one that hangs in libvirt is left behind after some seconds. */
void ferry_dispatch_free(FerryDispatch *dispatch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDispatch, ferry_dispatch_free)

/** @dispatch: a FerryDispatch. Never blocks. */
void ferry_dispatch_handle(FerryRequest *request, gpointer dispatch);
