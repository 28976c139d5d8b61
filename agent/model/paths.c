#include "config.h"

#include "model/paths.h"

#include "ferry/error.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HINT "Only paths below [storage] allowed_paths of this host's configuration may be used"

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

/* One more component below @folder, which is resolved already; symbolic links are followed. */
static char *
descend(const char *folder, const char *component, GError **error)
{
    if (strcmp(component, "..") == 0)
        return g_path_get_dirname(folder);
    g_autofree char *path = g_build_filename(folder, component, NULL);
    struct stat status;
    if (lstat(path, &status) != 0) {
        if (errno == ENOENT)
            return g_steal_pointer(&path);
        (void)refuse(error, "Path \"%s\" cannot be looked at: %s", path, g_strerror(errno));
        return NULL;
    }
    if (!S_ISLNK(status.st_mode))
        return g_steal_pointer(&path);
    g_autofree char *target = realpath(path, NULL);
    if (!target)
        (void)refuse(error, "Symbolic link \"%s\" leads nowhere: %s", path, g_strerror(errno));
    return g_steal_pointer(&target);
}

/* Component by component, because the end of the path need not exist and `..` after a symbolic
 * link means the parent of what the link leads to. */
static char *
resolve(const char *path, GError **error)
{
    g_auto(GStrv) components = g_strsplit(path, "/", -1);
    g_autofree char *resolved = g_strdup("/");
    for (gsize i = 0; components[i]; i++) {
        if (components[i][0] == '\0' || strcmp(components[i], ".") == 0)
            continue;
        g_autofree char *next = descend(resolved, components[i], error);
        if (!next)
            return NULL;
        g_free(resolved);
        resolved = g_steal_pointer(&next);
    }
    return g_steal_pointer(&resolved);
}

FerryPathSeen
ferry_path_presence(const char *path)
{
    struct stat status;

    if (lstat(path, &status) == 0)
        return FERRY_PATH_THERE;
    return errno == ENOENT || errno == ENOTDIR ? FERRY_PATH_ABSENT : FERRY_PATH_HIDDEN;
}

static bool
is_symbolic_link(const char *path)
{
    g_autofree char *trimmed = g_strdup(path);
    for (gsize length = strlen(trimmed); length > 1 && trimmed[length - 1] == '/'; length--)
        trimmed[length - 1] = '\0';
    struct stat status;
    return lstat(trimmed, &status) == 0 && S_ISLNK(status.st_mode);
}

static bool
lies_in(const char *path, const char *folder)
{
    gsize length = strlen(folder);
    if (strcmp(folder, "/") == 0)
        return true;
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

bool
ferry_path_check(const char *path, const char *const *allowed, char **ret_resolved, GError **error)
{
    g_return_val_if_fail(path && allowed, false);
    if (!check_text(path, error))
        return false;
    if (is_symbolic_link(path))
        return refuse(error, "Path \"%s\" is a symbolic link", path);
    g_autofree char *resolved = resolve(path, error);
    if (!resolved)
        return false;
    for (gsize i = 0; allowed[i]; i++) {
        g_autofree char *folder = resolve(allowed[i], /* error= */ NULL);
        if (!folder || allowed[i][0] != '/' || !lies_in(resolved, folder))
            continue;
        if (ret_resolved)
            *ret_resolved = g_steal_pointer(&resolved);
        return true;
    }
    return refuse(error, "Path \"%s\" lies outside the allowed folders", path);
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
