#include "config.h"

#include "methods/arguments.h"
#include "methods/list.h"
#include "model/json-field.h"
#include "storage/quarantine.h"

/* Reads the arguments of an order about one quarantine. */
static char *
read_order(FerryRequest *request, bool *ret_force, GError **error)
{
    json_t *args = ferry_request_args(request);
    FerryFieldScope scope = {args, "args"};

    return ferry_field_bool(&scope, "force", ret_force, error) ? ferry_argument_id(args, error)
                                                               : NULL;
}

json_t *
ferry_method_list_quarantined_disks(const FerryMethodContext *context,
                                    FerryRequest *request,
                                    GError **error)
{
    const char *instance = NULL;

    if (!ferry_argument_optional_name(ferry_request_args(request), "instance", &instance, error))
        return NULL;
    return ferry_quarantine_list(context->agent, instance, error);
}

json_t *
ferry_method_restore_quarantined_disks(const FerryMethodContext *context,
                                       FerryRequest *request,
                                       GError **error)
{
    bool force = false;
    g_autofree char *id = read_order(request, &force, error);

    return id ? ferry_quarantine_restore(context->agent->quarantine, id, force, error) : NULL;
}

json_t *
ferry_method_delete_quarantined_disks(const FerryMethodContext *context,
                                      FerryRequest *request,
                                      GError **error)
{
    bool force = false;
    g_autofree char *id = read_order(request, &force, error);

    return id ? ferry_quarantine_delete(context->agent->quarantine, id, force, error) : NULL;
}
