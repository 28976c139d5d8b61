/* host.h: what the local host is and can do. Threads: any but main. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/instance.h"
#include "xml/host.h"

typedef enum {
    FERRY_CPU_FITS,
    FERRY_CPU_NOT_COMPARABLE, /* host-passthrough, maximum, or no CPU element */
    FERRY_CPU_DIFFERS,        /* also when libvirt cannot tell; the error says */
} FerryCpuMatch;

/** Compares the guest's own CPU with what the hypervisor offers here for its emulator, machine and
 * virt type. @error: set for FERRY_CPU_DIFFERS. */
FerryCpuMatch ferry_virt_host_compare_cpu(virConnectPtr connection,
                                          const FerryInstance *instance,
                                          GError **error);

/** @emulator: (nullable): its path, from a stranger. Returns: true for one that libvirt, as root,
 * may run to ask what it can: QEMU by its name, and only root can change it. */
bool ferry_virt_host_may_ask_emulator(const char *emulator);

/** Returns: true when emulator, machine type, architecture and virt type are known here. */
bool ferry_virt_host_knows_machine(virConnectPtr connection,
                                   const FerryInstance *instance,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when libvirt can run instances by KVM here. */
bool ferry_virt_host_has_kvm(virConnectPtr connection);

/** Returns: true when a guest of its kind can have an emulated TPM here. */
bool ferry_virt_host_has_tpm(virConnectPtr connection, const FerryInstance *instance);

/** Returns: (transfer full) (nullable): what guests of its kind can have here. */
FerryDomainCapabilities *ferry_virt_host_capabilities(virConnectPtr connection,
                                                      const FerryInstance *instance);

/**
 * ferry_virt_host_takes:
 * Has libvirt make QEMU's command line of a definition and throws it away: all that it does at a
 * start before it touches anything. It looks at no image and makes no file (measured: 9.0), but
 * runs the emulator to ask what it can: @xml must name one that may be asked.
 * @error: FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR: what stands in the way, in libvirt's words; any
 *   other code: it does not say
 */
bool ferry_virt_host_takes(virConnectPtr connection,
                           const char *xml,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** @ret_bytes: memory that can be had without swapping: free, buffers and page cache. */
bool ferry_virt_host_free_memory(virConnectPtr connection,
                                 guint64 *ret_bytes,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): "9.0.0"; NULL when libvirt does not say. */
char *ferry_virt_host_libvirt_version(virConnectPtr connection);
char *ferry_virt_host_qemu_version(virConnectPtr connection);

/** Returns: (transfer full): versions, architecture, CPU model, pools, memory, instances: the part
 * of describe_host that libvirt knows; NULL with @error. */
json_t *ferry_virt_host_describe(virConnectPtr connection,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
