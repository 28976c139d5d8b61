#include "config.h"

#include "files/partial-file.h"

#include "ferry/error.h"
#include "files/own-file.h"
#include "journal/identities.h"

#include <errno.h>
#include <fcntl.h>
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

/* --- opening ---------------------------------------------------------------------------------- */

bool
ferry_partial_intend(const FerryAgent *agent, const FerryImport *row, GError **error)
{
    return ferry_journal_identity_intend(agent->journal, row->migration_id, row->partial, error);
}

static bool
is_of_before(const FerryAgent *agent, const FerryImport *row)
{
    return ferry_journal_identity_is_of_before(agent->journal, row->migration_id, row->partial);
}

bool
ferry_partial_is_made_by(const FerryAgent *agent, const FerryImport *row)
{
    const FerryOwnFile file = {
        .agent = agent, .migration_id = row->migration_id, .path = row->partial};
    FerryOwnFileSeen seen = ferry_own_file_look(&file, /* why= */ NULL);

    return seen == FERRY_OWN_FILE_OURS ||
           (seen == FERRY_OWN_FILE_UNKNOWN && is_of_before(agent, row));
}

/* Whether what was opened is what @maker made. */
static bool
check_made_by(const FerryAgent *agent, const FerryImport *maker, int fd, GError **error)
{
    FerryFileIdentity noted = {0};
    FerryFileIdentity found = {0};
    bool is_known = false;

    if (!ferry_journal_identity_get(agent->journal, maker->migration_id, maker->partial, &noted,
                                    &is_known, error))
        return false;
    if (ferry_beneath_look(fd, "", &found) == FERRY_BENEATH_FILE &&
        (is_known ? ferry_file_identity_equal(&noted, &found) : is_of_before(agent, maker)))
        return true;
    return ferry_partial_refuse_other(maker->partial, "no migration of this host made it", error);
}

static bool
note(const FerryAgent *agent, const FerryImport *row, const char *path, int fd, GError **error)
{
    FerryFileIdentity identity = {0};

    if (ferry_beneath_look(fd, "", &identity) == FERRY_BENEATH_ERROR)
        return fail_on_file("look at", row->partial, error);
    return ferry_journal_identity_put(agent->journal, row->migration_id, path, &identity, error);
}

static int
open_in(int folder, const FerryImport *row, const FerryImport *maker, GError **error)
{
    g_autofree char *name = g_path_get_basename(row->partial);
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (maker ? 0 : O_CREAT | O_EXCL);
    int fd = openat(folder, name, flags, 0600);

    if (fd < 0 && errno == EEXIST)
        ferry_partial_refuse_other(row->partial, "no migration of this host made it", error);
    else if (fd < 0)
        fail_on_file(maker ? "open" : "make", row->partial, error);
    return fd;
}

/* @maker: as in ferry_partial_begin(). Returns: a descriptor of the file, which is noted as that of
 * @row, or -1. */
static int
open_partial(const FerryAgent *agent,
             const FerryImport *row,
             const FerryImport *maker,
             GError **error)
{
    int folder = -1;

    if (!ferry_beneath_open(row->partial, (const char *const *)agent->config->allowed_paths,
                            &folder, error))
        return -1;

    int fd = open_in(folder, row, maker, error);

    if (folder >= 0)
        close(folder);
    if (fd >= 0 && (!maker || check_made_by(agent, maker, fd, error)) &&
        note(agent, row, row->partial, fd, error))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* --- the beginning ---------------------------------------------------------------------------- */

static bool
check_space(const FerryImport *row,
            int fd,
            const struct stat *partial,
            guint64 data_bytes,
            guint64 reserved_bytes,
            GError **error)
{
    struct statvfs fs;
    guint64 there = (guint64)partial->st_blocks * 512;
    guint64 missing = data_bytes > there ? data_bytes - there : 0;

    if (fstatvfs(fd, &fs) < 0)
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

/* Where the agent's user may not, it stays that user's; a check has said so. */
static void
give_to_owner(const FerryImport *row, const FerryCarriedFile *file, int fd)
{
    if (!ferry_file_owner_give(&file->owner, fd))
        g_message("Migration '%s': '%s' stays the agent's own: %s", row->migration_id, row->partial,
                  g_strerror(errno));
}

/* It may be read by whoever may read the source's, and belongs to the same one: what is a secret
 * there stays one here, also before it is complete. */
static bool
limit_readers(const FerryImport *row, const FerryCarriedFile *file, int fd, GError **error)
{
    give_to_owner(row, file, fd);
    return fchmod(fd, ferry_file_owner_image_mode(file->mode)) == 0 ||
           fail_on_file("set the rights of", row->partial, error);
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
    return check_space(row, fd, &st, data_bytes, reserved_bytes, error);
}

bool
ferry_partial_begin(const FerryAgent *agent,
                    const FerryImport *row,
                    const FerryCarriedFile *file,
                    const FerryImport *maker,
                    guint64 *ret_offset,
                    GError **error)
{
    int fd = open_partial(agent, row, maker, error);
    bool ok = fd >= 0 && limit_readers(row, file, fd, error) &&
              measure_partial(row, fd, file->data_bytes, agent->config->reserved_bytes, ret_offset,
                              error);

    if (fd >= 0)
        close(fd);
    return ok;
}

bool
ferry_partial_empty(const FerryAgent *agent, const FerryImport *row, GError **error)
{
    int fd = open_partial(agent, row, row, error);
    bool ok = fd >= 0 && (ftruncate(fd, 0) == 0 || fail_on_file("cut", row->partial, error));

    if (fd >= 0)
        close(fd);
    return ok;
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool
complete(FerryImport *row, int fd, bool read_only, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || (read_only && fchmod(fd, st.st_mode & 0444) < 0) || fsync(fd) < 0)
        return fail_on_file("complete", row->partial, error);
    row->inode = st.st_ino;
    return true;
}

bool
ferry_partial_settle(const FerryAgent *agent, FerryImport *row, bool read_only, GError **error)
{
    int fd = open_partial(agent, row, row, error);
    bool ok =
        fd >= 0 && complete(row, fd, read_only, error) && note(agent, row, row->path, fd, error);

    if (fd >= 0)
        close(fd);
    return ok;
}

bool
ferry_partial_give_name(const FerryAgent *agent, const FerryImport *row, GError **error)
{
    const FerryOwnFile file = {
        .agent = agent, .migration_id = row->migration_id, .path = row->partial};

    return ferry_own_file_rename(&file, row->path, /* ret_forbidden= */ NULL, error);
}
