/* load.h: how much memory the requests may take that were taken from the broker and are not done.
 * What does not fit waits at the broker.
 *
 * Reference counted. Threads: any.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct FerryLoad FerryLoad;

FerryLoad *ferry_load_new(gsize limit_bytes);
FerryLoad *ferry_load_ref(FerryLoad *load);
void ferry_load_unref(FerryLoad *load);

/** Returns: true when @bytes more fit; alone everything does. */
bool ferry_load_fits(FerryLoad *load, gsize bytes);

void ferry_load_add(FerryLoad *load, gsize bytes);

/** Gives @bytes back, and the memory of a large message to the system. */
void ferry_load_remove(FerryLoad *load, gsize bytes);
