#include "config.h"

#include "source/steps/source-disks-hold.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "files/held-file.h"
#include "runtime/fault-point.h"
#include "source/source-image.h"
#include "storage/quarantine-private.h"
#include "virt/auto.h"
#include "virt/definition.h"
#include "virt/domain.h"
#include "virt/pool.h"
#include "virt/virt.h"
#include "virt/volume.h"

static bool
is_free(virConnectPtr connection, const char *path, const char *instance_uuid, GError **error)
{
    g_autofree char *user = NULL;

    if (!ferry_virt_path_is_used(connection, path, instance_uuid, &user))
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look at that instance; then virt-ferry resolve goes on",
                    "'%s' is not put in quarantine: it is in use by '%s'", path, user);
    return false;
}

/* An agent of before noted nothing while the instance ran. */
static bool
is_image(FerryMigration *migration, const char *path, GError **error)
{
    g_autoptr(GError) why = NULL;

    switch (ferry_source_image_look(migration, path, &why)) {
    case FERRY_OWN_FILE_OURS:
        return true;
    case FERRY_OWN_FILE_UNKNOWN:
    case FERRY_OWN_FILE_GONE:
        return ferry_source_image_note(migration, path, error);
    case FERRY_OWN_FILE_FOREIGN:
        break;
    }
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

static bool
note_file(FerryMigration *migration,
          virConnectPtr connection,
          const char *path,
          const FerryHeldFile *info,
          GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryRecord *record = ferry_migration_record(migration);
    g_autofree char *held_path = ferry_held_file_name(path, record->migration_id);
    gint64 now_us = ferry_clock_now_us();
    FerryQuarantined file = {
        .migration_id = record->migration_id,
        .path = (char *)path,
        .held_path = held_path,
        .instance_name = record->instance_name,
        .instance_uuid = record->instance_uuid,
        .destination = record->destination,
        .inode = info->inode,
        .mode = info->mode,
        .state = FERRY_QUARANTINE_INTENDED,
        .since_us = now_us,
        .until_us = now_us + (gint64)agent->config->quarantine_s * G_USEC_PER_SEC,
    };

    return is_image(migration, path, error) &&
           is_free(connection, path, record->instance_uuid, error) &&
           ferry_journal_quarantine_add(agent->journal, &file, error);
}

/* All are noted before the first is renamed: a quarantine is complete or known not to be. */
static bool
note_files(FerryMigration *migration, virConnectPtr connection, GError **error)
{
    const FerryInstance *instance = ferry_migration_instance(migration);

    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_autofree char *path = NULL;
        FerryHeldFile info = {0};
        g_autoptr(GError) why = NULL;

        if (!disk->migrate)
            continue;
        path = ferry_source_image_path(ferry_migration_agent(migration), disk->source);
        if (ferry_held_file_info(path, &info, &why)) {
            if (!note_file(migration, connection, path, &info, error))
                return false;
        } else if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        /* Else it was put aside before the agent died, or somebody took it away. */
    }
    return true;
}

static bool
hold_file(FerryMigration *migration,
          virConnectPtr connection,
          const FerryQuarantined *file,
          GError **error)
{
    FerryJournal *journal = ferry_migration_agent(migration)->journal;

    ferry_fault_point("quarantine", "begin");
    if (!ferry_held_file_hold(ferry_migration_agent(migration), file, error))
        return false;
    ferry_fault_point("quarantine", "end");
    ferry_virt_folder_refresh(connection, file->path);
    return ferry_journal_quarantine_set(journal, file->migration_id, file->path,
                                        FERRY_QUARANTINE_HELD, NULL, error);
}

bool
ferry_source_disks_hold(FerryMigration *migration, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);
    g_autoptr(GPtrArray) files = NULL;

    if (!connection || !note_files(migration, connection, error))
        return false;
    files = ferry_journal_quarantine_list(agent->journal, ferry_migration_id(migration), error);
    for (guint i = 0; files && i < files->len; i++) {
        const FerryQuarantined *file = g_ptr_array_index(files, i);

        if (file->state == FERRY_QUARANTINE_INTENDED &&
            !hold_file(migration, connection, file, error))
            return false;
    }
    if (files && files->len == 0)
        ferry_virt_definition_forget(agent, ferry_migration_id(migration));
    ferry_quarantine_changed(agent->quarantine);
    return files != NULL;
}
