#include "config.h"

#include "files/held-file.h"

#include "ferry/error.h"
#include "journal/identities.h"
#include "model/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES 512 /* what st_blocks counts */
#define MODE_BITS 07777
/* Nobody writes, and nobody but the owner reads. */
#define HELD_MODE 0400

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

static const char *const *
allowed_paths(const FerryAgent *agent)
{
    return (const char *const *)agent->config->allowed_paths;
}

/* The file as it is noted, at one of its two paths. */
typedef struct {
    FerryOwnFile own;
    char *path;
    char *noted_as;
} Held;

static void
held_clear(Held *held)
{
    g_free(held->path);
    g_free(held->noted_as);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Held, held_clear)

/* An agent of before noted the inode alone: what has it is noted as what it is. */
static bool
take_over(const FerryOwnFile *own, guint64 inode, GError **error)
{
    FerryHeldFile info = {0};

    if (!ferry_journal_identity_is_of_before(own->agent->journal, own->migration_id,
                                             own->noted_as) ||
        !ferry_held_file_info(own->path, &info, NULL) || info.inode != inode)
        return true;
    return ferry_own_file_note(own, error);
}

static bool
resolve(const FerryAgent *agent,
        const FerryQuarantined *file,
        const char *path,
        Held *ret_held,
        GError **error)
{
    if (!ferry_path_check(path, allowed_paths(agent), &ret_held->path, error) ||
        !ferry_path_check(file->path, allowed_paths(agent), &ret_held->noted_as, error))
        return false;
    ret_held->own = (FerryOwnFile){.agent = agent,
                                   .migration_id = file->migration_id,
                                   .path = ret_held->path,
                                   .noted_as = ret_held->noted_as};
    return take_over(&ret_held->own, file->inode, error);
}

FerryOwnFileSeen
ferry_held_file_look(const FerryAgent *agent,
                     const FerryQuarantined *file,
                     const char *path,
                     GError **why)
{
    g_auto(Held) held = {0};

    return resolve(agent, file, path, &held, why) ? ferry_own_file_look(&held.own, why)
                                                  : FERRY_OWN_FILE_UNKNOWN;
}

/* Best effort: the name is what counts. */
static void
set_mode(const FerryAgent *agent, const char *path, guint mode)
{
    g_autofree char *name = g_path_get_basename(path);
    int folder = -1;
    bool is_open = ferry_beneath_open(path, allowed_paths(agent), &folder, NULL) && folder >= 0;
    int fd = is_open ? openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;

    if (fd < 0 || fchmod(fd, mode) != 0)
        g_info("The mode of '%s' stays as it is: %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
}

static bool
move(const FerryAgent *agent,
     const FerryQuarantined *file,
     const char *from,
     const char *to,
     guint mode,
     GError **error)
{
    g_auto(Held) here = {0};
    g_auto(Held) there = {0};

    if (!resolve(agent, file, from, &here, error) || !resolve(agent, file, to, &there, error) ||
        !ferry_own_file_rename(&here.own, there.path, /* ret_forbidden= */ NULL, error))
        return false;
    set_mode(agent, there.path, mode);
    return true;
}

bool
ferry_held_file_hold(const FerryAgent *agent, const FerryQuarantined *file, GError **error)
{
    return move(agent, file, file->path, file->held_path, HELD_MODE, error);
}

bool
ferry_held_file_bring_back(const FerryAgent *agent, const FerryQuarantined *file, GError **error)
{
    return move(agent, file, file->held_path, file->path, file->mode, error);
}

bool
ferry_held_file_delete(const FerryAgent *agent,
                       const FerryQuarantined *file,
                       virConnectPtr connection,
                       GError **error)
{
    g_auto(Held) held = {0};

    return resolve(agent, file, file->held_path, &held, error) &&
           ferry_own_file_delete(&held.own, connection, error);
}
