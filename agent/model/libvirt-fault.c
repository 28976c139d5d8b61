#include "config.h"

#include "model/libvirt-fault.h"

#include "model/host-versions.h"

bool
ferry_libvirt_fault_resume(const char *version)
{
    return ferry_version_is_at_least(version, "11.2.0") &&
           ferry_version_is_before(version, "11.4.0");
}
