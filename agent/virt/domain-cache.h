/* domain-cache.h: the active domains that libvirt's events have told of, by name and UUID.
 *
 * Saves an order the question who is meant. It knows less than libvirt, never more than a moment
 * longer: what is not found here is asked of libvirt, and what is found may have ended just now, as
 * it may after any look.
 *
 * Threads: any; one lock inside.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct FerryRoster FerryRoster;

FerryRoster *ferry_roster_new(void);
void ferry_roster_free(FerryRoster *roster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryRoster, ferry_roster_free)

/** To be taken before a look at libvirt whose result is put in. */
guint ferry_roster_generation(FerryRoster *roster);

/** @generation: from before the look; nothing is put in when a domain was struck off meanwhile. */
void ferry_roster_put(FerryRoster *roster, guint generation, const char *name, const char *uuid);

/** The domain ended, or is about to have another name. */
void ferry_roster_strike(FerryRoster *roster, const char *uuid);
/** The connection that told of them is gone. */
void ferry_roster_clear(FerryRoster *roster);

/** Returns: true with @ret_name and @ret_uuid (transfer full). */
bool
ferry_roster_find(FerryRoster *roster, const char *name_or_uuid, char **ret_name, char **ret_uuid);
