#include "config.h"

#include "destination/room.h"

#include "checks/storage.h"
#include "journal/imports.h"
#include "model/instance.h"
#include "model/migrate-data.h"
#include "model/room.h"
#include "model/thin-way.h"

#include <sys/statvfs.h>

/* What has come of a file under the name that it has until it is whole. */
static guint64
arrived_on(const FerryAgent *agent, const FerryRecord *record, dev_t device)
{
    g_autoptr(GPtrArray) rows = ferry_journal_imports(agent->journal, record->migration_id, NULL);
    guint64 bytes = 0;

    for (guint i = 0; rows && i < rows->len; i++) {
        const FerryImport *row = g_ptr_array_index(rows, i);

        if (row->state == FERRY_IMPORT_COPYING)
            bytes += ferry_space_allocated_at(row->partial, device);
    }
    return bytes;
}

static json_t *
describe(const FerryAgent *agent, const FerryRecord *record, const FerrySpaceDemand *demand)
{
    struct statvfs fs;
    guint64 arrived = arrived_on(agent, record, demand->device);
    FerryRoom room = {
        .path = demand->directory,
        .reserved_bytes = agent->config->reserved_bytes,
        .wanted_bytes = demand->now_bytes > arrived ? demand->now_bytes - arrived : 0,
    };

    if (statvfs(demand->directory, &fs) < 0)
        return NULL;
    room.available_bytes = (guint64)fs.f_bavail * fs.f_frsize;
    return ferry_room_to_json(&room);
}

json_t *
ferry_destination_room_look(const FerryAgent *agent, const FerryRecord *record, GError **error)
{
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(record->instance_info, error);
    g_autoptr(FerryMigrateData) migrate_data =
        instance ? ferry_migrate_data_from_json(record->migrate_data, error) : NULL;
    json_t *list = NULL;

    if (!migrate_data)
        return NULL;
    ferry_thin_way_restore(instance, migrate_data);

    g_autoptr(FerrySpaceBook) book = ferry_check_storage_book(agent, instance);

    list = json_array();
    for (guint i = 0; i < ferry_space_book_count(book); i++) {
        json_t *described = describe(agent, record, ferry_space_book_get(book, i));

        if (described)
            json_array_append_new(list, described);
    }
    return json_pack("{s:o}", "file_systems", list);
}
