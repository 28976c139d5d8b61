#include "config.h"

#include "command.h"
#include "ferry/json.h"
#include "format.h"
#include "output.h"
#include "session.h"
#include "table.h"

/* Returns: (transfer full): what pools on one file system have in common. Agents of before do not
 * tell it, but the free space and the size of what is one are the same. */
static char *
file_system_of(const json_t *pool, gint64 free_bytes)
{
    const char *id = ferry_json_get_string(pool, "file_system");

    return id ? g_strdup(id)
              : g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, free_bytes,
                                ferry_json_get_int(pool, "capacity_bytes", 0));
}

/* Returns: (transfer full) (nullable): the free space of all pools that are active, those of one
 * file system once; NULL: there is none. libvirt's figure is as old as its last look at the
 * pool. */
static char *
free_space_of(const json_t *pools)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gint64 bytes = 0;
    size_t index = 0;
    const json_t *pool = NULL;

    json_array_foreach(pools, index, pool) {
        gint64 available = ferry_json_get_int(pool, "available_bytes", 0);
        gint64 free_bytes = ferry_json_get_int(pool, "free_bytes", available);

        if (!ferry_json_get_bool(pool, "active", true))
            continue;
        if (g_hash_table_add(seen, file_system_of(pool, free_bytes)))
            bytes += CLAMP(free_bytes, 0, G_MAXINT64 - bytes);
    }
    return g_hash_table_size(seen) > 0 ? ferry_format_size(bytes) : NULL;
}

static guint
count_running(const json_t *instances)
{
    guint running = 0;
    size_t index = 0;
    const json_t *instance = NULL;

    json_array_foreach(instances, index, instance)
        running += g_strcmp0(ferry_json_get_string(instance, "state"), "running") == 0;
    return running;
}

static void
add_host(FerryTable *table, const json_t *host)
{
    const json_t *pools = json_object_get(host, "pools");
    const json_t *instances = json_object_get(host, "instances");
    g_autofree char *count =
        g_strdup_printf("%u/%u", count_running(instances), (guint)json_array_size(instances));
    g_autofree char *space = free_space_of(pools);
    const char *const cells[] = {
        ferry_json_get_string(host, "host"),
        ferry_json_get_string(host, "version"),
        ferry_json_get_string(host, "libvirt_version"),
        ferry_json_get_string(host, "qemu_version"),
        json_is_array(instances) ? count : NULL,
        space,
        NULL,
    };

    ferry_table_add(table, cells);
}

static void
print_hosts(const json_t *hosts)
{
    static const char *const titles[] = {"HOST",         "VERSION",     "LIBVIRT", "QEMU",
                                         ">RUNNING/ALL", ">FREE SPACE", NULL};
    g_autoptr(FerryTable) table = ferry_table_new(titles);
    size_t index = 0;
    const json_t *host = NULL;

    json_array_foreach(hosts, index, host)
        add_host(table, host);
    ferry_table_print(table);
}

FerryExit
ferry_command_hosts(FerryInvocation *invocation, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (!ferry_invocation_parse(invocation, /* group= */ NULL, 0, &argc, &argv, &error))
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerrySession) session = ferry_session_open(invocation, &error);
    if (!session)
        return ferry_report_error(error, invocation->json);
    g_autoptr(FerryJson) hosts = ferry_session_hosts(session, &error);
    if (!hosts)
        return ferry_report_error(error, invocation->json);
    if (invocation->json)
        ferry_print_json(hosts);
    else
        print_hosts(hosts);
    return FERRY_EXIT_DONE;
}
