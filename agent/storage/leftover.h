/* leftover.h: files that an instance left behind when it moved away (source_disks "keep"), which
 * its return needs the names of.
 *
 * Nobody knows that it returns before it has: so a leftover is set aside, under another name in its
 * own folder and journaled before. When the arrival is rolled back it gets its name back; when the
 * instance has come it is deleted. Where the agent's user may not rename in that folder, the
 * leftover is deleted at once, but only when the host to which the instance went shows it.
 *
 * Threads: any but main; may block as long as libvirtd does, and while others are asked.
 */
#pragma once

#include <jansson.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "journal/leftovers.h"
#include "runtime/agent.h"

/* Which migration brings which instance. A plain value; all of it is the caller's. */
typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    const char *migration_id;
    const char *instance_uuid;
} FerryArrival;

/** Notes that the instance of this migration, which left this host, left the file at @path behind.
 * @error: it cannot be looked at; FERRY_ERROR_PATH_NOT_ALLOWED; the journal */
bool ferry_leftover_note(const FerryArrival *departure,
                         const char *path,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when the file at @path may be replaced: this host's journal knows it as what the
 * same instance left behind, it has not changed since, and no instance names it. */
bool ferry_leftover_may_replace(const FerryAgent *agent,
                                virConnectPtr connection,
                                const char *path,
                                const char *instance_uuid);

/**
 * ferry_leftover_set_aside:
 * @path: resolved; something is there
 * Frees the name, if what has it is a leftover of the arrival's instance. May be called again after
 * a crash at any moment.
 * @ret_ours: (out): it was, and the name is free; false: it is no leftover, nothing was done
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS: it may not be renamed, and no host shows the
 *   instance; or another file has the name that it would get; FERRY_ERROR_MIGRATION_ERROR; the
 *   journal
 */
bool ferry_leftover_set_aside(const FerryArrival *arrival,
                              const char *path,
                              bool *ret_ours,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_leftover_put_back:
 * Gives back their names to all that the arrival set aside. To be called when what the arrival made
 * is removed, and again as often as its rollback is.
 * @kept: {"kind": "leftover", "path", "why"} is added of each that cannot get its name: it stays
 *   under the other one
 * @error: the journal: call again
 */
bool ferry_leftover_put_back(const FerryArrival *arrival,
                             json_t *kept,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The instance has come: deletes all that the arrival set aside. What cannot be deleted stays, and
 * the log says so. @error: the journal: call again */
bool ferry_leftover_delete_asides(const FerryArrival *arrival,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
