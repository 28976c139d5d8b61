#include "config.h"

#include "destination/admission.h"

#include "checks/destination.h"
#include "checks/incoming-instances.h"
#include "checks/listeners.h"
#include "checks/memory.h"
#include "checks/storage.h"
#include "checks/way.h"
#include "destination/destination-private.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "journal/journal.h"
#include "model/chain.h"
#include "model/placement.h"
#include "model/thin-way.h"
#include "virt/auto.h"
#include "virt/host.h"
#include "virt/pool.h"
#include "virt/virt.h"

static char *
folder_of_pool(const char *name, gpointer connection)
{
    return ferry_virt_pool_folder(connection, name);
}

void
ferry_admission_place(const FerryAgent *agent,
                      FerryInstance *instance,
                      const FerryOrderOptions *options,
                      virConnectPtr connection)
{
    if (options->flatten && !ferry_instance_is_shut_off(instance))
        ferry_chain_flatten(instance);
    g_autofree char *libvirt = ferry_virt_host_libvirt_version(connection);
    g_autofree char *qemu = ferry_virt_host_qemu_version(connection);
    const FerryHostVersions here = {libvirt, qemu};

    ferry_placement_apply(instance, options, folder_of_pool, connection);
    ferry_thin_way_place(instance, &here);
    ferry_listeners_place(instance, options->listen_address,
                          agent->config->live_migration_inbound_addr);
}

/* --- checks ----------------------------------------------------------------------------------- */

json_t *
ferry_destination_check(FerryDestination *self,
                        const json_t *instance_info,
                        const json_t *options,
                        GError **error)
{
    g_autoptr(FerryInstance) instance = ferry_instance_from_json(instance_info, error);
    g_autoptr(FerryJson) own = ferry_order_options_for_destination(options, /* settled= */ NULL);
    g_autoptr(FerryOrderOptions) parsed = NULL;

    if (!instance)
        return NULL;
    parsed = ferry_order_options_parse(own, self->agent->config, error);
    if (!parsed)
        return NULL;

    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    if (!connection)
        return NULL;
    ferry_admission_place(self->agent, instance, parsed, connection);

    g_autoptr(FerryChecks) checks =
        ferry_destination_check_run(self->agent, connection, instance, parsed);
    json_t *answer = ferry_checks_to_json(checks);

    json_object_set_new(answer, "dest_check_data", ferry_way_check_data(self->agent, connection));
    return answer;
}

bool
ferry_admission_check(FerryDestination *self,
                      virConnectPtr connection,
                      const FerryInstance *instance,
                      const FerryOrderOptions *options,
                      GError **error)
{
    g_autoptr(FerryChecks) checks =
        ferry_destination_check_run(self->agent, connection, instance, options);

    if (ferry_checks_compatible(checks))
        return true;
    g_propagate_error(error, ferry_checks_error(checks));
    return false;
}

/* --- reserving -------------------------------------------------------------------------------- */

/* "retry" in the details tells the source to ask again. */
static bool
find_slot(FerryDestination *self, GError **error)
{
    guint limit = self->agent->config->max_concurrent_incoming;
    g_autoptr(GPtrArray) open = ferry_journal_list_incoming(self->agent->journal, error);
    bool full = open && limit > 0 && ferry_incoming_slots(self->agent, open) >= limit;

    if (full) {
        g_autoptr(GError) why =
            ferry_error_new(FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR,
                            "Ask again later, or raise [migration] max_concurrent_incoming",
                            "All %u slots for incoming migrations are in use on '%s'", limit,
                            self->agent->config->host);

        ferry_error_set_detail(why, "retry", json_true());
        g_propagate_error(error, g_steal_pointer(&why));
    }
    return open && !full;
}

/* Slot, space and memory are counted and taken in one go: two that came together passed the same
 * checks. libvirt is asked before, since others wait for the lock. */
bool
ferry_admission_reserve(FerryDestination *self,
                        virConnectPtr connection,
                        FerryRecord *record,
                        const FerryInstance *instance,
                        GError **error)
{
    g_autoptr(FerryChecks) checks = ferry_checks_new();
    g_auto(FerryMemoryInfo) info = {0};

    if (!ferry_memory_info_get(self->agent, connection, &info, error))
        return false;

    FERRY_LOCK_SCOPE(&self->admission);

    if (!find_slot(self, error))
        return false;
    ferry_check_storage_space(self->agent, instance, checks);
    ferry_check_memory(self->agent, instance, &info, checks);
    if (ferry_checks_compatible(checks))
        return ferry_journal_add(self->agent->journal, record, error);
    g_propagate_error(error, ferry_checks_error(checks));
    return false;
}
