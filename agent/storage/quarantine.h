/* quarantine.h: source images that are out of use for a time, in case the destination is lost.
 *
 * An image is renamed in its own folder (held-file.h), journaled before, and the instance's
 * definition is kept (virt/definition.h). So nobody starts an old copy by mistake, and one command
 * brings the instance back as it was when it left. What has been there for long enough is deleted,
 * but only when the instance is seen running elsewhere at that time.
 *
 * Threads: new, start and free on main; the rest from any but main, blocking on libvirt, the
 * journal and peers. Orders about quarantines run one after the other.
 */
#pragma once

#include <jansson.h>

#include "model/check.h"
#include "model/instance.h"
#include "runtime/agent.h"

FerryQuarantine *ferry_quarantine_new(const FerryAgent *agent);
void ferry_quarantine_free(FerryQuarantine *quarantine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryQuarantine, ferry_quarantine_free)

/** Begins to look for what is over. */
void ferry_quarantine_start(FerryQuarantine *quarantine);

/* --- a migration's part ----------------------------------------------------------------------- */

/** Adds what speaks against putting the disks of @instance aside later. */
void
ferry_quarantine_check(const FerryAgent *agent, FerryChecks *checks, const FerryInstance *instance);

/* --- orders ----------------------------------------------------------------------------------- */

/** Returns: (transfer full): array of quarantines, oldest first; see docs/protocol.md.
 * @instance: (nullable): only those of the one with this name or UUID */
json_t *ferry_quarantine_list(const FerryAgent *agent,
                              const char *instance,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): {"disks", "held_bytes"}: how many images lie there and what they
 * take. */
json_t *ferry_quarantine_sum(const FerryAgent *agent);

/**
 * ferry_quarantine_restore:
 * @migration_id: whose quarantine; one that was restored already is answered as it is
 * @force: also when nobody can say whether the instance runs elsewhere; never while it is seen to
 * @error: FERRY_ERROR_MIGRATION_NOT_FOUND; FERRY_ERROR_INVALID_MIGRATION_STATE: deleted, or not yet
 *   complete; FERRY_ERROR_INSTANCE_INVALID_STATE: it runs; FERRY_ERROR_DESTINATION_UNREACHABLE:
 *   nobody can say; FERRY_ERROR_DESTINATION_DISK_EXISTS: a file is in the way, nothing was changed
 * Returns: (transfer full): the quarantine as the list shows it.
 */
json_t *ferry_quarantine_restore(FerryQuarantine *quarantine,
                                 const char *migration_id,
                                 bool force,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Deletes before the time is over. @force: also when the instance is not seen running. Errors and
 * answer as above. */
json_t *ferry_quarantine_delete(FerryQuarantine *quarantine,
                                const char *migration_id,
                                bool force,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
