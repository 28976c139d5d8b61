/* domain-cache.h: the active domains that libvirt's events have told of, by name and UUID.
 *
 * Saves an order the question who is meant. It knows less than libvirt, never more than a moment
 * longer: what is not found here is asked of libvirt, and what is found may have ended just now, as
 * it may after any question.
 *
 * Threads: any; one lock inside.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct FerryDomainCache FerryDomainCache;

FerryDomainCache *ferry_domain_cache_new(void);
void ferry_domain_cache_free(FerryDomainCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryDomainCache, ferry_domain_cache_free)

/** To be taken before a look at libvirt whose result is put in. */
guint ferry_domain_cache_generation(FerryDomainCache *cache);

/** @generation: from before the question; nothing is put in when a domain was struck off
 * meanwhile. */
void ferry_domain_cache_put(FerryDomainCache *cache,
                            guint generation,
                            const char *name,
                            const char *uuid);

/** The domain ended, or is about to have another name. */
void ferry_domain_cache_remove(FerryDomainCache *cache, const char *uuid);
/** The connection that told of them is gone. */
void ferry_domain_cache_clear(FerryDomainCache *cache);

/** Returns: true with @ret_name and @ret_uuid (transfer full). */
bool ferry_domain_cache_find(FerryDomainCache *cache,
                             const char *name_or_uuid,
                             char **ret_name,
                             char **ret_uuid);
