#include "config.h"

#include "storage/instance-plan.h"

#include "files/firmware-digest.h"
#include "model/chain.h"
#include "model/disk-plan.h"
#include "model/medium.h"
#include "model/persistent-plan.h"
#include "model/shut-off.h"
#include "model/storage-strategy.h"
#include "runtime/listen-address.h"
#include "virt/auto.h"
#include "virt/chain.h"
#include "virt/domain.h"
#include "xml/domain-needs.h"

static const char *const *
allowed_paths(const FerryAgent *agent)
{
    return (const char *const *)agent->config->allowed_paths;
}

FerryInstance *
ferry_instance_plan_default(const FerryAgent *agent,
                            virConnectPtr connection,
                            virDomainPtr domain,
                            GError **error)
{
    g_autoptr(FerryInstance) instance = ferry_virt_domain_describe(connection, domain, error);

    if (!instance)
        return NULL;
    ferry_virt_chain_follow(connection, instance, allowed_paths(agent));
    return ferry_disk_plan_make(instance, NULL, error) ? g_steal_pointer(&instance) : NULL;
}

/* QEMU writes the variables that it carried to the file when the guest first runs: one that arrives
 * paused and is switched off before would start with variables as from the factory. */
static void
find_firmware_obstacle(FerryInstance *instance, const FerryOrderOptions *options)
{
    bool runs_there = !options->paused && g_strcmp0(instance->state, "running") == 0;

    if (instance->nvram && !runs_there && !ferry_instance_is_shut_off(instance))
        ferry_instance_add_obstacle(
            instance, "nvram",
            "The instance would arrive paused, and the firmware's variables "
            "(NVRAM) reach their file only when it runs",
            "Let it run, and leave \"paused\" out");
}

static bool
plan_disks(FerryInstance *instance, const FerryOrderOptions *options, GError **error)
{
    if (options->flatten && !ferry_instance_is_shut_off(instance))
        ferry_chain_flatten(instance);
    if (!ferry_disk_plan_attach(instance, (const char *const *)options->attached_disks, error) ||
        !ferry_disk_plan_make(instance, (const char *const *)options->disks, error))
        return false;
    /* A chain is flattened by copying in full, and that holds for all disks of a transfer. */
    if (!ferry_chain_is_flattened(instance))
        ferry_storage_strategy_choose(instance, options);
    return true;
}

static void
add_own_addresses(GPtrArray *own, const char *xml)
{
    g_autoptr(FerryGuestNeeds) needs = ferry_guest_needs_parse(xml, NULL);

    for (guint i = 0; needs && i < needs->listens->len; i++) {
        const FerryListenNeed *listen = g_ptr_array_index(needs->listens, i);

        if (ferry_listen_address_is_own(listen->address) &&
            !g_ptr_array_find_with_equal_func(own, listen->address, g_str_equal, NULL))
            g_ptr_array_add(own, g_strdup(listen->address));
    }
}

/* The destination has addresses of its own; only this host knows which of these are. */
static void
find_own_addresses(FerryInstance *instance)
{
    g_autoptr(GPtrArray) own = g_ptr_array_new_with_free_func(g_free);

    add_own_addresses(own, instance->domain_xml);
    if (instance->persistent_xml)
        add_own_addresses(own, instance->persistent_xml);
    g_ptr_array_add(own, NULL);
    g_strfreev(instance->own_addresses);
    instance->own_addresses = (char **)g_ptr_array_free(g_steal_pointer(&own), FALSE);
}

/* What an instance that runs will want at its next start; of one that shall not be defined at the
 * destination there is none. */
static bool
plan_persistent(const FerryAgent *agent,
                virConnectPtr connection,
                virDomainPtr domain,
                FerryInstance *instance,
                GError **error)
{
    g_autoptr(FerryInstance) persistent = NULL;

    if (!ferry_virt_domain_read_persistent(domain, &persistent, error))
        return false;
    if (!persistent)
        return true;
    ferry_persistent_plan_keep_own(instance, persistent);
    ferry_virt_domain_look_at_disks(connection, persistent);
    ferry_virt_chain_follow(connection, persistent, allowed_paths(agent));
    ferry_persistent_plan_make(instance, persistent);
    instance->persistent_xml = g_steal_pointer(&persistent->domain_xml);
    return true;
}

FerryInstance *
ferry_instance_plan_make(const FerryAgent *agent,
                         virConnectPtr connection,
                         virDomainPtr domain,
                         const FerryOrderOptions *options,
                         GError **error)
{
    g_autoptr(FerryInstance) instance = ferry_virt_domain_describe(connection, domain, error);

    if (!instance || !ferry_virt_domain_find_obstacles(domain, instance, error))
        return NULL;
    ferry_virt_chain_follow(connection, instance, allowed_paths(agent));
    if (!plan_disks(instance, options, error))
        return NULL;
    ferry_medium_plan_missing(instance);
    if (options->persistent != FERRY_OPTION_NO &&
        !plan_persistent(agent, connection, domain, instance, error))
        return NULL;
    find_firmware_obstacle(instance, options);
    if (instance->loader)
        instance->loader_digest = ferry_firmware_digest(instance->loader);
    find_own_addresses(instance);
    if (ferry_instance_is_shut_off(instance))
        ferry_shut_off_find_obstacles(instance, allowed_paths(agent));
    return g_steal_pointer(&instance);
}
