#include "config.h"

#include "methods/list.h"
#include "storage/quarantine.h"

/* Reads the arguments of an order about one quarantine. Returns: (transfer full): its id. */
static char *
read_order(FerryMethodCall *call, bool *ret_force, GError **error)
{
    if (!ferry_field_bool(&call->args, "force", ret_force, error))
        return NULL;
    return ferry_field_uuid(&call->args, "migration_id", error);
}

bool
ferry_method_list_quarantined_disks(FerryMethodCall *call, GError **error)
{
    const char *instance = NULL;

    return ferry_field_optional_name(&call->args, "instance", &instance, error) &&
           ferry_method_answer(call, ferry_quarantine_list(call->context->agent, instance, error));
}

bool
ferry_method_restore_quarantined_disks(FerryMethodCall *call, GError **error)
{
    bool force = false;
    g_autofree char *id = read_order(call, &force, error);
    FerryQuarantine *quarantine = call->context->agent->quarantine;

    return id && ferry_method_answer(call, ferry_quarantine_restore(quarantine, id, force, error));
}

bool
ferry_method_delete_quarantined_disks(FerryMethodCall *call, GError **error)
{
    bool force = false;
    g_autofree char *id = read_order(call, &force, error);
    FerryQuarantine *quarantine = call->context->agent->quarantine;

    return id && ferry_method_answer(call, ferry_quarantine_delete(quarantine, id, force, error));
}
