#include "config.h"

#include "model/shut-off.h"

#include "model/block-volume.h"
#include "model/paths.h"

/* A file tells by its length how much of it has arrived, a device does not. */
static void
find_block_volumes(FerryInstance *instance)
{
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);
        g_autofree char *message = NULL;

        if (!disk->migrate || !ferry_disk_is_block(disk))
            continue;
        message = g_strdup_printf("Disk \"%s\" is a block volume, which goes along with a running "
                                  "instance only",
                                  disk->target);
        ferry_instance_add_obstacle(instance, "block-volume", message,
                                    "Start it, and move it running");
    }
}

/* QEMU carries both; without one they are files in folders of libvirt's. */
void
ferry_shut_off_find_obstacles(FerryInstance *instance, const char *const *allowed_paths)
{
    find_block_volumes(instance);
    if (instance->tpm)
        ferry_instance_add_obstacle(instance, "tpm",
                                    "The state of its TPM goes along with a running instance only",
                                    "Start it, and move it running");
    if (instance->nvram && !ferry_path_check(instance->nvram, allowed_paths, NULL, NULL))
        ferry_instance_add_obstacle(
            instance, "nvram",
            "The firmware's variables (NVRAM) are a file outside the allowed folders, and go along "
            "with a running instance only",
            "Start it, and move it running; or name their folder in [storage] allowed_paths on "
            "both hosts");
}
