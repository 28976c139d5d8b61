#include "config.h"

#include "files/held-file.h"

#include "ferry/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define RIGHTS_HINT "Give the agent's user write access to the folder, then send the order again"
#define BLOCK_BYTES 512 /* what st_blocks counts */
#define MODE_BITS 07777

char *
ferry_held_file_name(const char *path, const char *migration_id)
{
    return g_strdup_printf("%s.quarantine-%s", path, migration_id);
}

bool
ferry_held_file_info(const char *path, FerryHeldFile *ret_file, GError **error)
{
    struct stat status;

    if (lstat(path, &status) != 0) {
        if (errno != ENOENT)
            ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL, "Cannot look at '%s': %s",
                            path, g_strerror(errno));
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Quarantine is for image files",
                        "'%s' is not a regular file", path);
        return false;
    }
    *ret_file = (FerryHeldFile){.inode = status.st_ino,
                                .allocation_bytes = (guint64)status.st_blocks * BLOCK_BYTES,
                                .mode = status.st_mode & MODE_BITS};
    return true;
}

/* Sets @ret_there when the file at @path is the one with @inode. */
static bool
is_at(const char *path, guint64 inode, bool *ret_there, GError **error)
{
    FerryHeldFile file = {0};
    g_autoptr(GError) why = NULL;

    *ret_there = ferry_held_file_info(path, &file, &why) && file.inode == inode;
    if (why)
        g_propagate_error(error, g_steal_pointer(&why));
    return !why;
}

static bool
sync_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;

    if (!synced)
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, NULL,
                        "Cannot bring the folder '%s' to disk: %s", folder, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return synced;
}

static bool
rename_file(const char *from, const char *to, GError **error)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EEXIST)
        ferry_set_error(error, FERRY_ERROR_DESTINATION_DISK_EXISTS,
                        "Look whose file it is and move it away", "'%s' is in the way of '%s'", to,
                        from);
    else
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, RIGHTS_HINT,
                        "Cannot rename '%s' to '%s': %s", from, to, g_strerror(errno));
    return false;
}

/* Best effort: the name is what counts. */
static void
set_mode(const char *path, guint mode)
{
    if (chmod(path, mode) != 0)
        g_info("The mode of '%s' stays as it is: %s", path, g_strerror(errno));
}

bool
ferry_held_file_move(const char *from, const char *to, guint64 inode, guint mode, GError **error)
{
    bool here = false;
    bool there = false;

    if (!is_at(to, inode, &there, error))
        return false;
    if (!there) {
        if (!is_at(from, inode, &here, error))
            return false;
        if (!here) {
            ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look for it; nothing was changed",
                            "'%s' is gone, or another file has its name", from);
            return false;
        }
        if (!rename_file(from, to, error))
            return false;
    }
    set_mode(to, mode);
    return sync_folder(to, error);
}

bool
ferry_held_file_delete(const char *path, guint64 inode, GError **error)
{
    FerryHeldFile file = {0};
    g_autoptr(GError) why = NULL;

    if (!ferry_held_file_info(path, &file, &why)) {
        if (why)
            g_propagate_error(error, g_steal_pointer(&why));
        return !why;
    }
    if (file.inode != inode) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look whose it is",
                        "'%s' is not the file that was put there; it is not deleted", path);
        return false;
    }
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, RIGHTS_HINT, "Cannot delete '%s': %s", path,
                    g_strerror(errno));
    return false;
}
