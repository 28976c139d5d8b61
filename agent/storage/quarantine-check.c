/* What speaks against a quarantine, before anything moves. */
#include "config.h"

#include "ferry/error.h"
#include "files/held-file.h"
#include "files/rights.h"
#include "model/block-volume.h"
#include "model/paths.h"
#include "storage/quarantine.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static bool
may_be_held(const FerryAgent *agent, const FerryDisk *disk, GError **error)
{
    g_autofree char *path = NULL;
    g_autofree char *folder = NULL;
    g_autofree char *name = NULL;
    g_autofree char *held_name = NULL;

    if (ferry_disk_is_block(disk)) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                        "Keep or delete the source disks",
                        "Disk '%s': the block volume '%s' cannot be put in quarantine",
                        disk->target, disk->source);
        return false;
    }
    if (!ferry_path_check(disk->source, (const char *const *)agent->config->allowed_paths, &path,
                          error))
        return false;
    folder = g_path_get_dirname(path);
    name = g_path_get_basename(path);
    held_name = ferry_held_file_name(name, "00000000-0000-0000-0000-000000000000");
    if (strlen(held_name) > NAME_MAX) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                        "Give the file a shorter name, or keep or delete the source disks",
                        "Disk '%s': the name of '%s' is too long for quarantine", disk->target,
                        disk->source);
        return false;
    }
    if (access(folder, W_OK | X_OK) != 0) {
        int code = errno;
        g_autofree char *hint = ferry_rights_hint(folder, code, "rwx");

        ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR, hint,
                        "Disk '%s': no file can be renamed in '%s': %s", disk->target, folder,
                        g_strerror(code));
        return false;
    }
    return true;
}

void
ferry_quarantine_check(const FerryAgent *agent, FerryChecks *checks, const FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_autoptr(GError) error = NULL;

        if (disk->migrate && !may_be_held(agent, disk, &error))
            ferry_checks_add(checks,
                             g_error_matches(error, FERRY_ERROR, FERRY_ERROR_PATH_NOT_ALLOWED)
                                 ? "path"
                                 : "quarantine",
                             FERRY_CHECK_FAIL, ferry_error_hint(error), "%s", error->message);
    }
}
