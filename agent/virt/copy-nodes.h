/* copy-nodes.h: what libvirt forgot in QEMU of a copy that broke off.
 *
 * For each disk that is mirrored libvirt adds two block nodes to the source's QEMU, of names of its
 * own, and removes them at the end. When the connection breaks at the switch, libvirt 9.0 gives up
 * before it has removed them, knows nothing of them any more, and every further migration of the
 * instance fails: "Duplicate nodes with node-name='migration-vda-storage'".
 *
 * Threads: any but main; may block as long as QEMU does.
 */
#pragma once

#include <libvirt/libvirt.h>
#include <stdbool.h>

/** Returns: true when the thread's last libvirt error says that such nodes are in the way. */
bool ferry_virt_copy_nodes_are_in_the_way(void);

/**
 * ferry_virt_copy_nodes_remove:
 * @targets: of the disks; ends with NULL
 * Asks QEMU itself, which libvirt notes as a taint ("custom-monitor"): there is no other way but to
 * stop the instance. QEMU refuses where somebody uses a node, so nothing that works is broken.
 */
void ferry_virt_copy_nodes_remove(virDomainPtr domain, const char *const *targets);
