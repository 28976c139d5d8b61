#include "config.h"

#include "virt/virtqueues.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ferry/json.h"
#include "virt/error.h"
#include "virt/monitor.h"
#include "xml/domain-queues.h"

/* QEMU's own where nobody says otherwise: 256 for disks and networks, less for all others. */
#define USUAL_SIZE 256
/* A network has two for each processor and one more. */
#define MOST_QUEUES 1024
/* What has an alias of libvirt has it here. */
#define PERIPHERAL "/machine/peripheral/"

static bool
ask_number(virDomainPtr domain,
           const char *command,
           json_t *arguments,
           const char *field,
           json_int_t *ret_number,
           GError **error)
{
    g_autoptr(FerryJson) answer = ferry_virt_monitor_ask(domain, command, arguments, error);

    *ret_number = json_integer_value(json_object_get(answer, field));
    return answer != NULL;
}

/* The longest that is in use; the guest's driver chose its length, up to what the device has. */
static bool
read_longest(virDomainPtr domain, const char *path, json_int_t *ret_longest, GError **error)
{
    json_int_t count = 0;

    *ret_longest = 0;
    if (!ask_number(domain, "x-query-virtio-status", json_pack("{s:s}", "path", path), "num-vqs",
                    &count, error))
        return false;
    for (json_int_t i = 0; i < MIN(count, MOST_QUEUES); i++) {
        json_int_t length = 0;

        if (!ask_number(domain, "x-query-virtio-queue-status",
                        json_pack("{s:s, s:I}", "path", path, "queue", i), "vring-num", &length,
                        error))
            return false;
        *ret_longest = MAX(*ret_longest, length);
    }
    return true;
}

/* Returns: (transfer full): "virtio-disk0" of "/machine/peripheral/virtio-disk0/virtio-backend". */
static char *
alias_of(const char *path)
{
    const char *alias = g_str_has_prefix(path, PERIPHERAL) ? path + strlen(PERIPHERAL) : path;

    return g_strndup(alias, strcspn(alias, "/"));
}

static bool
look_at_device(
    virDomainPtr domain, const char *xml, const char *path, char **ret_found, GError **error)
{
    g_autofree char *alias = alias_of(path);
    json_int_t longest = 0;

    if (!read_longest(domain, path, &longest, error))
        return false;
    if (longest > USUAL_SIZE && (guint64)longest > ferry_domxml_queue_size(xml, alias))
        *ret_found =
            g_strdup_printf("'%s' has one of %" JSON_INTEGER_FORMAT " entries", alias, longest);
    return true;
}

static bool
look_at_devices(virDomainPtr domain, const char *xml, char **ret_found, GError **error)
{
    g_autoptr(FerryJson) devices =
        ferry_virt_monitor_ask(domain, "x-query-virtio", json_object(), error);
    gsize index = 0;
    json_t *device = NULL;

    json_array_foreach(devices, index, device) {
        const char *path = ferry_json_get_string(device, "path");

        if (path && !*ret_found && !look_at_device(domain, xml, path, ret_found, error))
            return false;
    }
    return devices != NULL;
}

bool
ferry_virt_find_long_queue(virDomainPtr domain, char **ret_found, GError **error)
{
    const char *name = virDomainGetName(domain);
    char *xml = virDomainGetXMLDesc(domain, 0);

    *ret_found = NULL;
    if (!xml)
        return ferry_error_from_virt(error, FERRY_ERROR_HYPERVISOR_UNAVAILABLE,
                                     "The definition of '%s' cannot be read", name);

    bool asked = look_at_devices(domain, xml, ret_found, error);

    free(xml);
    return asked;
}
