#include "config.h"

#include "checks/incoming-instances.h"

#include "ferry/json.h"
#include "journal/record.h"
#include "model/instance.h"
#include "model/thin-way.h"
#include "virt/virt.h"

static bool
brings_files(const FerryRecord *record)
{
    const json_t *disk = NULL;
    gsize index = 0;

    json_array_foreach(json_object_get(record->instance_info, "disks"), index, disk)
        if (ferry_json_get_bool(disk, "migrate", false) ||
            ferry_json_get_bool(disk, "carry", false))
            return true;
    return false;
}

/* A preparation that nothing was made for costs nothing until the instance comes: who only prepares
 * keeps nobody else out. */
static bool
holds_slot(const FerryAgent *agent, const FerryRecord *record)
{
    g_autofree char *name = NULL;
    g_autofree char *uuid = NULL;

    return brings_files(record) ||
           ferry_virt_knows_active(agent->virt, record->instance_uuid, &name, &uuid);
}

guint
ferry_incoming_slots(const FerryAgent *agent, const GPtrArray *open)
{
    guint used = 0;

    for (guint i = 0; i < open->len; i++)
        used += holds_slot(agent, g_ptr_array_index(open, i));
    return used;
}

GPtrArray *
ferry_incoming_others(const GPtrArray *open, const char *uuid)
{
    GPtrArray *others = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_instance_free);

    for (guint i = 0; i < open->len; i++) {
        const FerryRecord *record = g_ptr_array_index(open, i);
        g_autoptr(FerryInstance) other = ferry_instance_from_json(record->instance_info, NULL);
        g_autoptr(FerryMigrateData) data = ferry_migrate_data_from_json(record->migrate_data, NULL);

        if (!other || g_strcmp0(other->uuid, uuid) == 0)
            continue;
        if (data)
            ferry_thin_way_restore(other, data);
        g_ptr_array_add(others, g_steal_pointer(&other));
    }
    return others;
}
