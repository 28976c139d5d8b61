#include "config.h"

#include "checks/look.h"

FerryPathSeen
ferry_check_look(const FerryCheckScene *scene, const char *path, const char *const *folders)
{
    const char *const *allowed = (const char *const *)scene->agent->config->allowed_paths;
    g_autofree char *resolved = NULL;

    return (folders && ferry_path_check_folder(path, folders, &resolved, NULL)) ||
                   ferry_path_check_folder(path, allowed, &resolved, NULL)
               ? ferry_path_presence(resolved)
               : FERRY_PATH_HIDDEN;
}
