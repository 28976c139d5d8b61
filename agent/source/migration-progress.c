#include "config.h"

#include "source/migration-progress.h"

static void
add_disks(FerryProgress *progress, const FerryInstance *instance, bool seeds_are_there)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (!disk->migrate)
            continue;
        ferry_progress_add_disk(progress, disk->target, disk->capacity_bytes,
                                disk->allocation_bytes);
        if (disk->seeded && seeds_are_there)
            ferry_progress_set_disk_there(progress, disk->target);
    }
}

static void
add_files(FerryProgress *progress, const json_t *files)
{
    guint64 sent = 0;

    for (gsize i = 0; i < json_array_size(files); i++)
        sent +=
            (guint64)json_integer_value(json_object_get(json_array_get(files, i), "sent_bytes"));
    ferry_progress_set_files(progress, sent, sent);
}

void
ferry_source_progress_go_on(FerryProgress *progress, const FerryRecord *record)
{
    add_files(progress, json_object_get(record->report, "files"));
    ferry_progress_go_on(progress, record->progress);
}

FerryProgress *
ferry_source_progress_new(FerryMigration *migration, bool seeds_are_there)
{
    const FerryInstance *instance = ferry_migration_instance(migration);
    FerryProgress *progress = ferry_progress_new(g_get_monotonic_time(), instance->memory_bytes);

    add_disks(progress, instance, seeds_are_there);
    ferry_source_progress_go_on(progress, ferry_migration_record(migration));
    return progress;
}
