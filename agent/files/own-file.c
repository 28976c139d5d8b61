#include "config.h"

#include "files/own-file.h"

#include "ferry/error.h"
#include "files/rights.h"
#include "journal/identities.h"
#include "virt/passing-pool.h"
#include "virt/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_HINT "Look whose it is; delete it by hand when nobody needs it"

/* What lies at the path now. */
typedef struct {
    int folder; /* -1: there is none */
    char *name; /* in it */
    FerryBeneath kind;
    FerryFileIdentity identity;
} Found;

static void
found_clear(Found *found)
{
    if (found->folder >= 0)
        close(found->folder);
    g_free(found->name);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

/* Under which name the journal has it. */
static const char *
noted_path(const FerryOwnFile *file)
{
    return file->noted_as ? file->noted_as : file->path;
}

static bool
look(const FerryOwnFile *file, Found *ret_found, GError **error)
{
    const char *const *allowed = file->allowed_paths;

    if (!allowed)
        allowed = (const char *const *)file->agent->config->allowed_paths;
    if (!ferry_beneath_open(file->path, allowed, &ret_found->folder, error))
        return false;
    ret_found->name = g_path_get_basename(file->path);
    ret_found->kind = ret_found->folder < 0 ? FERRY_BENEATH_NOTHING
                                            : ferry_beneath_look(ret_found->folder, ret_found->name,
                                                                 &ret_found->identity);
    if (ret_found->kind != FERRY_BENEATH_ERROR)
        return true;
    int code = errno;
    g_autofree char *folder = g_path_get_dirname(file->path);
    g_autofree char *hint = ferry_rights_hint(folder, code, "x");
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, hint, "Cannot look at '%s': %s", file->path,
                    g_strerror(code));
    return false;
}

/* --- noting ----------------------------------------------------------------------------------- */

bool
ferry_own_file_note(const FerryOwnFile *file, GError **error)
{
    g_auto(Found) found = {.folder = -1};
    g_autoptr(GError) why = NULL;

    if (!look(file, &found, &why)) {
        if (g_error_matches(why, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        g_message("Migration '%s': %s. A rollback will keep it", file->migration_id, why->message);
        return true;
    }
    if (found.kind != FERRY_BENEATH_FILE && found.kind != FERRY_BENEATH_FOLDER) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, LOOK_HINT, "'%s', just made, is %s",
                        file->path,
                        found.kind == FERRY_BENEATH_NOTHING ? "gone" : "no regular file any more");
        return false;
    }
    return ferry_journal_identity_put(file->agent->journal, file->migration_id, noted_path(file),
                                      &found.identity, error);
}

bool
ferry_own_file_is_born(const FerryOwnFile *file, gint64 after_us, gint64 before_us)
{
    g_auto(Found) found = {.folder = -1};
    gint64 birth_us = 0;

    if (!look(file, &found, NULL) || found.kind == FERRY_BENEATH_NOTHING)
        return false;
    birth_us = found.identity.birth_ns / 1000;
    return birth_us >= after_us && birth_us <= before_us;
}

/* --- recognising ------------------------------------------------------------------------------ */

static FerryOwnFileSeen
compare(const FerryOwnFile *file, const Found *found, GError **why)
{
    FerryFileIdentity noted = {0};
    bool is_known = false;

    if (!ferry_journal_identity_get(file->agent->journal, file->migration_id, noted_path(file),
                                    &noted, &is_known, why))
        return FERRY_OWN_FILE_UNKNOWN;
    if (is_known && ferry_file_identity_equal(&noted, &found->identity))
        return FERRY_OWN_FILE_OURS;
    if (is_known) {
        ferry_set_error(why, FERRY_ERROR_MIGRATION_ERROR, LOOK_HINT,
                        "'%s' is not the file that migration '%s' noted; it is kept", file->path,
                        file->migration_id);
        return FERRY_OWN_FILE_FOREIGN;
    }
    ferry_set_error(why, FERRY_ERROR_MIGRATION_ERROR, LOOK_HINT,
                    "Nothing proves that migration '%s' made '%s'; it is kept", file->migration_id,
                    file->path);
    return FERRY_OWN_FILE_UNKNOWN;
}

