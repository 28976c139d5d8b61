#include "config.h"

#include "virt/copy-nodes.h"

#include <jansson.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include <glib.h>
#include <stdlib.h>
#include <string.h>

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
    char *answer = NULL;
    json_t *order =
        json_pack("{s:s, s:{s:s}}", "execute", "blockdev-del", "arguments", "node-name", node);
    char *text = order ? json_dumps(order, JSON_COMPACT) : NULL;

    json_decref(order);
    if (text && virDomainQemuMonitorCommand(domain, text, &answer, 0) == 0)
        g_debug("QEMU's answer to the removal of the node '%s': %s", node, answer);
    free(answer);
    free(text);
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
