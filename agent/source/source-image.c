#include "config.h"

#include "source/source-image.h"

#include "ferry/error.h"
#include "journal/identities.h"
#include "model/block-volume.h"
#include "model/paths.h"
#include "virt/auto.h"
#include "virt/block.h"
#include "virt/virt.h"

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

char *
ferry_source_image_path(const FerryAgent *agent, const char *path)
{
    char *resolved = NULL;

    return ferry_path_check(path, (const char *const *)agent->config->allowed_paths, &resolved,
                            NULL)
               ? resolved
               : g_strdup(path);
}

bool
ferry_source_image_note(FerryMigration *migration, const char *path, GError **error)
{
    g_autofree char *resolved = NULL;
    FerryOwnFile file = {0};

    return resolve(migration, path, &resolved, &file, error) && ferry_own_file_note(&file, error);
}

static bool
note_volume(FerryMigration *migration, const FerryDisk *disk, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);
    g_auto(FerryBlockVolume) volume = {0};

    if (!connection || ferry_virt_block_presence(connection, disk->source, &volume, error) !=
                           FERRY_PRESENCE_ACTIVE)
        return false;
    return ferry_journal_identity_put_text(agent->journal, ferry_migration_id(migration),
                                           disk->source, volume.key, error);
}

void
ferry_source_image_note_all(FerryMigration *migration)
{
    const FerryInstance *instance = ferry_migration_instance(migration);

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_autoptr(GError) why = NULL;

        if (disk->migrate &&
            !(ferry_disk_is_block(disk) ? note_volume(migration, disk, &why)
                                        : ferry_source_image_note(migration, disk->source, &why)))
            g_message("Migration '%s': '%s' will be kept: %s", ferry_migration_id(migration),
                      disk->source, why ? why->message : "it is not there");
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

static FerryOwnFileSeen
compare_volume(const FerryDisk *disk, const char *noted, const char *key, GError **why)
{
    if (g_strcmp0(noted, key) == 0)
        return FERRY_OWN_FILE_OURS;
    ferry_set_error(why, FERRY_ERROR_MIGRATION_ERROR, "Look whose it is",
                    noted ? "'%s' is another volume than the one that the instance had; it is kept"
                          : "Nothing proves that '%s' is the volume that the instance had; it is "
                            "kept",
                    disk->source);
    return noted ? FERRY_OWN_FILE_FOREIGN : FERRY_OWN_FILE_UNKNOWN;
}

FerryOwnFileSeen
ferry_source_volume_look(FerryMigration *migration,
                         virConnectPtr connection,
                         const FerryDisk *disk,
                         GError **why)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    g_auto(FerryBlockVolume) volume = {0};
    g_autofree char *noted = NULL;
    FerryPresence presence = ferry_virt_block_presence(connection, disk->source, &volume, why);

    if (presence == FERRY_PRESENCE_ABSENT)
        return FERRY_OWN_FILE_GONE;
    if (presence == FERRY_PRESENCE_INACTIVE)
        ferry_set_error(why, FERRY_ERROR_MIGRATION_ERROR, "Start the pool of its volume group",
                        "Cannot look at the volume '%s'", disk->source);
    if (presence != FERRY_PRESENCE_ACTIVE ||
        !ferry_journal_identity_get_text(agent->journal, ferry_migration_id(migration),
                                         disk->source, &noted, why))
        return FERRY_OWN_FILE_FOREIGN; /* with the reason: the step is tried again */
    return compare_volume(disk, noted, volume.key, why);
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
