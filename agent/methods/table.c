#include "config.h"

#include "methods/table.h"

#include "methods/list.h"

#define NAMES(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static const FerryMethodRow rows[] = {
    {
        .served = {.name = "ping", .flags = FERRY_METHOD_SHARED | FERRY_METHOD_AT_ONCE},
        .run = ferry_method_ping,
    },
    {
        .served = {.name = "describe_host", .flags = FERRY_METHOD_SHARED},
        .run = ferry_method_describe_host,
    },
    {
        .served = {.name = "describe_instance", .required = NAMES("instance")},
        .run = ferry_method_describe_instance,
    },
    {
        .served = {.name = "check_host", .optional = NAMES("at", "host")},
        .run = ferry_method_check_host,
    },
    {
        .served = {.name = "check_can_live_migrate_source",
                   .required = NAMES("instance"),
                   .optional = NAMES("host", "options")},
        .run = ferry_method_check_can_live_migrate_source,
    },
    {
        .served = {.name = "check_can_live_migrate_destination",
                   .required = NAMES("instance_info"),
                   .optional = NAMES("options")},
        .run = ferry_method_check_can_live_migrate_destination,
    },
    {
        .served = {.name = "open_migration_ports"},
        .run = ferry_method_open_migration_ports,
    },
    {
        .served = {.name = "live_migrate_instance",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("instance", "host"),
                   .optional = NAMES("migration_id", "options")},
        .run = ferry_method_live_migrate_instance,
    },
    {
        .served = {.name = "pre_live_migration",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("instance_info"),
                   .optional = NAMES("migration_id", "options", "source")},
        .run = ferry_method_pre_live_migration,
    },
    {
        .served = {.name = "live_migration",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("instance", "migrate_data"),
                   .optional = NAMES("migration_id", "options")},
        .run = ferry_method_live_migration,
    },
    {
        .served = {.name = "prepare_file",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id", "file")},
        .run = ferry_method_prepare_file,
    },
    {
        .served = {.name = "renew_images",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id"),
                   .optional = NAMES("attempt", "seeds")},
        .run = ferry_method_renew_images,
    },
    {
        .served = {.name = "get_room", .required = NAMES("migration_id")},
        .run = ferry_method_get_room,
    },
    {
        .served = {.name = "publish_file",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id", "path")},
        .run = ferry_method_publish_file,
    },
    {
        .served = {.name = "post_live_migration_at_destination",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id"),
                   .optional = NAMES("autostart")},
        .run = ferry_method_post_live_migration_at_destination,
    },
    {
        .served = {.name = "rollback_live_migration_at_destination",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id")},
        .run = ferry_method_rollback_live_migration_at_destination,
    },
    {
        .served = {.name = "live_migration_abort",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id")},
        .run = ferry_method_live_migration_abort,
    },
    {
        .served = {.name = "live_migration_force_complete",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id")},
        .run = ferry_method_live_migration_force_complete,
    },
    {
        .served = {.name = "live_migration_set_parameters",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id"),
                   .optional = NAMES("bandwidth_mib_s", "downtime_ms", "policy", "max_pause_ms")},
        .run = ferry_method_live_migration_set_parameters,
    },
    {
        .served = {.name = "resolve_migration",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id")},
        .run = ferry_method_resolve_migration,
    },
    {
        .served = {.name = "get_migration",
                   .required = NAMES("migration_id"),
                   .optional = NAMES("role")},
        .run = ferry_method_get_migration,
    },
    {
        .served = {.name = "list_migrations",
                   .optional = NAMES("status", "instance", "limit", "marker")},
        .run = ferry_method_list_migrations,
    },
    {
        .served = {.name = "list_quarantined_disks", .optional = NAMES("instance")},
        .run = ferry_method_list_quarantined_disks,
    },
    {
        .served = {.name = "restore_quarantined_disks",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id"),
                   .optional = NAMES("force")},
        .run = ferry_method_restore_quarantined_disks,
    },
    {
        .served = {.name = "delete_quarantined_disks",
                   .flags = FERRY_METHOD_ORDER,
                   .required = NAMES("migration_id"),
                   .optional = NAMES("force")},
        .run = ferry_method_delete_quarantined_disks,
    },
    {.served = {.name = NULL}},
};

const FerryMethodRow *
ferry_method_rows(void)
{
    return rows;
}

const FerryMethodRow *
ferry_method_find(const char *name)
{
    for (const FerryMethodRow *row = rows; row->served.name; row++)
        if (g_strcmp0(row->served.name, name) == 0)
            return row;
    return NULL;
}

const FerryMethod *
ferry_methods_served(void)
{
    static FerryMethod served[G_N_ELEMENTS(rows)];
    static gsize made = 0;

    if (g_once_init_enter(&made)) {
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
            served[i] = rows[i].served;
        g_once_init_leave(&made, 1);
    }
    return served;
}
