#include "config.h"

#include "destination/nvram.h"

#include "checks/firmware.h"
#include "ferry/error.h"
#include "model/paths.h"
#include "virt/domain.h"

#include <errno.h>
#include <unistd.h>

bool
ferry_nvram_note(const FerryPreparation *preparation, GError **error)
{
    const char *path = preparation->instance->nvram;
    gint64 id = 0;

    if (!path || ferry_preparation_find(preparation, FERRY_CREATION_NVRAM, path))
        return true;
    if (!ferry_firmware_check_path(preparation->agent, path, error))
        return false;
    return ferry_path_presence(path) != FERRY_PATH_ABSENT ||
           ferry_preparation_intend(preparation, FERRY_CREATION_NVRAM, /* pool= */ "", path, &id,
                                    error);
}

bool
ferry_nvram_undo(virConnectPtr connection, const FerryCreation *creation, GError **error)
{
    if (ferry_path_presence(creation->path) == FERRY_PATH_ABSENT)
        return true;
    if (!ferry_virt_path_check_unused(connection, creation->path, error))
        return false;
    if (unlink(creation->path) == 0)
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Delete the file by hand; the agent's user may not",
                    "'%s' is what a failed attempt left of the firmware's variables: %s",
                    creation->path, g_strerror(errno));
    return false;
}
