#include "config.h"

#include "virt/running-qemu.h"

#include "virt/host.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

/* QEMU's process is hidden from the agent's user. But this file may be looked at, and is written
 * once, when the process begins. */
#define PID_FILE "/run/libvirt/qemu/%s.pid"

static bool
is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* A package gives a program the time at which it was made; that of its inode's change is the time
 * at which it came here. */
static bool
is_replaced(virDomainPtr domain, const char *emulator)
{
    g_autofree char *pid_file = g_strdup_printf(PID_FILE, virDomainGetName(domain));
    struct stat program;
    struct stat process;

    return virDomainIsActive(domain) == 1 && emulator && stat(emulator, &program) == 0 &&
           stat(pid_file, &process) == 0 && is_later(&program.st_ctim, &process.st_mtim);
}

char *
ferry_virt_running_qemu_version(virConnectPtr connection, virDomainPtr domain, const char *emulator)
{
    return is_replaced(domain, emulator) ? NULL : ferry_virt_host_qemu_version(connection);
}
