/* monitor.h: QEMU's own commands, through libvirt, where it has no call of its own.
 *
 * libvirt notes each of them as a taint of the domain (custom-monitor). Threads: any but main; as
 * long as QEMU takes.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <libvirt/libvirt.h>

/**
 * ferry_virt_monitor_ask:
 * @arguments: (transfer full): an object
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE: libvirt did not ask, or QEMU refused
 * Returns: (transfer full): what QEMU returned.
 */
json_t *ferry_virt_monitor_ask(virDomainPtr domain,
                               const char *command,
                               json_t *arguments,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
