/* dedup.h: remembers the identities of the last messages, so that a second copy is recognized.
 *
 * Pure; one thread at a time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct FerryDedup FerryDedup;

/** @capacity: how many names are remembered; the oldest is forgotten first. */
FerryDedup *ferry_dedup_new(guint capacity);
void ferry_dedup_free(FerryDedup *dedup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDedup, ferry_dedup_free)

/** Remembers @name. Returns: true when it was new. */
bool ferry_dedup_add(FerryDedup *dedup, const char *name);
