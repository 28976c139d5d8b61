#include "config.h"

#include "checks/incoming-instances.h"

#include "journal/record.h"
#include "model/instance.h"
#include "model/placement.h"

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
        ferry_placement_restore(other, data, NULL);
        g_ptr_array_add(others, g_steal_pointer(&other));
    }
    return others;
}
