#include "config.h"

#include "model/qemu-fault.h"

bool
ferry_qemu_fault_scsi_iothread(const char *version)
{
    return version && g_str_has_prefix(version, "7.2.");
}

bool
ferry_qemu_fault_meets_scsi(const FerryInstance *instance, const char *version)
{
    if (!ferry_qemu_fault_scsi_iothread(version))
        return false;
    for (guint i = 0; i < instance->disks->len; i++) {
        const FerryDisk *disk = g_ptr_array_index(instance->disks, i);

        if (disk->migrate && g_strcmp0(disk->bus, "scsi") == 0)
            return true;
    }
    return false;
}
