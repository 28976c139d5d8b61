#include "config.h"

#include "model/paths.h"

#include "ferry/error.h"
#include "model/file-owner.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HINT "Only paths below [storage] allowed_paths of this host's configuration may be used"
#define MAX_LINKS 40 /* as many as the kernel follows */

G_GNUC_PRINTF(2, 3)
static bool
refuse(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    ferry_set_error(error, FERRY_ERROR_PATH_NOT_ALLOWED, HINT, "%s", message);
    return false;
}

static bool
has_control_character(const char *path)
{
    for (const char *at = path; *at != '\0'; at++) {
        if (g_ascii_iscntrl(*at))
            return true;
    }
    return false;
}

static bool
check_text(const char *path, GError **error)
{
    if (has_control_character(path) || !g_utf8_validate(path, -1, NULL)) {
        g_autofree char *shown = g_strescape(path, NULL);
        return refuse(error, "Path \"%.200s\" has characters that are not allowed", shown);
    }
    if (path[0] != '/')
        return refuse(error, "Path \"%.200s\" is not absolute", path);
    if (strlen(path) >= PATH_MAX)
        return refuse(error, "Path of %zu bytes is too long", strlen(path));
    return true;
}

/* What is still to be walked of a path: components, the next one first. */
static void
push_components(GQueue *todo, const char *path)
{
    g_auto(GStrv) components = g_strsplit(path, "/", -1);

    for (gsize i = g_strv_length(components); i > 0; i--)
        g_queue_push_head(todo, g_strdup(components[i - 1]));
}

/* Whoever may write into the folder of a link can lead it elsewhere once it was looked at. */
static bool
check_folder_of_link(const char *folder, GError **error)
{
    struct stat status;

    return stat(folder, &status) != 0 || ferry_path_check_writers(folder, status.st_mode, error);
}

/* A link, and where it was found. */
typedef struct {
    const char *path;
    const char *folder;
    const char *target;
    uid_t uid; /* whose it is */
} Link;

/* Sets @ret_folder to the folder into which @link leads, or to which, and @status to what that is.
 * What a link leads to need not exist: then it is the nearest folder that does. */
static bool
find_folder_led_to(const Link *link, char **ret_folder, struct stat *status)
{
    g_autofree char *at = g_path_is_absolute(link->target)
                              ? g_strdup(link->target)
                              : g_build_filename(link->folder, link->target, NULL);

    while (stat(at, status) != 0 || !S_ISDIR(status->st_mode)) {
        char *parent = g_path_get_dirname(at);

        if (strcmp(parent, at) == 0) {
            g_free(parent);
            return false;
        }
        g_free(at);
        at = parent;
    }
    *ret_folder = g_steal_pointer(&at);
    return true;
}

/* Whoever may write to one folder could have a link there lead the agent, which may more, into
 * another one that is not theirs. The kernel follows links in folders of all by the same rule
 * (fs.protected_symlinks). */
static bool
check_owner_of_link(const Link *link, GError **error)
{
    g_autofree char *folder = NULL;
    struct stat status;

    if (link->uid == 0 || link->uid == geteuid() ||
        (find_folder_led_to(link, &folder, &status) && status.st_uid == link->uid))
        return true;

    g_autofree char *quoted = g_shell_quote(link->path);
    g_autofree char *hint = g_strdup_printf(
        "A link is followed if it belongs to root, to the agent's user, or to the owner of the "
        "folder that it leads to: name the path behind it, or chown -h root %s",
        quoted);
    g_autofree char *user = ferry_file_owner_user(link->uid);
    g_autofree char *other = folder ? ferry_file_owner_user(status.st_uid) : NULL;

    ferry_set_error(error, FERRY_ERROR_PATH_NOT_ALLOWED, hint,
                    "Symbolic link \"%s\" of user '%s' leads into the folder \"%s\" of '%s'",
                    link->path, user, folder ? folder : link->target, other ? other : "nobody");
    return false;
}

/* Returns: (transfer full): where the walk is behind the link @path in @folder; the rest of where
 * it leads is in @todo. What it leads to need not exist. */
static char *
follow(const char *folder, const char *path, uid_t uid, GQueue *todo, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *target = g_file_read_link(path, &why);

    if (!target) {
        (void)refuse(error, "Symbolic link \"%s\" cannot be read: %s", path, why->message);
        return NULL;
    }
    if (!check_folder_of_link(folder, error) ||
        !check_owner_of_link(&(Link){path, folder, target, uid}, error))
        return NULL;
    push_components(todo, target);
    return g_strdup(g_path_is_absolute(target) ? "/" : folder);
}

static void
cannot_look(const char *folder, const char *path, int code, GError **error)
{
    g_autofree char *quoted = g_shell_quote(folder);
    g_autofree char *search =
        code == EACCES
            ? g_strdup_printf("Let the agent's user search the folder: setfacl -m u:%s:x %s",
                              g_get_user_name(), quoted)
            : NULL;

    ferry_set_error(error, FERRY_ERROR_PATH_NOT_ALLOWED, search ? search : HINT,
                    "Path \"%s\" cannot be looked at: %s", path, g_strerror(code));
}

/* One more component below @folder, which is resolved already. */
static char *
descend(const char *folder, const char *component, GQueue *todo, guint *links, GError **error)
{
    if (component[0] == '\0' || strcmp(component, ".") == 0)
        return g_strdup(folder);
    if (strcmp(component, "..") == 0)
        return g_path_get_dirname(folder);
    g_autofree char *path = g_build_filename(folder, component, NULL);
    struct stat status;
    if (lstat(path, &status) != 0) {
        if (errno == ENOENT)
            return g_steal_pointer(&path);
        cannot_look(folder, path, errno, error);
        return NULL;
    }
    if (!S_ISLNK(status.st_mode))
        return g_steal_pointer(&path);
    if (++*links <= MAX_LINKS)
        return follow(folder, path, status.st_uid, todo, error);
    (void)refuse(error, "Symbolic link \"%s\" leads nowhere: too many links", path);
    return NULL;
}

