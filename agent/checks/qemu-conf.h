/* qemu-conf.h: what libvirt's configuration of QEMU says, as far as the agent's user may read it.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define FERRY_QEMU_CONF "/etc/libvirt/qemu.conf"

/** Returns: (transfer full) (nullable): the file's lines; NULL where it cannot be read. */
char **ferry_qemu_conf_read(const char *path);

/** @lines: (nullable). Returns: (transfer full) (nullable): the value of `key = "value"`; later
 * lines win, as in libvirt. */
char *ferry_qemu_conf_text(char **lines, const char *key);

/* The ports that libvirt gives to QEMU for memory and disks that come, both ends included. */
typedef struct {
    guint16 first;
    guint16 last;
} FerryPortRange;

/** @lines: (nullable). Returns: the range that they set; what they do not set is libvirt's own. */
FerryPortRange ferry_qemu_conf_migration_ports(char **lines);
