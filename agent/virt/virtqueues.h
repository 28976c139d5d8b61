/* virtqueues.h: queues that QEMU made longer than the definition asks for.
 *
 * Threads: any but main; may block as long as QEMU does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/**
 * ferry_virt_find_long_queue:
 * @ret_found: (transfer full) (nullable): the first device with such a queue, and its length, in
 *   words; NULL: there is none
 * Asks QEMU itself, which libvirt notes as a taint ("custom-monitor"): only where the configuration
 * allows it.
 * @error: FERRY_ERROR_HYPERVISOR_UNAVAILABLE: QEMU did not answer, or not as it should
 */
bool ferry_virt_find_long_queue(virDomainPtr domain,
                                char **ret_found,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
