#include "config.h"

#include "model/medium.h"

#include "model/paths.h"

bool
ferry_medium_is(const FerryDisk *disk)
{
    return disk->readonly || g_strcmp0(disk->device, "cdrom") == 0;
}

/* With "requisite" libvirt drops it for an arrival, and refuses to start without it. */
bool
ferry_medium_may_be_missing(const FerryDisk *disk)
{
    return g_strcmp0(disk->startup_policy, "optional") == 0 ||
           g_strcmp0(disk->startup_policy, "requisite") == 0;
}

static void
plan_missing(FerryInstance *instance, FerryDisk *disk)
{
    bool may = ferry_medium_may_be_missing(disk);
    g_autofree char *message =
        g_strdup_printf("The medium '%s' of disk \"%s\" is not there any more%s", disk->source,
                        disk->target, may ? ": the instance arrives with an empty drive" : "");
    g_autofree char *hint =
        may ? g_strdup("Put the file back first if the guest needs it")
            : g_strdup_printf("Put the file back, or eject it: virsh change-media %s %s --eject",
                              instance->name, disk->target);

    disk->carry = false;
    ferry_disk_explain(disk, "a medium whose file is not there any more");
    if (may)
        ferry_instance_add_warning(instance, "medium", message, hint);
    else
        ferry_instance_add_obstacle(instance, "medium", message, hint);
}

void
ferry_medium_plan_missing(FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->carry && g_strcmp0(disk->type, "file") == 0 &&
            ferry_path_presence(disk->source) == FERRY_PATH_ABSENT)
            plan_missing(instance, disk);
    }
}
