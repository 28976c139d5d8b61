#include "config.h"

#include "destination/new-folders.h"

#include "files/beneath.h"
#include "model/paths.h"

#include <fcntl.h>
#include <unistd.h>

static bool
is_below_allowed(const FerryAgent *agent, const char *path)
{
    g_autofree char *root = NULL;

    return ferry_path_find_root(path, (const char *const *)agent->config->allowed_paths, &root,
                                NULL);
}

/* Folders that are missing on the way to @folder, and itself, from the top. An allowed folder that
 * is missing is made, too, and stays: the configuration names it. */
static GPtrArray *
missing_folders(const FerryAgent *agent, const char *folder)
{
    GPtrArray *missing = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *at = g_strdup(folder);

    while (is_below_allowed(agent, at) && ferry_path_presence(at) == FERRY_PATH_ABSENT) {
        char *parent = g_path_get_dirname(at);

        g_ptr_array_insert(missing, 0, at);
        at = parent;
    }
    return missing;
}

void
ferry_new_folders_clear(FerryNewFolders *missing)
{
    g_ptr_array_unref(missing->paths);
    g_free(missing->ids);
}

FerryNewFolders
ferry_new_folders_find(const FerryPreparation *preparation, const char *folder)
{
    FerryNewFolders missing = {.paths = missing_folders(preparation->agent, folder)};

    missing.ids = g_new0(gint64, missing.paths->len + 1);
    return missing;
}

bool
ferry_new_folders_intend(const FerryPreparation *preparation,
                         const FerryNewFolders *missing,
                         const char *pool,
                         GError **error)
{
    for (guint i = 0; i < missing->paths->len; i++) {
        const FerryIntention intention = {.kind = FERRY_CREATION_DIRECTORY,
                                          .pool = pool,
                                          .path = g_ptr_array_index(missing->paths, i)};

        if (!ferry_preparation_intend(preparation, &intention, &missing->ids[i], error))
            return false;
    }
    return true;
}

/* libvirt knows of permissions only, and the files that come into a folder may need its group. */
static bool
give_special(const FerryPreparation *preparation, const char *folder, const FerryFileOwner *owner)
{
    const char *const *allowed = (const char *const *)preparation->agent->config->allowed_paths;
    g_autofree char *name = g_path_get_basename(folder);
    int parent = -1;
    int fd = -1;

    if (!ferry_beneath_open(folder, allowed, &parent, NULL) || parent < 0)
        return false;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(parent);

    bool given = fd >= 0 && ferry_file_owner_give_special(owner, fd);

    if (fd >= 0)
        close(fd);
    return given;
}

static void
complete(const FerryPreparation *preparation,
         const FerryNewFolders *missing,
         const FerryFileOwner *owner)
{
    const char *folder =
        missing->paths->len > 0 ? g_ptr_array_index(missing->paths, missing->paths->len - 1) : NULL;

    if (folder && owner->special != 0 && !give_special(preparation, folder, owner))
        g_message("The folder '%s' was made without the mode %04o that it has on the source: the "
                  "agent's user may not give it",
                  folder, owner->special | owner->mode);
}

bool
ferry_new_folders_note(const FerryPreparation *preparation,
                       const FerryNewFolders *missing,
                       const FerryFileOwner *owner,
                       GError **error)
{
    for (guint i = 0; i < missing->paths->len; i++)
        if (!ferry_preparation_note_file(preparation, missing->ids[i],
                                         g_ptr_array_index(missing->paths, i), /* detail= */ NULL,
                                         error))
            return false;
    complete(preparation, missing, owner);
    return true;
}
