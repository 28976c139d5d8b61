/* dedup.h: memory of the last messages seen, so that a second copy is not run again.
 *
 * Pure; one thread at a time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct FerryDedup FerryDedup;

/** @capacity: how many names are remembered; the oldest goes first. */
FerryDedup *ferry_dedup_new(guint capacity);
void ferry_dedup_free(FerryDedup *dedup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDedup, ferry_dedup_free)

/** Returns: true when @name was new; it is remembered then. */
bool ferry_dedup_add(FerryDedup *dedup, const char *name);
