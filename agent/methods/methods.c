#include "config.h"

#include "methods/methods.h"

#include "methods/list.h"

#define NAMES(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static const FerryMethod table[] = {
    {"ping", FERRY_METHOD_SHARED, NULL, NULL},
    {"describe_host", FERRY_METHOD_SHARED, NULL, NULL},
    {"describe_instance", FERRY_METHOD_NONE, NAMES("instance"), NULL},
    {"check_can_live_migrate_destination", FERRY_METHOD_NONE, NAMES("instance_info"),
     NAMES("options")},
    {"check_can_live_migrate_source", FERRY_METHOD_NONE, NAMES("instance"),
     NAMES("host", "options")},
    {"pre_live_migration", FERRY_METHOD_ORDER, NAMES("instance_info"),
     NAMES("migration_id", "options", "source")},
    {"live_migration", FERRY_METHOD_ORDER, NAMES("instance", "migrate_data"),
     NAMES("migration_id", "options")},
    {"prepare_file", FERRY_METHOD_ORDER, NAMES("migration_id", "file"), NULL},
    {"publish_file", FERRY_METHOD_ORDER, NAMES("migration_id", "path"), NULL},
    {"post_live_migration_at_destination", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"rollback_live_migration_at_destination", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"live_migrate_instance", FERRY_METHOD_ORDER, NAMES("instance", "host"),
     NAMES("migration_id", "options")},
    {"live_migration_abort", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"live_migration_force_complete", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"resolve_migration", FERRY_METHOD_ORDER, NAMES("migration_id"), NULL},
    {"get_migration", FERRY_METHOD_NONE, NAMES("migration_id"), NAMES("role")},
    {"list_migrations", FERRY_METHOD_NONE, NULL, NAMES("status", "instance", "limit")},
    {"list_quarantined_disks", FERRY_METHOD_NONE, NULL, NAMES("instance")},
    {"restore_quarantined_disks", FERRY_METHOD_ORDER, NAMES("migration_id"), NAMES("force")},
    {"delete_quarantined_disks", FERRY_METHOD_ORDER, NAMES("migration_id"), NAMES("force")},
    {0},
};

static const struct {
    const char *name;
    FerryMethodFunc run;
} functions[] = {
    {"describe_host", ferry_method_describe_host},
    {"describe_instance", ferry_method_describe_instance},
    {"check_can_live_migrate_destination", ferry_method_check_can_live_migrate_destination},
    {"check_can_live_migrate_source", ferry_method_check_can_live_migrate_source},
    {"pre_live_migration", ferry_method_pre_live_migration},
    {"live_migration", ferry_method_live_migration},
    {"prepare_file", ferry_method_prepare_file},
    {"publish_file", ferry_method_publish_file},
    {"post_live_migration_at_destination", ferry_method_post_live_migration_at_destination},
    {"rollback_live_migration_at_destination", ferry_method_rollback_live_migration_at_destination},
    {"live_migrate_instance", ferry_method_live_migration},
    {"live_migration_abort", ferry_method_live_migration_abort},
    {"live_migration_force_complete", ferry_method_live_migration_force_complete},
    {"resolve_migration", ferry_method_resolve_migration},
    {"get_migration", ferry_method_get_migration},
    {"list_migrations", ferry_method_list_migrations},
    {"list_quarantined_disks", ferry_method_list_quarantined_disks},
    {"restore_quarantined_disks", ferry_method_restore_quarantined_disks},
    {"delete_quarantined_disks", ferry_method_delete_quarantined_disks},
};

const FerryMethod *
ferry_methods_table(void)
{
    return table;
}

FerryMethodFunc
ferry_methods_find(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(functions); i++)
        if (g_strcmp0(functions[i].name, name) == 0)
            return functions[i].run;
    return NULL;
}
