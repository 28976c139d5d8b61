#include "config.h"

#include "virt/monitor.h"

#include <libvirt/libvirt-qemu.h>

#include <stdlib.h>

#include "ferry/json.h"
#include "virt/error.h"

json_t *
ferry_virt_monitor_ask(virDomainPtr domain, const char *command, json_t *arguments, GError **error)
{
    const char *name = virDomainGetName(domain);
    char *text = NULL;
    g_autoptr(FerryJson) order =
        json_pack("{s:s, s:o}", "execute", command, "arguments", arguments);
    g_autofree char *order_text = ferry_json_dump(order);

    if (virDomainQemuMonitorCommand(domain, order_text, &text, 0) < 0) {
        ferry_error_from_virt(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                              "QEMU of '%s' was not asked (%s)", name, command);
        return NULL;
    }

    g_autoptr(FerryJson) answer = json_loads(text, 0, NULL);
    json_t *returned = json_incref(json_object_get(answer, "return"));
    const char *why = ferry_json_get_string(json_object_get(answer, "error"), "desc");

    free(text);
    if (!returned)
        ferry_set_error(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                        "Leave [migration] monitor_commands off for this QEMU",
                        "QEMU of '%s' refused %s: %.200s", name, command,
                        why ? why : "no reason given");
    return returned;
}
