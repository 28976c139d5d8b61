#include "config.h"

#include "model/qemu-fault.h"

#include <glib.h>

bool
ferry_qemu_fault_scsi_iothread(const char *version)
{
    return version && g_str_has_prefix(version, "7.2.");
}
