#include "config.h"

#include "files/partial-file.h"

#include "ferry/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A copy goes on at a multiple of this. */
#define RESUME_BYTES (1024 * 1024)

bool
ferry_partial_refuse_other(const char *path, const char *how, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_DESTINATION_DISK_EXISTS,
                    "Compare the two files; move the one here away, or give the instance the same",
                    "The file '%s' is there already and is another one: %s", path, how);
    return false;
}

static bool
fail_on_file(const char *doing, const char *path, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Files that are carried are made by the agent: give its user write access to "
                    "the folder",
                    "Cannot %s '%s': %s", doing, path, g_strerror(errno));
    return false;
}

static bool
check_space(const FerryImport *row,
            const struct stat *partial,
            guint64 data_bytes,
            guint64 reserved_bytes,
            GError **error)
{
    struct statvfs fs;
    guint64 there = (guint64)partial->st_blocks * 512;
    guint64 missing = data_bytes > there ? data_bytes - there : 0;

    if (statvfs(row->partial, &fs) < 0)
        return fail_on_file("see the free space of", row->partial, error);

    guint64 available = (guint64)fs.f_bavail * fs.f_frsize;

    if (available >= missing && available - missing >= reserved_bytes)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                    "Free space there, or lower [storage] reserved_bytes",
                    "No space for '%s': %" G_GUINT64_FORMAT " MiB are missing, %" G_GUINT64_FORMAT
                    " MiB are available, %" G_GUINT64_FORMAT " MiB of them reserved",
                    row->path, missing >> 20, available >> 20, reserved_bytes >> 20);
    return false;
}

/* Opens the partial file, making it where there is none. A file of that name that no row knows is
 * not ours. It may be read by whoever may read the source's: what is a secret there stays one here,
 * also before it is complete. */
static int
open_partial(const FerryImport *row, const FerryCarriedFile *file, bool is_ours, GError **error)
{
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (is_ours ? 0 : O_EXCL);
    int fd = open(row->partial, flags, 0600);

    if (fd >= 0 && fchmod(fd, 0600 | (file->mode & 0044)) < 0) {
        close(fd);
        fail_on_file("set the rights of", row->partial, error);
        return -1;
    }

    if (fd < 0 && errno == EEXIST)
        ferry_partial_refuse_other(row->partial, "no migration of this host made it", error);
    else if (fd < 0)
        fail_on_file("make", row->partial, error);
    return fd;
}

/* What is there is true as far as it goes; what lies beyond the announced end is not of this
 * file. */
static bool
measure_partial(const FerryImport *row,
                int fd,
                guint64 data_bytes,
                guint64 reserved_bytes,
                guint64 *ret_offset,
                GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return fail_on_file("look at", row->partial, error);
    if ((guint64)st.st_size > row->file_bytes) {
        if (ftruncate(fd, 0) < 0)
            return fail_on_file("cut", row->partial, error);
        st.st_size = 0;
    }
    *ret_offset = (guint64)st.st_size / RESUME_BYTES * RESUME_BYTES;
    return check_space(row, &st, data_bytes, reserved_bytes, error);
}

bool
ferry_partial_begin(const FerryImport *row,
                    const FerryCarriedFile *file,
                    bool is_ours,
                    guint64 reserved_bytes,
                    guint64 *ret_offset,
                    GError **error)
{
    int fd = open_partial(row, file, is_ours, error);
    bool ok =
        fd >= 0 && measure_partial(row, fd, file->data_bytes, reserved_bytes, ret_offset, error);

    if (fd >= 0)
        close(fd);
    return ok;
}

bool
ferry_partial_empty(const FerryImport *row, GError **error)
{
    return truncate(row->partial, 0) == 0 || fail_on_file("cut", row->partial, error);
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool
complete(FerryImport *row, int fd, bool read_only)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || fchmod(fd, read_only ? st.st_mode & 0444 : 0600) < 0 ||
        fsync(fd) < 0)
        return false;
    row->inode = st.st_ino;
    return true;
}

bool
ferry_partial_settle(FerryImport *row, bool read_only, GError **error)
{
    int fd = open(row->partial, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool ok = complete(row, fd, read_only) || fail_on_file("complete", row->partial, error);

    if (fd >= 0)
        close(fd);
    return ok;
}

static bool
sync_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok || fail_on_file("write out the folder of", path, error);
}

bool
ferry_partial_give_name(const FerryImport *row, GError **error)
{
    if (renameat2(AT_FDCWD, row->partial, AT_FDCWD, row->path, RENAME_NOREPLACE) < 0)
        return errno == EEXIST ? ferry_partial_refuse_other(row->path, "it came meanwhile", error)
                               : fail_on_file("give its name to", row->partial, error);
    return sync_folder(row->path, error);
}
