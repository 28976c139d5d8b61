#include "config.h"

#include "checks/network.h"

#include "checks/migration-certificate.h"
#include "checks/qemu-conf.h"
#include "runtime/listen-address.h"
#include "virt/presence.h"

#include <net/if.h>

/* --- networks and bridges --------------------------------------------------------------------- */

static bool
device_is_there(const char *name)
{
    return if_nametoindex(name) != 0;
}

static void
check_active_network(const FerryCheckScene *scene, const FerryLinkNeed *link, const char *bridge)
{
    if (bridge && !device_is_there(bridge))
        ferry_checks_add(
            scene->checks, "network", FERRY_CHECK_FAIL,
            "Make the bridge, or correct the network's definition (virsh net-edit)",
            "The network '%s' (%s) uses the bridge '%s', which this host does not have", link->name,
            link->user, bridge);
    else
        ferry_checks_add(scene->checks, "network", FERRY_CHECK_PASS, NULL,
                         "The network '%s' (%s) is active here", link->name, link->user);
}

static void
check_network(const FerryCheckScene *scene, const FerryLinkNeed *link)
{
    g_auto(FerryNetworkInfo) info = {0};
    g_autoptr(GError) error = NULL;
    FerryPresence presence =
        ferry_virt_network_presence(scene->connection, link->name, &info, &error);

    if (presence == FERRY_PRESENCE_UNKNOWN)
        ferry_checks_add_error(scene->checks, "network", error);
    else if (presence == FERRY_PRESENCE_ABSENT)
        ferry_checks_add(scene->checks, "network", FERRY_CHECK_FAIL,
                         "Define and start it there: virsh net-define, net-start",
                         "This host has no network '%s' (%s)", link->name, link->user);
    else if (g_strcmp0(info.forward, "hostdev") == 0)
        ferry_checks_add(scene->checks, "network", FERRY_CHECK_FAIL,
                         "Detach the interface first; a device of a host cannot move along",
                         "The network '%s' (%s) hands out devices of this host (SR-IOV)",
                         link->name, link->user);
    else if (presence == FERRY_PRESENCE_INACTIVE)
        ferry_checks_add(scene->checks, "network", FERRY_CHECK_FAIL,
                         "Start it there: virsh net-start, and net-autostart",
                         "The network '%s' (%s) is not started on this host", link->name,
                         link->user);
    else
        check_active_network(scene, link, info.bridge);
}

static void
check_device(const FerryCheckScene *scene, const FerryLinkNeed *link)
{
    bool there = device_is_there(link->name);

    ferry_checks_add(scene->checks, "network", there ? FERRY_CHECK_PASS : FERRY_CHECK_FAIL,
                     there ? NULL
                           : "Make it there, or plug the interface into a network that both "
                             "hosts have",
                     "The %s '%s' (%s) is %s",
                     link->kind == FERRY_LINK_BRIDGE ? "bridge" : "device", link->name, link->user,
                     there ? "here" : "missing on this host");
}

/* --- displays and ports ----------------------------------------------------------------------- */

static void
check_listen(const FerryCheckScene *scene, const FerryListenNeed *listen)
{
    const char *name = listen->is_display ? "graphics" : "serial-port";

    switch (ferry_listen_address_try(listen->address, listen->port)) {
    case FERRY_LISTEN_FREE:
        ferry_checks_add(scene->checks, name, FERRY_CHECK_PASS, NULL, "%s can listen at '%s' here",
                         listen->type, listen->address);
        break;
    case FERRY_LISTEN_FOREIGN:
        ferry_checks_add(scene->checks, name, FERRY_CHECK_FAIL,
                         "Order it with listen_address, an address of the destination, or let it "
                         "listen at 0.0.0.0, :: or 127.0.0.1",
                         "%s listens at '%s', which is no address of this host", listen->type,
                         listen->address);
        break;
    case FERRY_LISTEN_TAKEN:
        ferry_checks_add(scene->checks, name, FERRY_CHECK_FAIL,
                         listen->is_display ? "Give the display autoport='yes', or free the port"
                                            : "Free the port there, or give the device another one",
                         "%s wants port %u of '%s', which is in use on this host", listen->type,
                         listen->port, listen->address);
        break;
    case FERRY_LISTEN_UNKNOWN:
        ferry_checks_add(scene->checks, name, FERRY_CHECK_WARN,
                         "See that the name means an address of this host",
                         "%s listens at '%s', which was not looked up", listen->type,
                         listen->address);
        break;
    }
}

/* --- TLS -------------------------------------------------------------------------------------- */

void
ferry_check_network(const FerryCheckScene *scene)
{
    const FerryGuestNeeds *needs = scene->needs;

    for (guint i = 0; i < needs->links->len; i++) {
        const FerryLinkNeed *link = g_ptr_array_index(needs->links, i);

        if (link->kind == FERRY_LINK_NETWORK)
            check_network(scene, link);
        else
            check_device(scene, link);
    }
    for (guint i = 0; i < needs->listens->len; i++)
        check_listen(scene, g_ptr_array_index(needs->listens, i));
    if (scene->options->tls)
        ferry_migration_certificate_check(scene->agent->config->live_migration_inbound_addr,
                                          scene->checks);
}
