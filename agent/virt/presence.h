/* presence.h: is what a guest needs there on this host? Asked of the local libvirt, changing
 * nothing.
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

/* One of libvirt's networks. */
typedef struct {
    char *forward; /* mode: nat, route, bridge, hostdev ...; NULL: isolated */
    char *bridge;  /* that it uses; NULL where it has none */
} FerryNetworkInfo;

void ferry_network_info_clear(FerryNetworkInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryNetworkInfo, ferry_network_info_clear)

/** @ret_info: filled for a network that is there, active or not. */
FerryPresence ferry_virt_network_presence(virConnectPtr connection,
                                          const char *name,
                                          FerryNetworkInfo *ret_info,
                                          GError **error);

/** Returns: ACTIVE for a network filter (nwfilter) that is there. */
FerryPresence
ferry_virt_filter_presence(virConnectPtr connection, const char *name, GError **error);

/**
 * ferry_virt_secret_presence:
 * @uuid: (nullable): else @type and @usage name it, in libvirt's words
 * Returns: ACTIVE when it has a value, as far as libvirt says so of it; INACTIVE when it has none.
 */
FerryPresence ferry_virt_secret_presence(virConnectPtr connection,
                                         const char *uuid,
                                         const char *type,
                                         const char *usage,
                                         GError **error);

/** @size_bytes: of a huge page; one that the host does not have counts as none free. */
bool ferry_virt_free_huge_pages(virConnectPtr connection,
                                guint64 size_bytes,
                                guint64 *ret_count,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * ferry_virt_pool_presence:
 * @directory: resolved
 * @ret_name, @ret_type: (out) (transfer full): of the pool whose target it is; NULL when absent
 */
FerryPresence ferry_virt_pool_presence(virConnectPtr connection,
                                       const char *directory,
                                       char **ret_name,
                                       char **ret_type,
                                       GError **error);
