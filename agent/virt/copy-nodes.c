#include "config.h"

#include "virt/copy-nodes.h"

#include <libvirt/virterror.h>

#include <string.h>

#include "ferry/json.h"
#include "virt/monitor.h"

/* Of nodes named migration-TARGET-..., as libvirt calls them; the upper one first. */
static const char *const layers[] = {"format", "storage"};

bool
ferry_virt_copy_nodes_are_in_the_way(void)
{
    return strstr(virGetLastErrorMessage(), "Duplicate nodes with node-name='migration-") != NULL;
}

static void
remove_node(virDomainPtr domain, const char *node)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryJson) done = ferry_virt_monitor_ask(
        domain, "blockdev-del", json_pack("{s:s}", "node-name", node), &error);

    g_debug("The removal of the node '%s': %s", node, done ? "done" : error->message);
}

void
ferry_virt_copy_nodes_remove(virDomainPtr domain, const char *const *targets)
{
    for (gsize i = 0; targets[i]; i++) {
        for (gsize k = 0; k < G_N_ELEMENTS(layers); k++) {
            g_autofree char *node = g_strdup_printf("migration-%s-%s", targets[i], layers[k]);

            remove_node(domain, node);
        }
    }
}
