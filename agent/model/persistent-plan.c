#include "config.h"

#include "model/persistent-plan.h"

#include "ferry/json.h"
#include "model/block-volume.h"
#include "model/disk-plan.h"
#include "model/medium.h"
#include "model/paths.h"

static bool
has_file(const FerryInstance *instance, const char *path)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (g_strcmp0(disk->source, path) == 0)
            return true;
    }
    return false;
}

/* What lies on the network, and empty drives, are found everywhere. */
static bool
is_own(const FerryInstance *instance, const FerryDisk *disk)
{
    bool local = g_strcmp0(disk->type, "file") == 0 || ferry_disk_is_block(disk);

    return local && disk->source && !has_file(instance, disk->source);
}

void
ferry_persistent_plan_keep_own(const FerryInstance *instance, FerryInstance *persistent)
{
    for (guint i = persistent->disks->len; i > 0; i--)
        if (!is_own(instance, g_ptr_array_index(persistent->disks, i - 1)))
            g_ptr_array_remove_index(persistent->disks, i - 1);
}

static void
block_disk(FerryInstance *instance, const FerryDisk *disk)
{
    g_autofree char *message =
        g_strdup_printf("The persistent definition names '%s' for disk \"%s\", which the running "
                        "instance does not have: it stays here, and the next start would fail",
                        disk->source, disk->target);
    g_autofree char *hint = g_strdup_printf(
        "Attach it to the running instance too, so that it moves (virsh attach-device --live), or "
        "take it out of the persistent definition (virsh detach-disk %s %s --config, virsh edit)",
        instance->name, disk->target);

    ferry_instance_add_obstacle(instance, "persistent-definition", message, hint);
}

/* It does not start on this host either: nothing is lost by moving. */
static void
warn_of_missing(FerryInstance *instance, const FerryDisk *disk)
{
    g_autofree char *message =
        g_strdup_printf("The persistent definition names '%s' for disk \"%s\", which is not there: "
                        "the instance does not start with it, neither here nor there",
                        disk->source, disk->target);

    if (!ferry_medium_may_be_missing(disk))
        ferry_instance_add_warning(instance, "persistent-definition", message,
                                   "Correct the persistent definition (virsh edit, virsh "
                                   "change-media --eject --config)");
}

static void
plan_disk(FerryInstance *instance, FerryInstance *persistent, guint index)
{
    FerryDisk *disk = g_ptr_array_index(persistent->disks, index);

    if (ferry_path_presence(disk->source) == FERRY_PATH_ABSENT) {
        warn_of_missing(instance, disk);
        return;
    }
    if (disk->migrate)
        block_disk(instance, disk);
    if (!disk->carry)
        return;
    ferry_disk_explain(disk, "a medium of the persistent definition");
    g_ptr_array_add(instance->persistent_disks, g_ptr_array_steal_index(persistent->disks, index));
}

static bool
has_obstacle(const FerryInstance *instance, const FerryObstacle *obstacle)
{
    for (guint i = 0; i < instance->obstacles->len; i++) {
        const FerryObstacle *known = g_ptr_array_index(instance->obstacles, i);

        if (g_strcmp0(known->name, obstacle->name) == 0 &&
            g_strcmp0(known->message, obstacle->message) == 0)
            return true;
    }
    return false;
}

/* What the running instance has, too, is told once. */
static void
add_obstacles(FerryInstance *instance, const FerryInstance *persistent)
{
    for (guint i = 0; i < persistent->obstacles->len; i++) {
        const FerryObstacle *obstacle = g_ptr_array_index(persistent->obstacles, i);
        g_autofree char *message = g_strconcat("Persistent definition: ", obstacle->message, NULL);

        if (!has_obstacle(instance, obstacle))
            ferry_instance_add_obstacle(instance, obstacle->name, message, obstacle->hint);
    }
}

static void
look_at_variables(FerryInstance *instance, const FerryInstance *persistent)
{
    g_autofree char *message = NULL;

    if (!persistent->nvram || g_strcmp0(persistent->nvram, instance->nvram) == 0)
        return;
    message = g_strdup_printf("The persistent definition has its firmware's variables in '%s', "
                              "which does not come along: the next start gets fresh ones",
                              persistent->nvram);
    ferry_instance_add_warning(instance, "persistent-definition", message,
                               "Copy that file by hand if its content matters");
}

void
ferry_persistent_plan_make(FerryInstance *instance, FerryInstance *persistent)
{
    /* Without an order's `disks` it cannot fail. */
    if (!ferry_disk_plan_make(persistent, NULL, NULL))
        g_return_if_reached();
    add_obstacles(instance, persistent);
    for (guint i = persistent->disks->len; i > 0; i--)
        plan_disk(instance, persistent, i - 1);
    look_at_variables(instance, persistent);
}

static bool
is_awaited(const json_t *files, const char *path)
{
    json_t *file = NULL;
    gsize index = 0;

    json_array_foreach((json_t *)files, index, file)
        if (g_strcmp0(ferry_json_get_string(file, "path"), path) == 0)
            return true;
    return false;
}

void
ferry_persistent_plan_adopt(FerryInstance *instance, const json_t *files)
{
    for (guint i = instance->persistent_disks->len; i > 0; i--) {
        const FerryDisk *disk = g_ptr_array_index(instance->persistent_disks, i - 1);

        if (is_awaited(files, disk->source))
            continue;
        g_message("'%s' of the persistent definition of '%s' is not awaited by the destination, "
                  "and stays",
                  disk->source, instance->name);
        g_ptr_array_remove_index(instance->persistent_disks, i - 1);
    }
}
