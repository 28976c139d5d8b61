#include "config.h"

#include "methods-quarantine.h"

#include "json-field.h"
#include "quarantine.h"

#define MAX_NAME_BYTES 256

/* Reads the arguments of an order about one quarantine. */
static char *
read_order(FerryRequest *request, bool *ret_force, GError **error)
{
    FerryFieldScope scope = {ferry_request_args(request), "args"};
    g_autofree char *text = NULL;

    if (!ferry_field_text(&scope, "migration_id", FERRY_FIELD_LINE, MAX_NAME_BYTES, &text, error) ||
        !ferry_field_bool(&scope, "force", ret_force, error))
        return NULL;
    if (text && g_uuid_string_is_valid(text))
        return g_ascii_strdown(text, -1);
    ferry_field_refuse(&scope, "migration_id", json_object_get(scope.object, "migration_id"),
                       "a UUID", error);
    return NULL;
}

json_t *
ferry_method_list_quarantined_disks(const FerryMethodContext *context,
                                    FerryRequest *request,
                                    GError **error)
{
    FerryFieldScope scope = {ferry_request_args(request), "args"};
    g_autofree char *instance = NULL;

    if (!ferry_field_text(&scope, "instance", FERRY_FIELD_LINE, MAX_NAME_BYTES, &instance, error))
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
