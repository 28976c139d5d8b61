#include "config.h"

#include "files/beneath.h"

#include "ferry/error.h"
#include "files/rights.h"
#include "model/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_DIGITS 16 /* of 32, dashes aside */

/* --- the way down ----------------------------------------------------------------------------- */

/* Where the way is: a descriptor and the name that it has in messages. */
typedef struct {
    int fd;
    char *name;
} Folder;

static void
folder_clear(Folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    g_free(folder->name);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Folder, folder_clear)

static void
fail_to_look(const char *name, int code, GError **error)
{
    g_autofree char *hint = ferry_rights_hint(name, code, "x");

    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, hint, "Cannot look into '%s': %s", name,
                    g_strerror(code));
}

static bool
fail(const char *name, int code, GError **error)
{
    if (code == ENOTDIR || code == ELOOP)
        ferry_set_error(error, FERRY_ERROR_PATH_NOT_ALLOWED,
                        "Put a folder there again; a symbolic link is not followed",
                        "'%s' is not a folder any more", name);
    else
        fail_to_look(name, code, error);
    return false;
}

static bool
check_writers(const Folder *folder, GError **error)
{
    struct stat st;

    if (fstat(folder->fd, &st) != 0)
        return fail(folder->name, errno, error);
    return ferry_path_check_writers(folder->name, st.st_mode, error);
}

/* Becomes the folder @component in @folder; where there is none, closed. Every component is opened
 * by itself, so openat2() and RESOLVE_BENEATH would forbid no more than O_NOFOLLOW does. */
static bool
descend(Folder *folder, const char *component, GError **error)
{
    int fd = openat(folder->fd, component, FOLDER_FLAGS | O_NOFOLLOW);
    int code = errno;
    char *name = g_build_filename(folder->name, component, NULL);

    folder_clear(folder);
    *folder = (Folder){fd, name};
    if (fd < 0)
        return code == ENOENT || fail(name, code, error);
    return check_writers(folder, error);
}

bool
ferry_beneath_open(const char *path, const char *const *allowed, int *ret_folder, GError **error)
{
    g_autofree char *root = NULL;
    g_autofree char *parent = g_path_get_dirname(path);

    if (!ferry_path_find_root(path, allowed, &root, error))
        return false;

    g_auto(GStrv) components = g_strsplit(parent + MIN(strlen(root), strlen(parent)), "/", -1);
    g_auto(Folder) folder = {open(root, FOLDER_FLAGS), g_strdup(root)};

    *ret_folder = -1;
    if (folder.fd < 0)
        return errno == ENOENT || fail(root, errno, error);
    if (!check_writers(&folder, error))
        return false;
    for (gsize i = 0; components[i] && folder.fd >= 0; i++)
        if (components[i][0] != '\0' && !descend(&folder, components[i], error))
            return false;
    *ret_folder = folder.fd;
    folder.fd = -1;
    return true;
}

/* --- what is there ---------------------------------------------------------------------------- */

static gpointer
read_boot(gpointer data)
{
    static guint64 boot;
    g_autofree char *text = NULL;

    if (g_file_get_contents(BOOT_ID, &text, NULL, NULL)) {
        g_auto(GStrv) parts = g_strsplit(text, "-", -1);
        g_autofree char *digits = g_strjoinv(NULL, parts);

        digits[MIN(strlen(digits), BOOT_DIGITS)] = '\0';
        boot = g_ascii_strtoull(digits, NULL, 16);
    }
    return &boot;
}

static guint64
boot_of_host(void)
{
    static GOnce once = G_ONCE_INIT;

    return *(guint64 *)g_once(&once, read_boot, NULL);
}

static FerryFileIdentity
identity_of(const struct statx *st)
{
    bool has_birth = (st->stx_mask & STATX_BTIME) != 0;

    return (FerryFileIdentity){
        .device = makedev(st->stx_dev_major, st->stx_dev_minor),
        .inode = st->stx_ino,
        .birth_ns =
            has_birth ? st->stx_btime.tv_sec * G_GINT64_CONSTANT(1000000000) + st->stx_btime.tv_nsec
                      : 0,
        .boot = boot_of_host(),
    };
}

FerryBeneath
ferry_beneath_look(int folder, const char *name, FerryFileIdentity *ret_identity)
{
    struct statx st;
    int flags = AT_SYMLINK_NOFOLLOW | (name[0] == '\0' ? AT_EMPTY_PATH : 0);

    if (statx(folder, name, flags, STATX_TYPE | STATX_INO | STATX_BTIME, &st) != 0)
        /* No file has a name that is too long. */
        return errno == ENOENT || errno == ENAMETOOLONG ? FERRY_BENEATH_NOTHING
                                                        : FERRY_BENEATH_ERROR;
    *ret_identity = identity_of(&st);
    if (S_ISREG(st.stx_mode))
        return FERRY_BENEATH_FILE;
    return S_ISDIR(st.stx_mode) ? FERRY_BENEATH_FOLDER : FERRY_BENEATH_OTHER;
}

bool
ferry_beneath_sync(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    int code = errno;

    /* In a folder that may be written and not be read: everything, then. */
    if (fd < 0 && code == EACCES) {
        sync();
        return true;
    }

    if (fd >= 0)
        close(fd);
    errno = code;
    return ok;
}
