#include "config.h"

#include "source/steps/source-disks.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/block-volume.h"
#include "model/overlay.h"
#include "source/source-image.h"
#include "source/steps/snapshot.h"
#include "source/steps/source-disks-hold.h"
#include "storage/leftover.h"
#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/virt.h"
#include "virt/volume.h"

/* The instance was seen alive on the destination: what lies here is a copy of the past. */
static bool
leave_file(FerryMigration *migration, virConnectPtr connection, const char *path, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    const FerryArrival departure = {
        .agent = ferry_migration_agent(migration),
        .connection = connection,
        .migration_id = record->migration_id,
        .instance_uuid = record->instance_uuid,
    };

    return ferry_leftover_note(&departure, path, error);
}

static bool
check_unused(FerryMigration *migration, virConnectPtr connection, const char *path, GError **error)
{
    const FerryRecord *record = ferry_migration_record(migration);
    g_autofree char *user = NULL;

    if (!ferry_virt_path_is_used(connection, path, record->instance_uuid, &user))
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Look at that instance; delete the file by hand when it is not needed",
                    "'%s' is not deleted: it is in use by '%s'", path, user);
    return false;
}

/* Adds @path to what the report says is still here; once, as the step may run again. */
static void
report_kept(FerryMigration *migration, const char *path, const char *why)
{
    json_t *former = json_object_get(ferry_migration_record(migration)->report, "kept");
    json_t *kept = former ? json_copy(former) : json_array();
    gsize index = 0;
    json_t *one = NULL;

    json_array_foreach(former, index, one) {
        if (g_strcmp0(ferry_json_get_string(one, "path"), path) == 0)
            json_array_remove(kept, index);
    }
    json_array_append_new(kept, json_pack("{s:s, s:o, s:o}", "kind", "source-disk", "path",
                                          ferry_json_text(path), "why", ferry_json_text(why)));
    ferry_migration_add_report(migration, json_pack("{s:o}", "kept", kept));
}

/* Returns: false with @error when what was @seen at @path stays against the order. Of what an agent
 * of before began nothing is known; it stays, too, and the log says so. */
static bool
check_seen(FerryMigration *migration,
           const char *path,
           FerryOwnFileSeen seen,
           GError **why,
           GError **error)
{
    if (seen == FERRY_OWN_FILE_FOREIGN) {
        g_propagate_error(error, g_steal_pointer(why));
        return false;
    }
    if (seen == FERRY_OWN_FILE_UNKNOWN) {
        g_warning("Migration '%s': %s", ferry_migration_id(migration), (*why)->message);
        report_kept(migration, path, (*why)->message);
    }
    return true;
}

/* Where it cannot be noted it costs the way back only: the file stays, and a return finds it in its
 * way. */
static void
note_left(FerryMigration *migration, virConnectPtr connection, const char *path)
{
    g_autoptr(GError) why = NULL;

    if (!leave_file(migration, connection, path, &why))
        g_warning("Migration '%s': '%s' is not noted as left behind: %s",
                  ferry_migration_id(migration), path, why->message);
}

static bool
delete_image(FerryMigration *migration, virConnectPtr connection, const char *path, GError **error)
{
    g_autoptr(GError) why = NULL;
    FerryOwnFileSeen seen = ferry_source_image_look(migration, path, &why);

    if (seen == FERRY_OWN_FILE_UNKNOWN)
        note_left(migration, connection, path);
    if (seen != FERRY_OWN_FILE_OURS)
        return check_seen(migration, path, seen, &why, error);
    return check_unused(migration, connection, path, error) &&
           ferry_source_image_delete(migration, connection, path, error);
}

static bool
delete_volume(FerryMigration *migration,
              virConnectPtr connection,
              const FerryDisk *disk,
              GError **error)
{
    g_autoptr(GError) why = NULL;
    FerryOwnFileSeen seen = ferry_source_volume_look(migration, connection, disk, &why);

    if (seen != FERRY_OWN_FILE_OURS)
        return check_seen(migration, disk->source, seen, &why, error);
    return check_unused(migration, connection, disk->source, error) &&
           ferry_virt_volume_delete(connection, disk->source, error);
}

/* Returns: false with @error when @path had to be deleted and is not. */
static bool
part_with(FerryMigration *migration, virConnectPtr connection, const char *path, GError **error)
{
    if (ferry_migration_options(migration)->source_disks == FERRY_SOURCE_DISKS_DELETE)
        return delete_image(migration, connection, path, error);
    note_left(migration, connection, path);
    report_kept(migration, path, "source_disks is keep");
    return true;
}

/* A volume that stays is not noted as left behind: a device does not tell who has written to it
 * since, so nothing could prove that it may be replaced. */
static bool
part_with_volume(FerryMigration *migration,
                 virConnectPtr connection,
                 const FerryDisk *disk,
                 GError **error)
{
    const FerryConfig *config = ferry_migration_agent(migration)->config;

    if (ferry_migration_options(migration)->source_disks != FERRY_SOURCE_DISKS_DELETE) {
        report_kept(migration, disk->source, "source_disks is keep");
        return true;
    }
    return ferry_disk_path_check(disk, (const char *const *)config->allowed_paths, NULL, error) &&
           delete_volume(migration, connection, disk, error);
}

static bool
part_with_disk(FerryMigration *migration,
               virConnectPtr connection,
               const FerryDisk *disk,
               GError **error)
{
    return ferry_disk_is_block(disk) ? part_with_volume(migration, connection, disk, error)
                                     : part_with(migration, connection, disk->source, error);
}

/* libvirt leaves it whatever becomes of the disks. */
static void
leave_variables(FerryMigration *migration, virConnectPtr connection)
{
    const char *path = ferry_migration_instance(migration)->nvram;
    g_autoptr(GError) why = NULL;

    if (path && !leave_file(migration, connection, path, &why))
        g_message("Migration '%s': the firmware's variables '%s' are not noted as left behind: %s",
                  ferry_migration_id(migration), path, why->message);
}

FerryStepEnd
ferry_source_disks_step_run(FerryMigration *migration, bool resumed, GError **error)
{
    const FerryAgent *agent = ferry_migration_agent(migration);
    const FerryInstance *instance = ferry_migration_instance(migration);
    g_autoptr(GPtrArray) overlays = ferry_overlays_new(instance, ferry_migration_id(migration));

    g_autoptr(virConnect) connection = ferry_virt_connect(agent->virt, error);

    if (!connection)
        return FERRY_STEP_ERROR;
    leave_variables(migration, connection);
    if (ferry_migration_options(migration)->source_disks == FERRY_SOURCE_DISKS_QUARANTINE)
        return ferry_source_disks_hold(migration, error) ? FERRY_STEP_DONE : FERRY_STEP_ERROR;
    for (guint i = 0; i < overlays->len; i++)
        if (!part_with(migration, connection,
                       ((FerryOverlay *)g_ptr_array_index(overlays, i))->overlay, error))
            return FERRY_STEP_ERROR;
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate && !part_with_disk(migration, connection, disk, error))
            return FERRY_STEP_ERROR;
    }
    return ferry_snapshot_step_leave(migration, error) ? FERRY_STEP_DONE : FERRY_STEP_ERROR;
}