static FerryOwnFileSeen
judge(const FerryOwnFile *file, Found *found, GError **why)
{
    if (!look(file, found, why))
        return g_error_matches(*why, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED)
                   ? FERRY_OWN_FILE_FOREIGN
                   : FERRY_OWN_FILE_UNKNOWN;
    return found->kind == FERRY_BENEATH_NOTHING ? FERRY_OWN_FILE_GONE : compare(file, found, why);
}

FerryOwnFileSeen
ferry_own_file_look(const FerryOwnFile *file, GError **why)
{
    g_auto(Found) found = {.folder = -1};
    g_autoptr(GError) error = NULL;
    FerryOwnFileSeen seen = judge(file, &found, &error);

    if (error)
        g_propagate_error(why, g_steal_pointer(&error));
    return seen;
}

/* --- renaming --------------------------------------------------------------------------------- */

static bool
is_forbidden(int code)
{
    return code == EACCES || code == EPERM || code == EROFS;
}

static bool
fail_to_rename(const char *from, const char *to, int code, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(from);
    g_autofree char *hint = ferry_rights_hint(folder, code, "rwx");

    if (code == EEXIST)
        ferry_set_error(error, FERRY_ERROR_DESTINATION_DISK_EXISTS,
                        "Look whose it is and move it away", "'%s' is in the way of '%s'", to,
                        from);
    else
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, hint, "Cannot rename '%s' to '%s': %s",
                        from, to, g_strerror(code));
    return false;
}

/* Returns: 0, or why not. */
static int
rename_found(const Found *found, const char *to)
{
    g_autofree char *name = g_path_get_basename(to);

    return renameat2(found->folder, found->name, found->folder, name, RENAME_NOREPLACE) == 0 &&
                   ferry_beneath_sync(found->folder)
               ? 0
               : errno;
}

/* From a run that was cut short. */
static bool
is_renamed(const FerryOwnFile *file, const char *to, int folder)
{
    FerryOwnFile there = *file;

    there.path = to;
    there.noted_as = noted_path(file);
    return ferry_own_file_look(&there, NULL) == FERRY_OWN_FILE_OURS && ferry_beneath_sync(folder);
}

bool
ferry_own_file_rename(const FerryOwnFile *file, const char *to, bool *ret_forbidden, GError **error)
{
    g_auto(Found) found = {.folder = -1};
    g_autoptr(GError) why = NULL;
    FerryOwnFileSeen seen = judge(file, &found, &why);

    if (seen == FERRY_OWN_FILE_OURS) {
        int code = rename_found(&found, to);

        if (ret_forbidden)
            *ret_forbidden = is_forbidden(code) || code == ENAMETOOLONG;
        return code == 0 || fail_to_rename(file->path, to, code, error);
    }
    if (is_renamed(file, to, found.folder))
        return true;
    if (!why)
        why = ferry_error_new(FERRY_ERROR_MIGRATION_ERROR, "Look for it; nothing was changed",
                              "'%s' is gone", file->path);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* --- deleting --------------------------------------------------------------------------------- */

/* libvirtd goes by the path alone; that it leads to our file was seen just now, and only who may
 * write to a folder on the way, which is not everybody, could change that. */
static bool
delete_by_libvirt(
    const FerryOwnFile *file, bool is_folder, virConnectPtr connection, int code, GError **error)
{
    if (is_forbidden(code) && connection)
        return is_folder ? ferry_passing_pool_delete_folder(connection, file->path, error)
                         : ferry_virt_volume_delete(connection, file->path, error);
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    is_forbidden(code) ? "Delete it by hand; the agent's user may not" : LOOK_HINT,
                    "Cannot delete '%s': %s", file->path, g_strerror(code));
    return false;
}

static bool
delete_found(const FerryOwnFile *file, const Found *found, virConnectPtr connection, GError **error)
{
    bool is_folder = found->kind == FERRY_BENEATH_FOLDER;

    if (unlinkat(found->folder, found->name, is_folder ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
        return delete_by_libvirt(file, is_folder, connection, errno, error);
    if (!is_folder && connection)
        ferry_virt_folder_refresh(connection, file->path);
    return true;
}

bool
ferry_own_file_delete(const FerryOwnFile *file, virConnectPtr connection, GError **error)
{
    g_auto(Found) found = {.folder = -1};
    g_autoptr(GError) why = NULL;
    FerryOwnFileSeen seen = judge(file, &found, &why);

    if (seen == FERRY_OWN_FILE_OURS)
        return delete_found(file, &found, connection, error);
    if (seen == FERRY_OWN_FILE_GONE)
        return true;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}