/* Component by component, because the end of the path need not exist and `..` after a symbolic
 * link means the parent of what the link leads to. */
static char *
resolve(const char *path, GError **error)
{
    GQueue todo = G_QUEUE_INIT;
    guint links = 0;
    char *resolved = g_strdup("/");

    push_components(&todo, path);
    while (resolved && !g_queue_is_empty(&todo)) {
        g_autofree char *component = g_queue_pop_head(&todo);
        char *next = descend(resolved, component, &todo, &links, error);

        g_free(resolved);
        resolved = next;
    }
    g_queue_clear_full(&todo, g_free);
    return resolved;
}

FerryPathSeen
ferry_path_presence(const char *path)
{
    struct stat status;

    if (lstat(path, &status) == 0)
        return FERRY_PATH_THERE;
    return errno == ENOENT || errno == ENOTDIR ? FERRY_PATH_ABSENT : FERRY_PATH_HIDDEN;
}

/* Returns: what follows @folder in @path, "" for @folder itself, or NULL when it lies outside. */
static const char *
rest_below(const char *path, const char *folder)
{
    gsize length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

    if (strncmp(path, folder, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return path + length + strspn(path + length, "/");
}

/* Sets @ret_root to the first of @allowed that has @path, which is resolved, below itself. */
static bool
find_root(
    const char *path, const char *const *allowed, bool is_folder, char **ret_root, GError **error)
{
    for (gsize i = 0; allowed[i]; i++) {
        g_autofree char *root = allowed[i][0] == '/' ? resolve(allowed[i], NULL) : NULL;
        const char *rest = root ? rest_below(path, root) : NULL;

        if (rest && (is_folder || rest[0] != '\0')) {
            *ret_root = g_steal_pointer(&root);
            return true;
        }
    }
    return refuse(error, "Path \"%s\" lies outside the allowed folders", path);
}

bool
ferry_path_find_root(const char *path, const char *const *allowed, char **ret_root, GError **error)
{
    return find_root(path, allowed, /* is_folder= */ false, ret_root, error);
}

bool
ferry_path_check_writers(const char *folder, guint mode, GError **error)
{
    if ((mode & S_IWOTH) == 0)
        return true;
    ferry_set_error(error, FERRY_ERROR_PATH_NOT_ALLOWED,
                    "Take that right away (chmod o-w), or use another folder of [storage] "
                    "allowed_paths",
                    "Everybody may write into the folder \"%s\" and replace files there", folder);
    return false;
}

/* From @root down to the folder of @path, as far as there is one. */
static bool
check_folders(const char *path, const char *root, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat status;

    for (; rest_below(folder, root); *strrchr(folder, '/') = '\0') {
        if (stat(folder, &status) == 0 && !ferry_path_check_writers(folder, status.st_mode, error))
            return false;
        if (strrchr(folder, '/') == folder)
            break;
    }
    return true;
}

static bool
check(const char *path,
      const char *const *allowed,
      bool is_folder,
      char **ret_resolved,
      GError **error)
{
    g_autofree char *resolved = NULL;
    g_autofree char *root = NULL;

    g_return_val_if_fail(path && allowed, false);
    if (!check_text(path, error))
        return false;
    resolved = resolve(path, error);
    if (!resolved || !find_root(resolved, allowed, is_folder, &root, error) ||
        !check_folders(resolved, root, error))
        return false;
    if (ret_resolved)
        *ret_resolved = g_steal_pointer(&resolved);
    return true;
}

bool
ferry_path_check(const char *path, const char *const *allowed, char **ret_resolved, GError **error)
{
    return check(path, allowed, /* is_folder= */ false, ret_resolved, error);
}

bool
ferry_path_check_folder(const char *path,
                        const char *const *allowed,
                        char **ret_resolved,
                        GError **error)
{
    return check(path, allowed, /* is_folder= */ true, ret_resolved, error);
}

/* In a folder that all may write to, such as /tmp, the sticky bit keeps others from what is there,
 * but not from names that are free. */
static bool
way_is_roots(const char *path)
{
    bool crowded = false;
    const char *end = path;
    do {
        end = strchr(end + 1, '/');
        g_autofree char *prefix = end ? g_strndup(path, (gsize)(end - path)) : g_strdup(path);
        struct stat status;
        if (lstat(prefix, &status) != 0)
            return errno == ENOENT && !crowded;
        crowded = !S_ISLNK(status.st_mode) && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
        bool sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
        if (status.st_uid != 0 || (crowded && !sticky))
            return false;
    } while (end);
    return true;
}

bool
ferry_path_is_same(const char *a, const char *b)
{
    struct stat one;
    struct stat other;

    if (g_strcmp0(a, b) == 0)
        return true;
    if (!a || !b || stat(a, &one) != 0 || stat(b, &other) != 0)
        return false;
    /* A device has many nodes: /dev/GROUP/VOLUME, /dev/mapper/GROUP-VOLUME, /dev/dm-0. */
    if (S_ISBLK(one.st_mode) || S_ISBLK(other.st_mode))
        return S_ISBLK(one.st_mode) && S_ISBLK(other.st_mode) && one.st_rdev == other.st_rdev;
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool
ferry_path_is_roots(const char *path)
{
    g_autofree char *plain = g_canonicalize_filename(path, "/");
    if (strcmp(plain, path) != 0 || !way_is_roots(path))
        return false;
    char *raw = realpath(path, NULL);
    bool roots = !raw || way_is_roots(raw);
    free(raw);
    return roots;
}
