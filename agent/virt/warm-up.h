/* warm-up.h: asks libvirt what its QEMU can do before anybody waits for it. libvirt asks QEMU at
 * the first question after a start, and again when the emulator's file has changed, which takes
 * seconds on a busy host; then it keeps the answer.
 *
 * Threads: any. It asks in a detached call, over a connection of its own.
 */
#pragma once

#include <glib.h>

typedef struct FerryWarmUp FerryWarmUp;

FerryWarmUp *ferry_warm_up_new(const char *uri);

/** A question that is under way goes on by itself. */
void ferry_warm_up_free(FerryWarmUp *warm_up);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryWarmUp, ferry_warm_up_free)

/** libvirt has been connected to: it may know nothing yet. */
void ferry_warm_up_begin(FerryWarmUp *warm_up);

/** Begins if the emulator's file is another one than it was. Never blocks for long. */
void ferry_warm_up_look(FerryWarmUp *warm_up);
