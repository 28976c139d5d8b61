/* host.h: what the local host is and can do. Threads: any but main. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "model/instance.h"

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

/** Returns: true when emulator, machine type, architecture and virt type are known here. */
bool ferry_virt_host_knows_machine(virConnectPtr connection,
                                   const FerryInstance *instance,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when a guest of its kind can have an emulated TPM here. */
bool ferry_virt_host_has_tpm(virConnectPtr connection, const FerryInstance *instance);

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
