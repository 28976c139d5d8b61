#include "config.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "methods/arguments.h"
#include "methods/list.h"
#include "model/migration-request.h"

bool
ferry_method_check_can_live_migrate_source(FerryMethodCall *call, GError **error)
{
    const char *name = ferry_field_name(&call->args, "instance", error);
    const char *host = NULL;

    if (!name || !ferry_field_optional_name(&call->args, "host", &host, error))
        return false;
    return ferry_method_answer(
        call, ferry_source_check(call->context->source, name, host,
                                 json_object_get(call->args.object, "options"), error));
}

static void
answer_order(const char *migration_id, FerryStatus status, gpointer call)
{
    ferry_method_answer(call, json_pack("{s:s, s:s}", "migration_id", migration_id, "status",
                                        ferry_status_to_string(status)));
}

/* Answered once the order is in the journal, before anything is done: it may take days. */
static bool
order(FerryMethodCall *call, FerryMigrationRequestKind kind, GError **error)
{
    g_autofree char *id = ferry_argument_id_or_new(call, error);
    g_autoptr(FerryJson) order = ferry_argument_order(call);
    g_autoptr(FerryMigrationRequest) request =
        id ? ferry_migration_request_read(id, kind, order, error) : NULL;

    return request && ferry_source_order(call->context->source, request, answer_order, call, error);
}

bool
ferry_method_live_migrate_instance(FerryMethodCall *call, GError **error)
{
    return order(call, FERRY_MIGRATION_REQUEST_WHOLE, error);
}

bool
ferry_method_live_migration(FerryMethodCall *call, GError **error)
{
    return order(call, FERRY_MIGRATION_REQUEST_PREPARED, error);
}

bool
ferry_method_live_migration_abort(FerryMethodCall *call, GError **error)
{
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);

    return id && ferry_method_answer(call, ferry_source_abort(call->context->source, id, error));
}

bool
ferry_method_live_migration_force_complete(FerryMethodCall *call, GError **error)
{
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);

    return id &&
           ferry_method_answer(call, ferry_source_force_complete(call->context->source, id, error));
}

bool
ferry_method_live_migration_set_parameters(FerryMethodCall *call, GError **error)
{
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);

    return id && ferry_method_answer(
                     call, ferry_source_tune(call->context->source, id, call->args.object, error));
}

static json_t *
roll_back(const FerryMethodContext *context, const char *id, GError **error)
{
    json_t *answer = ferry_destination_resolve(context->destination, id, error);

    if (answer) {
        json_object_set_new(answer, "migration_id", json_string(id));
        json_object_set_new(answer, "action", json_string("roll-back"));
    }
    return answer;
}

/* A source asks both hosts; a destination tries again to remove what it could not remove before. */
bool
ferry_method_resolve_migration(FerryMethodCall *call, GError **error)
{
    g_autofree char *id = ferry_field_uuid(&call->args, "migration_id", error);
    g_autoptr(GError) why = NULL;

    if (!id)
        return false;
    if (ferry_method_answer(call, ferry_resolver_resolve(call->context->resolver, id, &why)))
        return true;
    if (g_error_matches(why, FERRY_ERROR, FERRY_ERROR_MIGRATION_NOT_FOUND))
        return ferry_method_answer(call, roll_back(call->context, id, error));
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}
