#include "config.h"

#include "source/source-image.h"

#include "model/block-volume.h"
#include "model/paths.h"

/* @ret_resolved: the caller's to free; the file names it. */
static bool
resolve(FerryMigration *migration,
        const char *path,
        char **ret_resolved,
        FerryOwnFile *ret_file,
        GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);

    if (!ferry_path_check(path, (const char *const *)agent->config->allowed_paths, ret_resolved,
                          error))
        return false;
    *ret_file = (FerryOwnFile){
        .agent = agent, .migration_id = ferry_migration_id(migration), .path = *ret_resolved};
    return true;
}

bool
ferry_source_image_note(FerryMigration *migration, const char *path, GError **error)
{
    g_autofree char *resolved = NULL;
    FerryOwnFile file = {0};

    return resolve(migration, path, &resolved, &file, error) && ferry_own_file_note(&file, error);
}

void
ferry_source_image_note_all(FerryMigration *migration)
{
    const FerryInstance *instance = ferry_migration_instance(migration);

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_autoptr(GError) why = NULL;

        if (disk->migrate && !ferry_disk_is_block(disk) &&
            !ferry_source_image_note(migration, disk->source, &why))
            g_message("Migration '%s': the image will be kept: %s", ferry_migration_id(migration),
                      why->message);
    }
}

FerryOwnFileSeen
ferry_source_image_look(FerryMigration *migration, const char *path, GError **why)
{
    g_autofree char *resolved = NULL;
    FerryOwnFile file = {0};

    return resolve(migration, path, &resolved, &file, why) ? ferry_own_file_look(&file, why)
                                                           : FERRY_OWN_FILE_FOREIGN;
}

bool
ferry_source_image_delete(FerryMigration *migration,
                          virConnectPtr connection,
                          const char *path,
                          GError **error)
{
    g_autofree char *resolved = NULL;
    FerryOwnFile file = {0};

    return resolve(migration, path, &resolved, &file, error) &&
           ferry_own_file_delete(&file, connection, error);
}
