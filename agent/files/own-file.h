/* own-file.h: a file or folder that a migration made here: noted as what it is, recognised by that
 * and not by its name, renamed and deleted only if it still is that.
 *
 * Threads: any but main; blocks for the file system, and where the agent's user may not delete, as
 * long as libvirtd does.
 */
#pragma once

#include <stdbool.h>

#include "files/beneath.h"
#include "runtime/agent.h"
#include "virt/volume.h"

/* A plain value; all of it is the caller's. */
typedef struct {
    const FerryAgent *agent;
    const char *migration_id;
    const char *path;                 /* resolved */
    const char *const *allowed_paths; /* NULL: those of the configuration */
    const char *noted_as; /* the path under which it was noted, or NULL when it is the same */
} FerryOwnFile;

/**
 * ferry_own_file_note:
 * Notes what is there now as the migration's own. Where the agent's user may not look, nothing is
 * noted and the log says so: it will be kept.
 * @error: there is nothing, or a link; FERRY_ERROR_PATH_NOT_ALLOWED; the journal
 */
bool ferry_own_file_note(const FerryOwnFile *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Whether what is there now came into being between these two moments (UTC); false where the file
 * system does not tell. */
bool ferry_own_file_is_born(const FerryOwnFile *file, gint64 after_us, gint64 before_us);

typedef enum {
    FERRY_OWN_FILE_GONE,    /* nothing has the name */
    FERRY_OWN_FILE_OURS,    /* what was noted has it */
    FERRY_OWN_FILE_FOREIGN, /* something else has it */
    FERRY_OWN_FILE_UNKNOWN, /* nothing was noted, or it cannot be looked at */
} FerryOwnFileSeen;

/** @why: (out): what is the matter with a FOREIGN or UNKNOWN one, and what to do. */
FerryOwnFileSeen ferry_own_file_look(const FerryOwnFile *file, GError **why);

/**
 * ferry_own_file_rename:
 * @to: its new path, in the same folder
 * Renames it, if it is the migration's own, and replaces nothing; on disk when it returns. One that
 * has the new name already is fine. It stays noted under the path of before.
 * @ret_forbidden: (nullable) (out): whether no name like that may be given in that folder
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS: another one has the new name;
 *   FERRY_ERROR_MIGRATION_ERROR: it is gone or another one; nothing was changed
 */
bool ferry_own_file_rename(const FerryOwnFile *file,
                           const char *to,
                           bool *ret_forbidden,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_own_file_delete:
 * @connection: (nullable): the local libvirt, which deletes where the agent's user may not
 * Deletes it, if it is the migration's own; a folder if it is empty. One that is gone counts as
 * deleted. Whether somebody uses it is the caller's to ask.
 * @error: it is another one, or nobody can tell: it is kept; or it cannot be deleted
 */
bool ferry_own_file_delete(const FerryOwnFile *file,
                           virConnectPtr connection,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
