/* virt-look.h: is what a guest needs there on this host? Asked of the local libvirt, changing nothing.
 *
 * Threads: any but main; every call may block as long as libvirtd does.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

typedef enum {
    FERRY_PRESENCE_ABSENT,
    FERRY_PRESENCE_INACTIVE, /* defined, not started */
    FERRY_PRESENCE_ACTIVE,
    FERRY_PRESENCE_UNKNOWN, /* libvirt does not say; @error has its words */
} FerryPresence;

/**
 * ferry_virt_pool_look:
 * @directory: resolved
 * @ret_name, @ret_type: (out) (transfer full): of the pool whose target it is; NULL when absent
 */
FerryPresence ferry_virt_pool_look(virConnectPtr connection,
                                   const char *directory,
                                   char **ret_name,
                                   char **ret_type,
                                   GError **error);
